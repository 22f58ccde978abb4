"""Detects the type of a file by its content; the name only distinguishes types of text."""

from __future__ import annotations

import io
import re
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import BinaryIO

import olefile

from ingest.errors import DamagedDocument, UnsupportedDocument
from ingest.host import open_regular_file
from ingest.loaders.plain_text import text_head
from ingest.loaders.registry import FORMATS, KIND_OF_SUFFIX
from ingest.loaders.source import Source

HEAD = 4096
ZIP = b"PK\x03\x04"
GZIP = b"\x1f\x8b"
OLE = b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1"
ZIP_EMPTY = b"PK\x05\x06"
PDF_WITHIN = 1024
TAR_AT, TAR = 257, b"ustar"
MAGIC = (
    (b"%PDF-", "pdf"),
    (b"{\\rtf", "rtf"),
    (b"\x89PNG\r\n\x1a\n", "image"),
    (b"\xff\xd8\xff", "image"),
    (b"II*\0", "image"),
    (b"MM\0*", "image"),
    (b"GIF8", "image"),
    (GZIP, "gzip"),
)
OFFICE_PARTS = (("word/", "docx"), ("ppt/", "pptx"), ("xl/", "sheet"), ("visio/", "visio"))
OPENDOCUMENT = {
    "application/epub+zip": "epub",
    "application/vnd.oasis.opendocument.text": "odt",
    "application/vnd.oasis.opendocument.presentation": "odp",
    "application/vnd.oasis.opendocument.spreadsheet": "sheet",
}
OLE_STREAMS = (
    ("WordDocument", "doc"),
    ("PowerPoint Document", "ppt"),
    ("Workbook", "sheet"),
    ("Book", "sheet"),
    ("VisioDocument", "visio"),
    ("__properties_version1.0", "outlook"),
)
ENCRYPTED = "encrypted"
# Zip-based formats, which encryption wraps in a compound file.
LOCKED_INTO_OLE = frozenset({"docx", "pptx", "sheet"})
WHAT_IS_READ = (
    "Supported: PDF, Office and OpenDocument files, RTF, HTML, XML, Markdown and other markup, text, CSV, JSON, mail, "
    "EPUB, subtitles, notebooks, source code, pictures with text, and archives of these."
)
# Recognised but unsupported types, with advice.
UNREAD = {
    "iwork": "is an Apple iWork document, which is not supported. Export it as PDF or to an Office format.",
    "visio": "is a Visio drawing, which is not supported. Export it as PDF.",
}
ANY_CASE, ALL = re.IGNORECASE, re.DOTALL
# Beginnings of text formats, after white space and a byte order mark.
TEXT_SIGNS = (
    (re.compile(r"<!doctype html|<html\b", ANY_CASE), "html"),
    (
        re.compile(r"(?:<\?xml[^>]*\?>\s*+)?(?><!--.*?-->\s*)*+(?:<!doctype html[^>]*+>\s*+)?<html\b", ANY_CASE | ALL),
        "html",
    ),
    (re.compile(r".{0,4000}office:mimetype=\"application/vnd\.oasis\.opendocument\.text", ALL), "odt"),
    (re.compile(r".{0,4000}office:mimetype=\"application/vnd\.oasis\.opendocument\.presentation", ALL), "odp"),
    (re.compile(r"<\?xml\b"), "xml"),
    (re.compile(r"WEBVTT\b"), "subtitles"),
    (re.compile(r"From (?>\S.*?\d\d:\d\d).*+\n(?:[\w-]++:|>From )", ANY_CASE), "mailbox"),
    (re.compile(r"\{\s*\"(?:cells|nbformat|metadata)\"\s*:"), "notebook"),
)
TOLD_BY_CONTENT = frozenset(kind for _, kind in TEXT_SIGNS) | {"mail", "mhtml"}
# Text formats that programs save under the extension of an office format.
SAVED_AS_OFFICE = TOLD_BY_CONTENT - {"mailbox", "subtitles", "notebook"}
MAIL_HEADER = re.compile(
    r"^(?:from|to|subject|date|received|return-path|message-id|mime-version|delivered-to|x-[\w-]+|content-type):",
    re.IGNORECASE | re.MULTILINE,
)
ENOUGH_HEADERS = 3


def kind_of(source: Source) -> str:
    """Returns the type of a file, a key of `FORMATS`.

    Raises:
        EncryptedDocument: a password is needed.
        UnsupportedDocument: its type is not supported.
        DamagedDocument: its content is not of the type that its name says.
    """
    named = KIND_OF_SUFFIX.get(source.suffix, "")
    found = sniff(io.BytesIO(source.data))
    if not found and source.data.startswith(OLE) and named in LOCKED_INTO_OLE:
        found = ENCRYPTED
    if found == ENCRYPTED:
        raise source.locked()
    if found in UNREAD:
        raise UnsupportedDocument(f"{source} {UNREAD[found]}")
    if found == "text":
        return _text_kind(source, named)
    if found in {"", "zip"} and named and not FORMATS[named].is_text:
        return named  # its loader reports the error
    if found:
        return found
    if named:
        raise DamagedDocument(
            f"{source} is not {FORMATS[named].title}: its content is of another type. Correct its file extension."
        )
    raise UnsupportedDocument(f"{source} is of an unsupported type. {WHAT_IS_READ}")


