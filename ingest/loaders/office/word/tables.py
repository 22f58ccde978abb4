"""Reads Word's tables: merged cells, header rows, and tables inside cells."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

from docx.oxml.ns import qn

from ingest.loaders.office.cells import Table, frame_cells
from ingest.loaders.office.word.text import OFF, blocks
from ingest.loaders.table_grid import Merge

MOST_SPAN = 100
WRAPPERS = frozenset(map(qn, ("w:sdt", "w:sdtContent", "w:ins", "w:customXml", "w:smartTag")))


def frame(table: Any) -> list[Any]:
    """Returns the cells of a table that only arranges the page; [] for a table of data."""
    rows = [list(_parts(row, "w:tc")) for row in _parts(table, "w:tr")]
    return frame_cells(rows, lambda cell: any(block.tag == qn("w:tbl") for block in blocks(cell)))


def read_table(table: Any, text_of: Callable[[Any], str]) -> Table:
    """Returns the cells of a table; `text_of` returns the text of a cell without that of inner tables."""
    read = _Reader(text_of)
    for row in _parts(table, "w:tr"):
        read.row(row)
    read.table.merges.extend(read.open.values())
    read.table.merges = [merge for merge in read.table.merges if merge.rows * merge.columns > 1]
    return read.table


class _Reader:
    """Reads rows from top to bottom; `open` are cells that may continue below, by column."""

    def __init__(self, text_of: Callable[[Any], str]) -> None:
        self.table = Table()
        self.open: dict[int, Merge] = {}
        self._text_of = text_of

    def row(self, row: Any) -> None:
        number = len(self.table.rows)
        properties = row.find(qn("w:trPr"))
        before = _number(properties, "w:gridBefore", 0)
        texts: list[str] = [""] * min(before, MOST_SPAN)
        inner: list[tuple[str, Any]] = []
        name = ""
        open_below: dict[int, Merge] = {}
        for cell in _parts(row, "w:tc"):
            about = cell.find(qn("w:tcPr"))
            columns = min(max(_number(about, "w:gridSpan", 1), 1), MOST_SPAN)
            text = self._text_of(cell)
            merge = self._merge(about, Merge(number, len(texts), 1, columns))
            covered = merge.row < number
            open_below[len(texts)] = merge
            texts.extend(["" if covered else text, *[""] * (columns - 1)])
            name = name or " ".join(text.split())
            inner.extend((name, block) for block in blocks(cell) if block.tag == qn("w:tbl"))
        self.table.merges.extend(merge for column, merge in self.open.items() if column not in open_below)
        self.open = open_below
        self.table.rows.append(texts)
        if number == self.table.headers and _is_on(properties, "w:tblHeader"):
            self.table.headers += 1
        self.table.inner.extend(inner)

    def _merge(self, about: Any, merge: Merge) -> Merge:
        """Returns the merged cell that a cell belongs to: the one above it if it continues that."""
        above = self.open.pop(merge.column, None)
        down = about.find(qn("w:vMerge")) if about is not None else None
        continues = down is not None and down.get(qn("w:val")) != "restart"
        if above is not None and continues and above.columns == merge.columns:
            return replace(above, rows=above.rows + 1)
        self.table.merges.extend([above] if above is not None else [])
        return merge


def _parts(parent: Any, name: str) -> Iterator[Any]:
    """Yields rows of a table or cells of a row, including those in content controls and tracked insertions."""
    for child in parent:
        if child.tag == qn(name):
            yield child
        elif child.tag in WRAPPERS:
            yield from _parts(child, name)


def _number(properties: Any, name: str, default: int) -> int:
    found = properties.find(qn(name)) if properties is not None else None
    value = (found.get(qn("w:val")) or "") if found is not None else ""
    return int(value) if value.isdecimal() else default


def _is_on(properties: Any, name: str) -> bool:
    found = properties.find(qn(name)) if properties is not None else None
    return found is not None and found.get(qn("w:val")) not in OFF
