"""Reads OpenDocument texts and presentations: headings, lists, tables, notes, slides."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from ingest.errors import DamagedDocument
from ingest.loaders.containers.zip_package import Package, parse_xml
from ingest.loaders.document_builder import Builder
from ingest.loaders.source import Source
from ingest.models import Document

NAMESPACE = "urn:oasis:names:tc:opendocument:xmlns:{}:1.0"
DEEPEST_HEADING = 6
DEEPEST = 100
# Cells may be declared as repeated up to the edge of the sheet.
MOST_REPEATED = 64


def _q(name: str) -> str:
    """Converts `text:p` to ElementTree's form."""
    prefix, local = name.split(":")
    return f"{{{NAMESPACE.format({'draw': 'drawing'}.get(prefix, prefix))}}}{local}"


DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"
P, H, SPAN_SPACES, TAB, BREAK = _q("text:p"), _q("text:h"), _q("text:s"), _q("text:tab"), _q("text:line-break")
LIST, ITEM, TABLE, ROW, CELL = (
    _q("text:list"),
    _q("text:list-item"),
    _q("table:table"),
    _q("table:table-row"),
    _q("table:table-cell"),
)
COVERED, NOTE, NOTE_BODY = _q("table:covered-table-cell"), _q("text:note"), _q("text:note-body")
PAGE, SLIDE_NOTES, TRACKED = _q("draw:page"), _q("presentation:notes"), _q("text:tracked-changes")
ANNOTATION, HEADER, FOOTER = _q("office:annotation"), _q("style:header"), _q("style:footer")
LEVEL, DEPTH, TITLED = _q("text:outline-level"), _q("text:c"), _q("presentation:class")
REPEATED, SPANNED = _q("table:number-columns-repeated"), _q("table:number-columns-spanned")
DESCRIPTIONS = {"{urn:oasis:names:tc:opendocument:xmlns:svg-compatible:1.0}desc"}
LEFT_OUT = frozenset({TRACKED, ANNOTATION, *DESCRIPTIONS, _q("text:sequence-decls"), _q("office:forms")})


def load_odt(source: Source) -> Document:
    """Reads a text (.odt, or its single-file form .fodt). Headers and footers come last, once each.

    Raises:
        EncryptedDocument: a password is needed.
        DamagedDocument: it is damaged, or made to unpack to an absurd size.
    """
    parts = _parts(source, "OpenDocument text")
    writer = _Writer(Builder(source.output))
    writer.children(_body(parts, "office:text", source), 0)
    writer.notes()
    margins = dict.fromkeys(
        " ".join(_text(one).split())
        for one in (parts.styles.iter() if parts.styles is not None else ())
        if one.tag in {HEADER, FOOTER}
    )
    for words in margins:
        writer.builder.add("paragraph", words)
    return writer.builder.build(parts.title or writer.builder.first_heading())


def load_odp(source: Source) -> Document:
    """Reads a presentation (.odp, .fodp): slides with their notes.

    Raises:
        EncryptedDocument: a password is needed.
        DamagedDocument: it is damaged, or made to unpack to an absurd size.
    """
    parts = _parts(source, "OpenDocument presentation")
    writer = _Writer(Builder(source.output))
    slides = [one for one in _body(parts, "office:presentation", source) if one.tag == PAGE]
    for number, slide in enumerate(slides, start=1):
        writer.builder.begin_page(f"slide {number}")
        shapes = [one for one in slide if one.tag != SLIDE_NOTES]
        title = next((one for one in shapes if one.get(TITLED) == "title" and _text(one).strip()), None)
        if title is not None:
            writer.builder.add_heading(1, _text(title))
        for shape in shapes:
            if shape is not title:
                writer.element(shape, 0)
        notes = " ".join(" ".join(_text(p).split()) for one in slide if one.tag == SLIDE_NOTES for p in one.iter(P))
        if notes.strip():
            writer.builder.add("paragraph", f"Notes: {notes}")
    writer.notes()
    if not writer.builder.build().text:
        _add_masters(writer.builder, parts.styles)
    return writer.builder.build(parts.title or writer.builder.first_heading())


def _add_masters(builder: Builder, styles: Any) -> None:
    """Adds the text of master slides, such as a footer or a motto, which slides do not repeat."""
    masters = [] if styles is None else [one for one in styles.iter() if one.tag == _q("style:master-page")]
    for words in dict.fromkeys(" ".join((p.text or "").split()) for one in masters for p in one.iter(P)):
        builder.add("paragraph", words)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The root elements of a file's parts; in the single-file form all are the same."""

    content: Any
    styles: Any
    title: str


def _parts(source: Source, what: str) -> _Parts:
    if not source.data.startswith(b"PK"):
        root = parse_xml(source.data, source, what)
        return _Parts(root, root, _title(root))
    package = Package(source, what)
    with package.being_read():
        if "META-INF/manifest.xml" in package.names and b"encryption-data" in package.read("META-INF/manifest.xml"):
            raise source.locked()
        styles, meta = _optional(package, "styles.xml"), _optional(package, "meta.xml")
        return _Parts(package.xml("content.xml"), styles, _title(meta) if meta is not None else "")


