"""Makes office files from the XML of their parts, for what libraries do not write."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import xlsxwriter
from format_files import zipped

OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006"
PACKAGE = "http://schemas.openxmlformats.org/package/2006"
MAIN = "http://schemas.openxmlformats.org/wordprocessingml/2006/main"
ROOTS = {"document": "document", "numbering": "numbering", "styles": "styles"}


def changed(data: bytes, name: str, old: str, new: str) -> bytes:
    """A zip archive in one of whose files a text is replaced."""
    with zipfile.ZipFile(io.BytesIO(data)) as package:
        members = {entry.filename: package.read(entry) for entry in package.infolist()}
    text = members[name].decode()
    assert old in text
    return zipped({**members, name: text.replace(old, new)})


def word_file(body: str, **parts: str) -> bytes:
    """A Word document with this body; other parts by name: `numbering`, `styles`."""
    main = "application/vnd.openxmlformats-officedocument.wordprocessingml"
    all_parts = {"document": f"<w:body>{body}</w:body>", **parts}
    types = "".join(
        f'<Override PartName="/word/{name}.xml" ContentType="{main}.{kind}+xml"/>'
        for name, kind in ((name, "document.main" if name == "document" else name) for name in all_parts)
    )
    relations = "".join(
        f'<Relationship Id="r{name}" Type="{OFFICE}/relationships/{name}" Target="{name}.xml"/>' for name in parts
    )
    members = {
        "[Content_Types].xml": f'<Types xmlns="{PACKAGE}/content-types"><Default Extension="rels" '
        f'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>{types}</Types>',
        "_rels/.rels": f'<Relationships xmlns="{PACKAGE}/relationships"><Relationship Id="r" '
        f'Type="{OFFICE}/relationships/officeDocument" Target="word/document.xml"/></Relationships>',
        "word/_rels/document.xml.rels": f'<Relationships xmlns="{PACKAGE}/relationships">{relations}</Relationships>',
    }
    for name, content in all_parts.items():
        root = f'<w:{ROOTS[name]} xmlns:w="{MAIN}" xmlns:m="{OFFICE}/math">{content}</w:{ROOTS[name]}>'
        members[f"word/{name}.xml"] = root
    return zipped(members)


def paragraph(text: str = "", properties: str = "", run: str = "") -> str:
    """A paragraph of Word's XML; `properties` are its own, `run` those of its text."""
    return (
        f'<w:p><w:pPr>{properties}</w:pPr><w:r><w:rPr>{run}</w:rPr><w:t xml:space="preserve">{text}</w:t></w:r></w:p>'
    )


def in_list(number: int, depth: int = 0) -> str:
    """The properties of a list item of Word's XML."""
    return f'<w:numPr><w:ilvl w:val="{depth}"/><w:numId w:val="{number}"/></w:numPr>'


def level(depth: int, text: str, kind: str = "decimal", start: int = 1, more: str = "") -> str:
    """A level of a list of Word's XML."""
    return (
        f'<w:lvl w:ilvl="{depth}"><w:start w:val="{start}"/><w:numFmt w:val="{kind}"/>{more}'
        f'<w:lvlText w:val="{text}"/></w:lvl>'
    )


def numbering(levels: str, instances: str = '<w:num w:numId="1"><w:abstractNumId w:val="0"/></w:num>') -> str:
    """The lists of a Word document: one definition, and what refers to it."""
    return f'<w:abstractNum w:abstractNumId="0">{levels}</w:abstractNum>{instances}'


def word_table(rows: list[str], properties: str = "") -> str:
    """A table of Word's XML of rows, each the XML of its cells."""
    return f"<w:tbl><w:tblPr/>{''.join(f'<w:tr>{properties}{row}</w:tr>' for row in rows)}</w:tbl>"


def word_cell(content: str = "", properties: str = "") -> str:
    """A cell of Word's XML: text, or XML of paragraphs and tables."""
    inner = content if content.startswith("<") else paragraph(content)
    return f"<w:tc><w:tcPr>{properties}</w:tcPr>{inner}</w:tc>"


def workbook_file(fill: Callable[[xlsxwriter.Workbook], None]) -> bytes:
    """A workbook that `fill` writes."""
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    fill(book)
    book.close()
    return buffer.getvalue()


def opendocument_file(kind: str, body: str, styles: str = "", **more: str | bytes) -> bytes:
    """An OpenDocument file: the XML of its body, and of its automatic styles; other files by name."""
    names = {name: name for name in ("office", "text", "table", "style", "presentation")} | {"draw": "drawing"}
    spaces = " ".join(
        f'xmlns:{prefix}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for prefix, name in names.items()
    )
    content = (
        f'<office:document-content {spaces} xmlns:xlink="http://www.w3.org/1999/xlink"><office:automatic-styles>'
        f"{styles}</office:automatic-styles><office:body><office:{kind}>{body}</office:{kind}></office:body>"
        "</office:document-content>"
    )
    members = {"mimetype": f"application/vnd.oasis.opendocument.{kind}", "content.xml": content}
    return zipped({**members, **{name.replace("__", "/"): text for name, text in more.items()}})
