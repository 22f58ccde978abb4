"""Finds tables of figures without rules: rows of a label and aligned figures, as in statements. Pure geometry."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from statistics import median

from ingest.loaders.page_layout.geometry import FEWEST_CELLS, FEWEST_LINES, NEAR, Rule, Table, column_of, plain, spans
from ingest.loaders.page_layout.heading_spans import Columns, spread
from ingest.loaders.page_layout.lines import SMALL_WORD, Line
from ingest.loaders.page_layout.table_heads import (
    FIGURE,
    MOST_NAMES,
    YEAR,
    Heads,
    heads_above,
    is_list,
    is_name,
    is_near,
)

# Text between figures, such as "Level 2", is at most this long, in characters.
MOST_TEXT = 24
# Lines of one label are closer to each other than rows, by this factor.
TIGHT = 0.85

Rows = Sequence[Sequence[Line]]


def figure_tables(rows: Rows, rules: Sequence[Rule]) -> Iterator[tuple[int, int, Table]]:
    """Yields the first row of each table of figures, the row after its last, and the table.

    Args:
        rows: all rows from top to bottom, signs joined with their figures.
        rules: the rules drawn on the page.
    """
    at = lowest = 0
    while at < len(rows):
        first, last = at, _end(rows, at)
        while first < last and _are_years(rows[first]):
            first += 1
        body = rows[first:last]
        data = [row for row in body if _is_data(row)]
        at = max(last, at + 1)
        columns = _columns(data)
        if len(data) < FEWEST_CELLS or len(columns) < FEWEST_CELLS:
            continue
        heads = heads_above(rows, first, lowest, columns)
        if (
            _is_part(rows, heads.begin, last, lowest)
            or len(data) + len(heads.rows) < FEWEST_LINES
            or is_list([[line.text for line in row] for row in data])
        ):
            continue
        yield heads.begin, last, _table(heads, body, columns, rules)
        lowest = last


def _is_part(rows: Rows, begin: int, last: int, lowest: int) -> bool:
    """Returns True if other rows with figures are next to a table: it is a part of one that has more text."""
    pairs = [(begin - 1, begin - 1, begin), (last, last - 1, last)]
    return any(
        lowest <= at < len(rows)
        and is_near(rows[above], rows[below])
        and any(FIGURE.match(line.text) for line in rows[at][1:])
        for at, above, below in pairs
    )


def _end(rows: Rows, first: int) -> int:
    """Returns the index after the last row of the table that begins at `first`; `first` if none begins there."""
    if not _is_data(rows[first]):
        return first
    last = at = first + 1
    columns = _columns(rows[first:last])
    while at < len(rows) and at - last <= MOST_NAMES and is_near(rows[at - 1], rows[at]):
        if _is_data(rows[at]) and _fits(rows[at], columns):
            last = at + 1
            columns = _columns([row for row in rows[first:last] if len(row) >= FEWEST_CELLS])
        elif not is_name(rows[at], columns):
            break
        at += 1
    while last < len(rows) and _continues(rows, last, columns):
        last += 1
    return last


def _is_data(row: Sequence[Line]) -> bool:
    """Returns True if a row has a label, and beside it figures or short text, more figures than text."""
    cells = row[1:]
    figures = sum(bool(FIGURE.match(line.text)) for line in cells)
    return figures > 0 and figures >= len(cells) / 2 and all(len(line.text) <= MOST_TEXT for line in cells)


def _are_years(row: Sequence[Line]) -> bool:
    return len(row) >= FEWEST_CELLS and all(YEAR.match(line.text) for line in row[1:])


def _fits(row: Sequence[Line], columns: Columns) -> bool:
    """Returns True if each cell of a row is in one column, or between two."""
    return all(sum(left < line.right and line.left < right for left, right in columns) <= 1 for line in row)


def _continues(rows: Rows, at: int, columns: Columns) -> bool:
    """Returns True if the label of the row above `at` goes on in that row."""
    row, above = rows[at], rows[at - 1]
    return (
        is_name(row, columns)
        and SMALL_WORD.match(row[0].text) is not None
        and above[0].bottom - row[0].top < row[0].size / 2
    )


def _columns(data: Rows) -> list[tuple[float, float]]:
    """Returns the left and right of the column of labels, and of each column of figures."""
    if not data:
        return []
    edge = median(row[1].left for row in data)
    values = [line for row in data for line in row[(row[0].left < edge - NEAR) :]]
    labels = [row[0] for row in data if row[0].left < edge - NEAR]
    if not labels:
        return []
    columns = spans((line.left, line.right) for line in values)
    return [(min(line.left for line in labels), min(max(line.right for line in labels), columns[0][0])), *columns]


def _table(heads: Heads, body: Rows, columns: Columns, rules: Sequence[Rule]) -> Table:
    cells = _body([*heads.names, *body], columns)
    if heads.rows:
        cells = [spread(heads.rows, columns, rules), *cells]
    lines = [line for row in cells for cell in row for line in cell]
    return Table(
        tuple(tuple(_shown(plain(line.text for line in cell)) for cell in row) for row in cells),
        tuple(word for line in lines for word in line.words),
        min(line.left for line in lines),
        max(line.right for line in lines),
        min(line.bottom for line in lines),
        max(line.top for line in lines),
    )


def _body(rows: Rows, columns: Columns) -> list[list[list[Line]]]:
    """Returns the cells of each row; a label of several lines is one cell."""
    pitches = [one[0].top - other[0].top for one, other in pairwise(rows)]
    usual = median(pitches) if pitches else 0.0
    cells: list[list[list[Line]]] = []
    open_label = False
    for i, row in enumerate(rows):
        placed: list[list[Line]] = [[] for _ in columns]
        for line in row:
            placed[column_of(columns, line)].append(line)
        tight = i > 0 and pitches[i - 1] < TIGHT * usual
        lower = placed[0] and SMALL_WORD.match(placed[0][0].text) and i > 0 and pitches[i - 1] <= usual
        goes_on = placed[0] and (lower or (tight and open_label))
        if cells and ((goes_on and (open_label or len(row) == 1)) or (not placed[0] and open_label and tight)):
            for cell, more in zip(cells[-1], placed, strict=True):
                cell.extend(more)
        else:
            cells.append(placed)
        open_label = not any(cells[-1][1:])
    return cells


def _shown(text: str) -> str:
    """Writes a figure in one form: without spaces between it and its signs."""
    return re.sub(r"\s+", "", text) if FIGURE.match(text) and not re.search(r"\d\s+\d", text) else text