def _optional(package: Package, name: str) -> Any:
    """Returns an optional part; None if it is missing or damaged."""
    try:
        return package.xml(name) if name in package.names else None
    except DamagedDocument:
        return None


def _title(root: Any) -> str:
    return next(((one.text or "").strip() for one in root.iter(DC_TITLE)), "")


def _body(parts: _Parts, name: str, source: Source) -> Any:
    found = next(parts.content.iter(_q(name)), None)
    if found is None:
        raise DamagedDocument(f"{source} is damaged: it has no text part. Open it in its program and save it again.")
    return found


class _Writer:
    """Adds elements in document order; collects notes until the end."""

    def __init__(self, builder: Builder) -> None:
        self.builder = builder
        self._notes: list[str] = []

    def notes(self) -> None:
        """Adds the collected footnotes."""
        for number, note in enumerate(self._notes, start=1):
            self.builder.add("paragraph", f"Note {number}: {note}")
        self._notes = []

    def children(self, parent: Any, depth: int) -> None:
        for child in parent:
            self.element(child, depth + 1)

    def element(self, element: Any, depth: int) -> None:
        if element.tag in LEFT_OUT or depth > DEEPEST:
            return
        if element.tag == H:
            level = element.get(LEVEL) or "1"
            self.builder.add_heading(min(int(level) if level.isdigit() else 1, DEEPEST_HEADING), _text(element))
        elif element.tag == P:
            self.builder.add("paragraph", "\n".join(line.strip() for line in _text(element).split("\n")))
            self._inside(element, depth)
        elif element.tag == LIST:
            self.builder.add("list", "\n".join(_items(element, 0)))
        elif element.tag == TABLE:
            self._table(element, depth)
        else:
            self.children(element, depth)

    def _inside(self, paragraph: Any, depth: int) -> None:
        """Handles notes and text boxes inside a paragraph, which are not part of its words."""
        for inner in paragraph.iter():
            if inner.tag == NOTE:
                body = inner.find(NOTE_BODY)
                words = " ".join(_text(body).split()) if body is not None else ""
                self._notes.extend([words] if words else [])
            elif inner.tag == _q("draw:text-box"):
                self.children(inner, depth + 1)

    def _table(self, table: Any, depth: int) -> None:
        if sum(1 for _ in _cells(table)) == 1:  # a frame around text, not a table
            for cell in _cells(table):
                self.children(cell, depth + 1)
        else:
            self.builder.add_table([_row(row) for row in _rows(table)])


def _items(items: Any, depth: int) -> Iterator[str]:
    for item in items:
        first = True
        for child in item:
            if child.tag == LIST and depth < DEEPEST:
                yield from _items(child, depth + 1)
            elif text := " ".join(_text(child).split()):
                yield f"{'  ' * depth}{'- ' if first and item.tag == ITEM else '  '}{text}"
                first = False


def _rows(table: Any) -> Iterator[Any]:
    """Yields a table's rows, including those in header and row groups, but not those of nested tables."""
    for child in table:
        if child.tag == ROW:
            yield child
        elif child.tag not in {TABLE, CELL} and isinstance(child.tag, str):
            yield from _rows(child)


def _cells(table: Any) -> Iterator[Any]:
    for row in _rows(table):
        yield from (cell for cell in row if cell.tag == CELL)


def _row(row: Any) -> list[str]:
    texts: list[str] = []
    for cell in row:
        if cell.tag in {CELL, COVERED}:
            repeated = cell.get(REPEATED) or "1"
            n = int(repeated) if repeated.isdigit() else 1
            words = " ".join(" ".join(_text(p).split()) for p in cell.iter() if p.tag in {P, H})
            texts.extend([words] * min(n, MOST_REPEATED))
    return texts


def _text(element: Any) -> str:
    """Returns an element's words without notes, comments, deletions and text boxes."""
    parts: list[str] = []

    def walk(here: Any, depth: int) -> None:
        if here.text:
            parts.append(here.text)
        for child in here:
            if child.tag == SPAN_SPACES:
                count = child.get(DEPTH) or "1"
                parts.append(" " * min(int(count) if count.isdigit() else 1, MOST_REPEATED))
            elif child.tag == TAB:
                parts.append("\t")
            elif child.tag == BREAK:
                parts.append("\n")
            elif child.tag in {P, H} and parts:
                parts.append("\n")
                walk(child, depth + 1)
            elif child.tag not in {NOTE, *LEFT_OUT} and not _is_box(child, element) and depth < DEEPEST:
                walk(child, depth + 1)
            if child.tail:
                parts.append(child.tail)

    walk(element, 0)
    return "".join(parts)


def _is_box(child: Any, element: Any) -> bool:
    """Returns True for a text box in a paragraph, which is read separately."""
    return bool(child.tag == _q("draw:text-box") and element.tag in {P, H})