def is_readable(path: Path) -> bool:
    """Returns True if a file in a folder is of a supported type, by its name or else its first bytes.

    Text, archives and compound files of unknown extensions are skipped, because programs store many internal files in
    these formats. The file is not parsed here; only sandboxed processes do that.
    """
    suffix = path.suffix.lower()
    if suffix in KIND_OF_SUFFIX:
        return True
    try:
        with open_regular_file(path) as file:
            head = file.read(HEAD)
    except (OSError, UnsupportedDocument):
        return False
    if head.startswith((ZIP, ZIP_EMPTY, OLE, GZIP)):
        return not suffix
    return bool(_magic(head) or (not suffix and text_head(head)))


def sniff(file: BinaryIO) -> str:
    """Returns the type detected from the bytes; "text" for any text, "encrypted", or "" if unknown."""
    head = file.read(HEAD)
    if head.startswith((ZIP, ZIP_EMPTY)):
        return _zip_kind(file)
    if head.startswith(OLE):
        return _ole_kind(file)
    return _magic(head) or ("text" if text_head(head) else "")


def _magic(head: bytes) -> str:
    """Returns the type that the first bytes identify by a signature; "" for all others."""
    if head.startswith(b"RIFF"):
        return "image" if head[8:12] == b"WEBP" else ""
    if head[TAR_AT:].startswith(TAR):
        return "tar"
    if head.startswith(b"BM"):  # text may begin with these two letters too
        return "image" if b"\0" in head else ""
    found = next((kind for magic, kind in MAGIC if head.startswith(magic)), "")
    return found or ("pdf" if b"%PDF-" in head[:PDF_WITHIN] else "")


def _zip_kind(file: BinaryIO) -> str:
    try:
        file.seek(0)
        with zipfile.ZipFile(file) as package:
            names = package.namelist()
            if "mimetype" in names and package.getinfo("mimetype").file_size < HEAD:
                mimetype = package.read("mimetype").decode("ascii", "replace").strip()
                for prefix, kind in OPENDOCUMENT.items():
                    if mimetype.startswith(prefix):
                        return kind
    except (zipfile.BadZipFile, OSError, ValueError, NotImplementedError, RuntimeError, EOFError):
        return "zip"
    if "[Content_Types].xml" in names:
        return next((kind for part, kind in OFFICE_PARTS if _any_starts(names, part)), "")
    if "META-INF/container.xml" in names:
        return "epub"
    if "Index/Document.iwa" in names or "index.xml" in names or "Index.zip" in names:
        return "iwork"
    return "zip"


def _any_starts(names: Iterable[str], part: str) -> bool:
    return any(name.lower().lstrip("/").startswith(part) for name in names)


def _ole_kind(file: BinaryIO) -> str:
    try:
        file.seek(0)
        with olefile.OleFileIO(file) as ole:
            if ole.exists("EncryptedPackage"):
                return ENCRYPTED
            return next((kind for stream, kind in OLE_STREAMS if ole.exists(stream)), "")
    except Exception:  # noqa: BLE001 - a damaged file of this type: its loader reports that
        return ""


def _text_kind(source: Source, named: str) -> str:
    found = _text_sign(source.data)
    if named and not FORMATS[named].is_text:
        if found in SAVED_AS_OFFICE:
            return found
        raise DamagedDocument(
            f"{source} is not a {FORMATS[named].title}: it contains plain text. Correct its file extension, or get an "
            "intact copy."
        )
    if named in {"", "text"} and found in TOLD_BY_CONTENT:
        return found if not named or found in {"mailbox", "mail", "mhtml", "subtitles"} else named
    if named == "xml" and found in {"html", "odt", "odp"}:
        return found
    if named == "mail" and found == "mailbox":
        return "mailbox"
    return named or "text"


def _text_sign(data: bytes) -> str:
    head = text_head(data[:HEAD]).lstrip()
    for sign, kind in TEXT_SIGNS:
        if sign.match(head):
            return kind
    headers = MAIL_HEADER.findall(head.split("\n\n", 1)[0].split("\r\n\r\n", 1)[0])
    if len(headers) >= ENOUGH_HEADERS and re.match(r"[\w-]+:", head):
        return "mhtml" if re.search(r"content-type:\s*multipart/related", head, re.IGNORECASE) else "mail"
    return ""
