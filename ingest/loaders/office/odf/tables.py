"""Reads the tables of OpenDocument texts and presentations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

from ingest.loaders.office.cells import Table, frame_cells
from ingest.loaders.office.odf.words import MOST_REPEATED, TABLE, number_of, q
from ingest.loaders.table_grid import Merge

ROW, CELL, COVERED, HEADERS = map(
    q, ("table:table-row", "table:table-cell", "table:covered-table-cell", "table:table-header-rows")
)
REPEATED = q("table:number-columns-repeated")
DOWN, RIGHT = q("table:number-rows-spanned"), q("table:number-columns-spanned")


def frame(table: Any) -> list[Any]:
    """Returns the cells of a table that only arranges the page; [] for a table of data."""
    rows = [[cell for cell in row if cell.tag == CELL] for row, _ in _rows(table)]
    return frame_cells(rows, lambda cell: any(one.tag == TABLE for one in cell.iter()))


def read_table(table: Any, text_of: Callable[[Any], str]) -> Table:
    """Returns the cells of a table; `text_of` returns the text of a cell without that of inner tables."""
    read = Table()
    for row, is_header in _rows(table):
        texts: list[str] = []
        name = ""
        for cell in (one for one in row if one.tag in {CELL, COVERED}):
            count = min(number_of(cell, REPEATED), MOST_REPEATED)
            text = text_of(cell) if cell.tag == CELL else ""
            down, right = number_of(cell, DOWN), number_of(cell, RIGHT)
            if down * right > 1:
                read.merges.append(Merge(len(read.rows), len(texts), down, right))
            texts.extend([text] * count)
            name = name or text
            read.inner.extend((name, one) for one in _tables(cell))
        read.headers += is_header and read.headers == len(read.rows)
        read.rows.append(texts)
    return read


def _rows(table: Any, is_header: bool = False) -> Iterator[tuple[Any, bool]]:
    """Yields rows, including those in header and row groups, but not those of inner tables; True for header rows."""
    for child in table:
        if child.tag == ROW:
            yield child, is_header
        elif child.tag not in {TABLE, CELL} and isinstance(child.tag, str):
            yield from _rows(child, is_header or child.tag == HEADERS)


def _tables(element: Any) -> Iterator[Any]:
    """Yields the outermost tables inside an element."""
    for child in element:
        if child.tag == TABLE:
            yield child
        else:
            yield from _tables(child)
