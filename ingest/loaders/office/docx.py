"""Reads Word documents: headings, lists, tables, text boxes, formulas and notes, in document order."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import docx
from docx.document import Document as WordDocument
from docx.oxml.ns import qn
from docx.oxml.parser import parse_xml
from docx.styles.style import ParagraphStyle

from ingest.errors import DamagedDocument
from ingest.loaders.containers.zip_package import CONTENT_TYPES, Package
from ingest.loaders.document_builder import Builder
from ingest.loaders.images.reader import words_in
from ingest.loaders.office.formulas import formula
from ingest.loaders.output_limits import Output
from ingest.loaders.source import Source
from ingest.models import Document

DEEPEST_HEADING = 6
NOTES = {"/word/footnotes.xml": "Note", "/word/endnotes.xml": "Endnote", "/word/comments.xml": "Comment"}
FORMULA = "{http://schemas.openxmlformats.org/officeDocument/2006/math}oMath"
MARGIN = re.compile(r"/word/(?:header|footer)\d*\.xml$")


def load_docx(source: Source) -> Document:
    """Reads a Word document (.docx).

    Raises:
        EncryptedDocument: a password is needed.
        DamagedDocument: it is not a Word document, damaged, or made to unpack to an absurd size.
    """
    package = Package(source, "Word document")
    if CONTENT_TYPES not in package.names:
        raise DamagedDocument(f"{source} is a zip archive, but not a Word document. Correct its file extension.")
    with package.being_read():
        document = _read(docx.Document(package.office_file()), source.output)
    return document if document.text else _pictures(package, source)


def _pictures(package: Package, source: Source) -> Document:
    """Reads the text in pictures, for a document of pictures only, as scanners produce."""
    builder = Builder(source.output)
    for entry in package.entries:
        if entry.filename.startswith("word/media/") and source.ocr:
            builder.add("paragraph", words_in(source, entry.filename, package.read(entry)))
    return builder.build()


def _read(word: WordDocument, output: Output) -> Document:
    writer = _Writer(word, output)
    for element in _children(word.element.body):
        writer.element(element)
    writer.notes()
    writer.flush()
    title = word.core_properties.title or writer.title or writer.builder.first_heading()
    return writer.builder.build(title)


class _Writer:
    """Adds paragraphs and tables; collects list items until another element ends the list."""

    def __init__(self, word: WordDocument, output: Output) -> None:
        self.builder = Builder(output)
        self.title = ""
        self._word = word
        self._styles: dict[str, Any] = {style.style_id: style for style in word.styles}
        self._formats = _number_formats(word)
        self._items: list[str] = []
        self._counters: dict[tuple[str, int], int] = {}

    def flush(self) -> None:
        self.builder.add("list", "\n".join(self._items))
        self._items = []

    def element(self, element: Any) -> None:
        if element.tag == qn("w:tbl"):
            self.flush()
            self._table(element)
        elif element.tag == qn("w:p"):
            self._paragraph(element)
            for box in _text_boxes(element):
                for inner in _children(box):
                    self.element(inner)

    def notes(self) -> None:
        """Adds separate parts: footnotes, endnotes and comments; headers and footers, once each."""
        self.flush()
        parts = {str(part.partname): part for part in self._word.part.package.iter_parts()}
        for name, called in NOTES.items():
            if name in parts:
                notes = [n for n in parse_xml(parts[name].blob) if n.get(qn("w:type")) in {None, "normal"}]
                for number, note in enumerate(notes, start=1):
                    self._note(note, f"{called} {number}: ")
        margins = [parse_xml(parts[name].blob) for name in sorted(parts) if MARGIN.match(name)]
        for words in dict.fromkeys(filter(None, map(_words, margins))):
            self.builder.add("paragraph", words)

    def _note(self, note: Any, called: str) -> None:
        if words := _words(note):
            self.builder.add("paragraph", called + words)

    def _paragraph(self, paragraph: Any) -> None:
        text = _paragraph_text(paragraph).strip()
        if not text:
            return
        style = self._style(paragraph)
        level = _heading_level(paragraph, style)
        if level:
            self.flush()
            self.builder.add_heading(level, text)
            if style is not None and style.name == "Title" and not self.title:
                self.title = text
        elif (numbering := _numbering(paragraph, style)) is not None:
            self._items.append(self._item(text, *numbering))
        else:
            self.flush()
            self.builder.add("paragraph", text)

    def _item(self, text: str, number_id: str, depth: int) -> str:
        for key in [key for key in self._counters if key[0] == number_id and key[1] > depth]:
            del self._counters[key]
        n = self._counters[number_id, depth] = self._counters.get((number_id, depth), 0) + 1
        mark = "-" if self._formats.get((number_id, depth), "bullet") == "bullet" else f"{n}."
        return f"{'  ' * depth}{mark} {' '.join(text.split())}"

    def _table(self, table: Any) -> None:
        rows = _rows(table)
        if sum(len(row) for row in rows) == 1:  # a frame around text, not a table
            for cell in table.iter(qn("w:tc")):
                for inner in _children(cell):
                    self.element(inner)
                break
        else:
            self.builder.add_table(rows)

    def _style(self, paragraph: Any) -> ParagraphStyle | None:
        found = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
        style_id = found.get(qn("w:val")) if found is not None else None
        style = self._styles.get(style_id or "")
        return style if isinstance(style, ParagraphStyle) else None


def _words(part: Any) -> str:
    """Returns all words of an element, on one line."""
    return " ".join(" ".join(_paragraph_text(p).split()) for p in part.iter(qn("w:p"))).strip()


def _children(parent: Any) -> Iterator[Any]:
    """Yields paragraphs and tables of an element, including those in content controls and tracked insertions."""
    for child in parent:
        if child.tag in {qn("w:p"), qn("w:tbl")}:
            yield child
        elif child.tag in {qn("w:sdt"), qn("w:sdtContent"), qn("w:ins"), qn("w:customXml"), qn("w:smartTag")}:
            yield from _children(child)


def _paragraph_text(paragraph: Any) -> str:
    """Returns a paragraph's text with links, fields and insertions, without deletions and text boxes."""
    parts: list[str] = []
    pending = list(reversed(paragraph))
    left_out = {qn("w:del"), qn("w:pPr"), qn("w:rPr"), qn("w:txbxContent"), qn("w:instrText"), qn("w:moveFrom")}
    while pending:
        element = pending.pop()
        if element.tag in left_out or _is_fallback(element):
            continue
        if element.tag == qn("w:t"):
            parts.append(element.text or "")
        elif element.tag == FORMULA:
            parts.append(formula(element))
        elif element.tag in {qn("w:tab"), qn("w:br"), qn("w:cr")}:
            parts.append("\n" if element.tag != qn("w:tab") else "\t")
        elif element.tag == qn("w:noBreakHyphen"):
            parts.append("-")
        else:
            pending.extend(reversed(element))
    return "".join(parts)


