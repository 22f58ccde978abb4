"""Reads the cells of HTML tables."""

from __future__ import annotations

from collections.abc import Callable

from bs4.element import Tag

# Most columns or rows that one cell may span.
MOST_SPAN = 100


def is_data(table: Tag, text_of: Callable[[Tag], str]) -> bool:
    """Returns True if a table holds data rather than page layout."""
    rows = cells(table, text_of)
    wide = any(sum(bool(cell) for cell in row) > 1 for row in rows)
    return wide and len(rows) > 1 and table.find("table") is None


def cells(table: Tag, text_of: Callable[[Tag], str]) -> list[list[str]]:
    """Returns the cells; one that spans rows is repeated in each, one that spans columns is in the first only."""
    rows: list[list[str]] = []
    held: dict[int, tuple[int, str]] = {}
    for tr in table.find_all("tr"):
        row: list[str] = []
        for cell in tr.find_all(["td", "th"], recursive=False):
            _fill_held(row, held)
            text, down = text_of(cell), _span(cell, "rowspan")
            if down > 1:
                held[len(row)] = (down - 1, text)
            row.extend([text, *[""] * (_span(cell, "colspan") - 1)])
        _fill_held(row, held)
        if any(row):
            rows.append(row)
    return rows


def _fill_held(row: list[str], held: dict[int, tuple[int, str]]) -> None:
    while (found := held.get(len(row))) is not None:
        left, text = found
        if left > 1:
            held[len(row)] = (left - 1, text)
        else:
            del held[len(row)]
        row.append(text)


def _span(cell: Tag, name: str) -> int:
    value = str(cell.get(name) or "1")
    return min(max(int(value), 1), MOST_SPAN) if value.isdigit() and value.isascii() else 1
