"""Reads the cells of HTML tables."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field

from bs4.element import Tag

from ingest.loaders.table_grid import Merge

# Most columns or rows that one cell may span.
MOST_SPAN = 100


@dataclass(slots=True)
class HtmlTable:
    """A table's cells.

    Attributes:
        rows: the texts of the cells, empty where a merged cell covers them.
        merges: the merged cells.
        headers: number of first rows that are marked as header.
        inner: the tables inside its cells, each with the first text of its row up to there.
    """

    rows: list[list[str]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    headers: int = 0
    inner: list[tuple[str, Tag]] = field(default_factory=list)

    @property
    def is_data(self) -> bool:
        """True if the table holds data rather than page layout.

        Of tables with others inside, only those with header cells do.
        """
        wide = any(sum(bool(cell) for cell in row) > 1 for row in self.rows)
        return wide and sum(map(any, self.rows)) > 1 and (not self.inner or self.headers > 0)


def read_table(table: Tag, text_of: Callable[[Tag], str]) -> HtmlTable:
    """Returns the cells of a table; `text_of` returns the text of a cell without that of inner tables."""
    read = HtmlTable()
    held: dict[int, int] = {}
    is_head = True
    for tr in table.find_all("tr"):
        if tr.find_parent("table") is not table:
            continue
        row: list[str] = []
        name = ""
        cells = tr.find_all(["td", "th"], recursive=False)
        for cell in cells:
            row.extend(_held(held, len(row)))
            text, down, right = text_of(cell), _span(cell, "rowspan"), _span(cell, "colspan")
            if down * right > 1:
                read.merges.append(Merge(len(read.rows), len(row), down, right))
            if down > 1:
                held.update(dict.fromkeys(range(len(row), len(row) + right), down))
            row.extend([text, *[""] * (right - 1)])
            name = name or text
            read.inner.extend((name, one) for one in _outermost_tables(cell))
        row.extend(_held(held, len(row)))
        held = {column: left - 1 for column, left in held.items() if left > 1}
        in_head = tr.parent is not None and tr.parent.name == "thead"
        in_full = bool(row) and (not read.rows or len(row) >= len(read.rows[0]))
        is_head = is_head and (in_head or (in_full and all(cell.name == "th" for cell in cells)))
        read.rows.append(row)
        read.headers += is_head
    return read


def _held(held: dict[int, int], column: int) -> Iterator[str]:
    """Yields an empty cell for each that is covered from above, from a column on."""
    while column in held:
        yield ""
        column += 1


def _outermost_tables(cell: Tag) -> Iterator[Tag]:
    return (table for table in cell.find_all("table") if table.find_parent(["td", "th"]) is cell)


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name) or "1")
    return min(max(int(value), 1), MOST_SPAN) if value.isdigit() and value.isascii() else 1
