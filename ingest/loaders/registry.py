"""The table of formats with their file extensions and loaders. Add a row to support a new format."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType

_CODE = (
    ".py .pyi .js .mjs .cjs .ts .jsx .tsx .java .kt .scala .groovy .c .h .cc .cpp .cxx .hpp .hh .cs .go "
    ".rs .rb .php .swift .m .mm .r .jl .lua .pl .pm .sh .bash .zsh .fish .ps1 .bat .cmd .sql .hs .ml .ex "
    ".exs .erl .clj .lisp .el .vim .tex .bib .css .scss .less .vue .svelte .proto .thrift .graphql .tf "
    ".cmake .gradle .dockerfile .diff .patch .ini .cfg .conf .properties .toml .yaml .yml .f90 .f "
    ".for .pas .asm .s .vb .vbs .dart .nim .zig .v .sol"
)
CODE_SUFFIXES = tuple(_CODE.split())

# Skipped inside folders: temporary files of editors and office programs, and folders of generated files.
IGNORED_FOLDERS = frozenset(
    {"__pycache__", "node_modules", "venv", "site-packages", "__MACOSX", "$RECYCLE.BIN", "System Volume Information"}
)
IGNORED_FILES = frozenset({"thumbs.db", "desktop.ini"})


@dataclass(frozen=True, slots=True)
class Format:
    """A type of file.

    Attributes:
        kind: its internal name.
        title: its name in messages.
        suffixes: its file extensions, with their dot.
        module: the loader's module; imported only when a file of this type is read.
        loader: the loader's name in the module: Source -> Document.
        is_text: True for text formats, which only their name distinguishes from other text.
    """

    kind: str
    title: str
    suffixes: tuple[str, ...]
    module: str
    loader: str
    is_text: bool = False


ROWS = (
    Format("text", "plain text", (".txt", ".text", ".log"), "plain_text", "load_text", is_text=True),
    Format("markdown", "Markdown", (".md", ".markdown", ".mdx"), "markup.markdown", "load_markdown", is_text=True),
    Format("rst", "reStructuredText", (".rst", ".rest"), "markup.line_markup", "load_rst", is_text=True),
    Format("asciidoc", "AsciiDoc", (".adoc", ".asciidoc"), "markup.line_markup", "load_asciidoc", is_text=True),
    Format("org", "Org", (".org",), "markup.line_markup", "load_org", is_text=True),
    Format("code", "source code", CODE_SUFFIXES, "plain_text", "load_code", is_text=True),
    Format("subtitles", "subtitles", (".vtt", ".srt"), "markup.subtitles", "load_subtitles", is_text=True),
    Format(
        "csv",
        "comma-separated values",
        (".csv", ".tsv", ".tab"),
        "office.sheets.separated_values",
        "load_csv",
        is_text=True,
    ),
    Format("json", "JSON", (".json", ".ndjson", ".jsonl"), "markup.structured", "load_json", is_text=True),
    Format("notebook", "notebook", (".ipynb",), "markup.structured", "load_notebook", is_text=True),
    Format("xml", "XML", (".xml", ".rss", ".atom"), "markup.structured", "load_xml", is_text=True),
    Format("html", "HTML", (".html", ".htm", ".xhtml"), "markup.html", "load_html", is_text=True),
    Format("mhtml", "web archive", (".mhtml", ".mht"), "containers.mail", "load_mhtml", is_text=True),
    Format("mail", "mail", (".eml",), "containers.mail", "load_eml", is_text=True),
    Format("mailbox", "mailbox", (".mbox",), "containers.mail", "load_mbox", is_text=True),
    Format("outlook", "Outlook message", (".msg",), "containers.mail", "load_msg"),
    Format("pdf", "PDF", (".pdf",), "pdf.reader", "load_pdf"),
    Format("docx", "Word document", (".docx", ".docm", ".dotx"), "office.word.docx", "load_docx"),
    Format("doc", "Word document of the old kind", (".doc", ".dot"), "office.doc", "load_doc"),
    Format("rtf", "RTF", (".rtf",), "office.rtf", "load_rtf"),
    Format("pptx", "PowerPoint presentation", (".pptx", ".pptm", ".ppsx"), "office.pptx", "load_pptx"),
    Format("ppt", "PowerPoint presentation of the old kind", (".ppt", ".pps"), "office.ppt", "load_ppt"),
    Format(
        "sheet",
        "spreadsheet",
        (".xlsx", ".xlsm", ".xlsb", ".xls", ".ods"),
        "office.sheets.workbooks",
        "load_sheets",
    ),
    Format("odt", "OpenDocument text", (".odt", ".ott", ".fodt"), "office.odf.documents", "load_odt"),
    Format("odp", "OpenDocument presentation", (".odp", ".otp", ".fodp"), "office.odf.documents", "load_odp"),
    Format("epub", "EPUB", (".epub",), "markup.epub", "load_epub"),
    Format(
        "image",
        "picture",
        (".png", ".jpg", ".jpeg", ".tif", ".tiff", ".bmp", ".webp", ".gif"),
        "images.reader",
        "load_picture",
    ),
    Format("zip", "zip archive", (".zip",), "containers.archives", "load_zip"),
    Format("tar", "tar archive", (".tar",), "containers.archives", "load_tar"),
    Format("gzip", "gzip file", (".gz", ".tgz"), "containers.archives", "load_gzip"),
)
FORMATS = MappingProxyType({row.kind: row for row in ROWS})
KIND_OF_SUFFIX = MappingProxyType({suffix: row.kind for row in ROWS for suffix in row.suffixes})


def is_ignored(name: str) -> bool:
    """Returns True if a file or folder is hidden, or used only by programs."""
    return name.startswith((".", "~$")) or name in IGNORED_FOLDERS or name.casefold() in IGNORED_FILES