def _text_boxes(paragraph: Any) -> Iterator[Any]:
    for box in paragraph.iter(qn("w:txbxContent")):
        above = list(box.iterancestors())
        inside = above[: above.index(paragraph)]
        if not any(_is_fallback(one) or one.tag == box.tag for one in inside):
            yield box


def _is_fallback(element: Any) -> bool:
    return isinstance(element.tag, str) and element.tag.endswith("}Fallback")


def _heading_level(paragraph: Any, style: ParagraphStyle | None) -> int:
    """Returns 1 to 6, or 0, by the paragraph's own outline level, or its style's name or outline level."""
    own = paragraph.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}")
    outline = _outline(own)
    at: Any = style
    while outline is None and at is not None:
        name = (at.name or "").casefold()
        if name == "title":
            return 1
        if name.startswith("heading ") and name[8:].isdigit():
            return min(max(int(name[8:]), 1), DEEPEST_HEADING)
        outline = _outline(at.element.find(f"{qn('w:pPr')}/{qn('w:outlineLvl')}"))
        at = at.base_style
    return min(outline + 1, DEEPEST_HEADING) if outline is not None and outline < DEEPEST_HEADING + 3 else 0


def _outline(element: Any) -> int | None:
    value = element.get(qn("w:val")) if element is not None else None
    return int(value) if value and value.isdigit() else None


def _numbering(paragraph: Any, style: ParagraphStyle | None) -> tuple[str, int] | None:
    """Returns a list item's numbering id and depth; None for other paragraphs."""
    found = paragraph.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
    at: Any = style
    while found is None and at is not None:
        found = at.element.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
        at = at.base_style
    if found is None:
        return None
    number, depth = found.find(qn("w:numId")), found.find(qn("w:ilvl"))
    number_id = number.get(qn("w:val")) if number is not None else "0"
    return None if number_id == "0" else (number_id, _outline(depth) or 0)


def _number_formats(word: WordDocument) -> dict[tuple[str, int], str]:
    """Returns the format ("bullet", "decimal" …) of each defined list level, by (numbering id, depth)."""
    part = next((p for p in word.part.package.iter_parts() if p.partname == "/word/numbering.xml"), None)
    if part is None:
        return {}
    root = parse_xml(part.blob)
    levels = {
        (abstract.get(qn("w:abstractNumId")), _outline_of(level)): fmt.get(qn("w:val"))
        for abstract in root.findall(qn("w:abstractNum"))
        for level in abstract.findall(qn("w:lvl"))
        if (fmt := level.find(qn("w:numFmt"))) is not None
    }
    formats = {}
    for number in root.findall(qn("w:num")):
        abstract = number.find(qn("w:abstractNumId"))
        for (abstract_id, depth), fmt in levels.items():
            if abstract is not None and abstract.get(qn("w:val")) == abstract_id:
                formats[number.get(qn("w:numId")), depth] = fmt
    return formats


def _outline_of(level: Any) -> int:
    return int(level.get(qn("w:ilvl")) or 0)


def _rows(table: Any) -> list[list[str]]:
    """Returns the cells' texts; a vertically merged cell is repeated in each row, a horizontally merged one is not."""
    rows: list[list[str]] = []
    for tr in (row for row in table.iter(qn("w:tr")) if next(row.iterancestors(qn("w:tbl"))) is table):
        row: list[str] = []
        for cell in (one for one in tr.iter(qn("w:tc")) if next(one.iterancestors(qn("w:tr"))) is tr):
            properties = cell.find(qn("w:tcPr"))
            text = " ".join(_paragraph_text(p) for p in cell.iter(qn("w:p")))
            if _continues(properties) and rows and len(row) < len(rows[-1]):
                text = rows[-1][len(row)]
            row.extend([text, *[""] * (_grid_span(properties) - 1)])
        rows.append(row)
    return rows


def _continues(properties: Any) -> bool:
    merge = properties.find(qn("w:vMerge")) if properties is not None else None
    return merge is not None and merge.get(qn("w:val")) != "restart"


def _grid_span(properties: Any) -> int:
    span = properties.find(qn("w:gridSpan")) if properties is not None else None
    value = _outline_value(span)
    return min(max(value, 1), 100)


def _outline_value(element: Any) -> int:
    return _outline(element) or 1
