"""Reads binary Word documents (.doc) according to Microsoft's specification [MS-DOC].

The text is stored in pieces; the styles of its paragraphs, which identify headings and tables, on separate pages.
"""

from __future__ import annotations

import re
import struct
from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.errors import DamagedDocument
from ingest.loaders.document_builder import Builder
from ingest.loaders.office.ole_file import Compound
from ingest.loaders.output_limits import Output
from ingest.loaders.source import Source
from ingest.models import Document

WORD_97 = 0x00C1
ENCRYPTED, SECOND_TABLE = 0x0100, 0x0200
AT_FLAGS, AT_LENGTHS, AT_PARAGRAPHS, AT_PIECES = 0x0A, 0x4C, 0x0102, 0x01A2
PAGE = 512
IN_TABLE, ENDS_ROW, LIST_ID = 0x2416, 0x2417, 0x460B
DEEPEST_HEADING = 6
# Control characters and their replacements.
SPECIAL = {
    "\x0b": "\n",
    "\x0c": "\n",
    "\x0e": "\n",
    "\x1e": "-",
    "\x1f": "",
    "\xa0": " ",
    **dict.fromkeys("\x01\x02\x03\x04\x05\x08", ""),
}
# A field: its instruction is removed, its result is kept.
FIELD = re.compile(r"\x13[^\x13\x14\x15]*(?:\x14([^\x13\x14\x15]*))?\x15")


@dataclass(frozen=True, slots=True)
class _Style:
    """Properties of a paragraph: `number` is that of its style, 1 to 9 for headings."""

    number: int = 0
    in_table: bool = False
    ends_row: bool = False
    in_list: bool = False


@dataclass(frozen=True, slots=True)
class _Piece:
    """A run of the text: the position and width of its characters in the file."""

    start: int
    end: int
    offset: int
    width: int


def load_doc(source: Source) -> Document:
    """Reads a document of Word 97 to 2003.

    Raises:
        EncryptedDocument: a password is needed.
        DamagedDocument: it is damaged, or older than Word 97.
    """
    compound = Compound(source, "Word document")
    body = compound.stream("WordDocument")
    with compound.being_read():
        (version,) = struct.unpack_from("<H", body, 2)
        (flags,) = struct.unpack_from("<H", body, AT_FLAGS)
        if flags & ENCRYPTED:
            raise source.locked()
        if version < WORD_97:
            raise DamagedDocument(f"{source} was written by Word 95 or older: not supported. Save it as .docx.")
        table = compound.stream("1Table" if flags & SECOND_TABLE else "0Table")
        return _Reader(body, table, source.output).read(compound.title)


class _Reader:
    def __init__(self, body: bytes, table: bytes, output: Output) -> None:
        self._body = body
        self._pieces = list(_pieces(body, table))
        self._starts, self._styles = _paragraph_styles(body, table)
        self._builder = Builder(output)
        self._cells: list[str] = []
        self._cell: list[str] = []
        self._rows: list[list[str]] = []
        self._items: list[str] = []

    def read(self, title: str) -> Document:
        """Reads the main text, then its notes."""
        main, notes = struct.unpack_from("<2I", self._body, AT_LENGTHS)
        position = 0
        for text, end, style in self._paragraphs():
            position += len(text) + 1
            if position > main + notes:  # headers, comments and text boxes of the margins
                break
            self._add(_clean(text), end, style)
        self._end_list()
        self._end_table()
        return self._builder.build(title or self._builder.first_heading())

    def _paragraphs(self) -> Iterator[tuple[str, str, _Style]]:
        """Yields each paragraph's text, its end mark and its style."""
        gathered: list[str] = []
        for piece in self._pieces:
            raw = self._body[piece.offset : piece.offset + (piece.end - piece.start) * piece.width]
            text = raw.decode("utf-16-le" if piece.width == 2 else "cp1252", "replace")  # noqa: PLR2004 - bytes
            at = 0
            for mark in re.finditer(r"[\r\x07]", text):
                gathered.append(text[at : mark.start()])
                yield "".join(gathered), mark.group(), self._style(piece.offset + mark.start() * piece.width)
                gathered, at = [], mark.end()
            gathered.append(text[at:])
        if "".join(gathered).strip():
            yield "".join(gathered), "\r", _Style()

    def _style(self, offset: int) -> _Style:
        at = bisect_right(self._starts, offset) - 1
        return self._styles[at] if at >= 0 else _Style()

    def _add(self, text: str, end: str, style: _Style) -> None:
        if style.in_table or end == "\x07":
            self._end_list()
            self._add_cell(text, end, style)
            return
        self._end_table()
        if style.in_list and text.strip() and not 1 <= style.number <= 9:  # noqa: PLR2004 - the headings' styles
            self._items.append(f"- {' '.join(text.split())}")
            return
        self._end_list()
        if 1 <= style.number <= 9:  # noqa: PLR2004 - the headings' styles
            self._builder.add_heading(min(style.number, DEEPEST_HEADING), text)
        else:
            self._builder.add("paragraph", text)

    def _add_cell(self, text: str, end: str, style: _Style) -> None:
        self._cell.append(text)
        if end != "\x07":
            return
        if style.ends_row or (not style.in_table and not text):
            self._rows.append(self._cells)
            self._cells = []
        else:
            self._cells.append(" ".join(self._cell))
        self._cell = []

    def _end_list(self) -> None:
        self._builder.add("list", "\n".join(self._items))
        self._items = []

    def _end_table(self) -> None:
        rows = [*self._rows, self._cells] if self._cells else self._rows
        self._builder.add_table(rows)
        self._rows, self._cells, self._cell = [], [], []


