"""Reads the tables of OpenDocument texts and presentations."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from ingest.loaders.office.odf.words import MOST_REPEATED, TABLE, number_of, q
from ingest.loaders.table_grid import Merge

ROW, CELL, COVERED, HEADERS = map(
    q, ("table:table-row", "table:table-cell", "table:covered-table-cell", "table:table-header-rows")
)
REPEATED = q("table:number-columns-repeated")
DOWN, RIGHT = q("table:number-rows-spanned"), q("table:number-columns-spanned")


@dataclass(slots=True)
class Table:
    """A table's cells.

    Attributes:
        rows: the texts of the cells, empty where a merged cell covers them.
        merges: the merged cells.
        headers: number of rows marked as header.
        inner: the tables inside its cells, each with the first text of its row up to there.
    """

    rows: list[list[str]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    headers: int = 0
    inner: list[tuple[str, Any]] = field(default_factory=list)


def frame(table: Any) -> list[Any]:
    """Returns the cells of a table that only arranges the page, in reading order; [] for a table of data.

    This is a table of a single cell, and one of a single row or column with tables inside.
    """
    rows = [[cell for cell in row if cell.tag == CELL] for row, _ in _rows(table)]
    cells = [cell for row in rows for cell in row]
    in_line = len(rows) == 1 or all(len(row) == 1 for row in rows)
    nested = any(one.tag == TABLE for cell in cells for one in cell.iter())
    return cells if len(cells) == 1 or (in_line and nested) else []


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
