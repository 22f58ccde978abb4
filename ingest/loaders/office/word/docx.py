"""Reads Word documents: headings, lists, tables, text boxes, formulas and notes, in document order."""

from __future__ import annotations

import re
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
from ingest.loaders.office.word.numbering import BULLET, Numbering, Place
from ingest.loaders.office.word.tables import frame, read_table
from ingest.loaders.office.word.text import TextReader, blocks, text_boxes
from ingest.loaders.output_limits import Output
from ingest.loaders.source import Source
from ingest.loaders.table_grid import add_grid
from ingest.models import Document

DEEPEST_HEADING = 6
NOTES = {"/word/footnotes.xml": "Note", "/word/endnotes.xml": "Endnote", "/word/comments.xml": "Comment"}
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
    for element in blocks(word.element.body):
        writer.element(element)
    writer.notes()
    writer.flush()
    title = word.core_properties.title or writer.title or writer.builder.first_heading()
    return writer.builder.build(title, writer.warnings())


class _Writer:
    """Adds paragraphs and tables; collects list items until another element ends the list."""

    def __init__(self, word: WordDocument, output: Output) -> None:
        self.builder = Builder(output)
        self.title = ""
        self._word = word
        self._styles: dict[str, Any] = {style.style_id: style for style in word.styles}
        self._default = next((s for s in self._styles.values() if _is_default(s)), None)
        self._numbering = Numbering(word)
        self._text = TextReader(word)
        self._items: list[tuple[int, str]] = []

    def flush(self) -> None:
        """Ends a list; its indents begin at its highest level."""
        top = min((depth for depth, _ in self._items), default=0)
        self.builder.add("list", "\n".join(f"{'  ' * (depth - top)}{item}" for depth, item in self._items))
        self._items = []

    def warnings(self) -> list[str]:
        """Returns what was left out."""
        if not self._text.hidden:
            return []
        return [f"Hidden text of {self._text.hidden:,} characters was left out. To have it read, show it, and save it."]

    def element(self, element: Any) -> None:
        if element.tag == qn("w:tbl"):
            self.flush()
            self._table(element)
        elif element.tag == qn("w:p"):
            self._paragraph(element)
            for box in text_boxes(element):
                for inner in blocks(box):
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
        for words in dict.fromkeys(filter(None, map(self._text.all_words, margins))):
            self.builder.add("paragraph", words)

    def _note(self, note: Any, called: str) -> None:
        if words := self._text.all_words(note):
            self.builder.add("paragraph", called + words)

    def _paragraph(self, paragraph: Any) -> None:
        style = self._style(paragraph)
        text, place, mark = self._numbered(paragraph, style)
        if not text:
            return
        level = _heading_level(paragraph, style)
        if level:
            self.flush()
            self.builder.add_heading(level, text if mark in {"", BULLET} else f"{mark} {text}")
            if style is not None and style.name == "Title" and not self.title:
                self.title = text
        elif place is not None and mark:
            self._items.append((place.depth, f"{mark} {' '.join(text.split())}"))
        else:
            self.flush()
            self.builder.add("paragraph", text)

    def _numbered(self, paragraph: Any, style: ParagraphStyle | None) -> tuple[str, Place | None, str]:
        """Returns a paragraph's text, its place in a list and its mark; counts it, also if it is empty, as Word does.

        A paragraph whose text is all hidden or deleted is not shown, so it is not counted.
        """
        hidden = self._text.hidden
        text = self._text.paragraph(paragraph).strip()
        place = self._numbering.place(paragraph, style)
        if place is None or (not text and (self._text.hidden > hidden or _is_deleted(paragraph))):
            return text, None, ""
        return text, place, self._numbering.next_mark(place)

    def _cell(self, cell: Any) -> str:
        """Returns the text of a table cell with the numbers of its paragraphs, which may be all that it shows."""
        parts = []
        for paragraph in (block for block in blocks(cell) if block.tag == qn("w:p")):
            text, _, mark = self._numbered(paragraph, self._style(paragraph))
            parts.append(text if mark == BULLET else f"{mark} {text}".strip())
            parts.extend(self._text.all_words(box) for box in text_boxes(paragraph))
        return " ".join(part for part in parts if part)

    def _table(self, table: Any) -> None:
        if cells := frame(table):
            for block in (block for cell in cells for block in blocks(cell)):
                self.element(block)
            self.flush()
            return
        read = read_table(table, self._cell)
        add_grid(self.builder, read.rows, read.merges, read.headers)
        for name, inner in read.inner:
            self.builder.add("paragraph", name)
            self._table(inner)

    def _style(self, paragraph: Any) -> ParagraphStyle | None:
        found = paragraph.find(f"{qn('w:pPr')}/{qn('w:pStyle')}")
        style_id = found.get(qn("w:val")) if found is not None else None
        style = self._styles.get(style_id or "", self._default)
        return style if isinstance(style, ParagraphStyle) else None


def _is_default(style: Any) -> bool:
    return isinstance(style, ParagraphStyle) and style.element.get(qn("w:default")) in {"1", "true", "on"}


def _is_deleted(paragraph: Any) -> bool:
    """Returns True if the paragraph itself was deleted with changes tracked."""
    return paragraph.find(f"{qn('w:pPr')}/{qn('w:rPr')}/{qn('w:del')}") is not None


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