def _pieces(body: bytes, table: bytes) -> Iterator[_Piece]:
    """Yields the pieces of the text in reading order."""
    at, size = struct.unpack_from("<2I", body, AT_PIECES)
    end = at + size
    while at < end and table[at] == 1:  # properties shared by pieces
        at += 3 + struct.unpack_from("<H", table, at + 1)[0]
    if at >= end or table[at] != 2:  # noqa: PLR2004 - the marker of the piece table
        raise ValueError("its text was not found")
    (length,) = struct.unpack_from("<I", table, at + 1)
    n = (length - 4) // 12
    positions = struct.unpack_from(f"<{n + 1}I", table, at + 5)
    for i in range(n):
        (place,) = struct.unpack_from("<I", table, at + 5 + 4 * (n + 1) + 8 * i + 2)
        compressed = place & 0x40000000
        offset = (place & 0x3FFFFFFF) // 2 if compressed else place & 0x3FFFFFFF
        yield _Piece(positions[i], max(positions[i], positions[i + 1]), offset, 1 if compressed else 2)


def _paragraph_styles(body: bytes, table: bytes) -> tuple[list[int], list[_Style]]:
    """Returns the start of each paragraph in the file, in order, and its style; skips damaged entries."""
    found: dict[int, _Style] = {}
    try:
        at, size = struct.unpack_from("<2I", body, AT_PARAGRAPHS)
        n = (size - 4) // 8
        pages = struct.unpack_from(f"<{n}I", table, at + 4 * (n + 1)) if n > 0 else ()
        for page in pages:
            found.update(_page_styles(body[page * PAGE : (page + 1) * PAGE]))
    except (struct.error, IndexError):
        pass
    starts = sorted(found)
    return starts, [found[start] for start in starts]


def _page_styles(page: bytes) -> Iterator[tuple[int, _Style]]:
    n = page[PAGE - 1]
    starts = struct.unpack_from(f"<{n + 1}I", page)
    for i in range(n):
        at = page[4 * (n + 1) + 13 * i] * 2
        if at:
            size = page[at] * 2 - 1 if page[at] else page[at + 1] * 2
            first = at + 1 if page[at] else at + 2
            yield starts[i], _style(page[first : first + size])
        else:
            yield starts[i], _Style()


def _style(properties: bytes) -> _Style:
    """Returns a style's number and its relevant properties."""
    if len(properties) < 2:  # noqa: PLR2004 - the number
        return _Style()
    (number,) = struct.unpack_from("<H", properties)
    values = dict(_properties(properties, 2))
    return _Style(number, bool(values.get(IN_TABLE)), bool(values.get(ENDS_ROW)), bool(values.get(LIST_ID)))


def _properties(data: bytes, at: int) -> Iterator[tuple[int, int]]:
    sizes: Sequence[int] = (1, 1, 2, 4, 2, 2, 0, 3)
    while at + 2 < len(data):
        (code,) = struct.unpack_from("<H", data, at)
        size = sizes[code >> 13]
        at += 2
        if not size:
            size = data[at] + 1
        yield code, int.from_bytes(data[at : at + min(size, 2)], "little")
        at += size


def _clean(text: str) -> str:
    before = ""
    while before != text:
        before, text = text, FIELD.sub(lambda field: field.group(1) or "", text)
    return "".join(SPECIAL.get(c, c) for c in text if c not in "\x13\x14\x15")
