"""Finds the heading rows of a table. Pure geometry."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import median

from ingest.loaders.page_layout.geometry import FEWEST_CELLS, gap
from ingest.loaders.page_layout.heading_spans import Columns, is_caption
from ingest.loaders.page_layout.lines import BULLET, IN_BRACKETS, LARGE, NUMBER, NUMBERED, Line, Word

MOST_HEADING_WORDS = 5
MOST_HEADING_LINES = 6
MOST_HEADING_CHARACTERS = 160
MOST_NAMES = 3
# Longer cells, in characters on average, are prose in columns.
MOST_CELL_CHARACTERS = 60
# Rows of a table without rules are at most this many line heights apart.
ROW_GAP = 2.2
# Names of row groups, and rows under them, are indented by at most this many points.
INDENT = 40.0
SIGNS = r"[(+\-\u2013\u2014\u2212]*+"
FIGURE = re.compile(
    rf"^{SIGNS}[$€£¥]?\s?{SIGNS}\d[\d.,'\u2019\s]*[%)*]*$|^[$€£¥]?\s?[\u2013\u2014-]+\s?%?$|^n/?[am]$", re.IGNORECASE
)
YEAR = re.compile(r"(?:19|20)\d\d$|\d{1,2},$")


@dataclass(frozen=True, slots=True)
class Heads:
    """The heading rows above a table, the names of row groups below them, and the index of the first of these rows."""

    rows: list[list[Line]]
    names: list[Sequence[Line]]
    begin: int


def heads_above(rows: Sequence[Sequence[Line]], first: int, lowest: int, columns: Columns) -> Heads:
    """Returns the rows above `first` that fit as headings of its columns, and group names below them.

    Args:
        rows: all rows from top to bottom.
        first: the index of the table's first row.
        lowest: the index of the first row that may be taken.
        columns: the left and right of each column; the first holds the labels.
    """
    found: list[list[Line]] = []
    names: list[Sequence[Line]] = []
    begin = at = first
    largest = LARGE * max(line.size for line in rows[first])
    while at > lowest and is_near(rows[at - 1], rows[at]):
        at -= 1
        if any(line.size > largest for line in rows[at]):
            break
        if len(found) < MOST_HEADING_LINES and (cells := _heads(rows[at], columns, lowest_row=not found)):
            found.insert(0, cells)
            begin = at
        elif not found and len(names) < MOST_NAMES and is_name(rows[at], columns):
            names.insert(0, rows[at])
        else:
            break
    if any(_length(found, column) > MOST_HEADING_CHARACTERS for column in columns):
        return Heads([], [], first)  # lines of prose in a column
    return Heads(found, names if found else [], begin)


def _length(rows: Sequence[Sequence[Line]], column: tuple[float, float]) -> int:
    """Returns the number of characters of headings over a column."""
    return sum(len(line.text) for row in rows for line in row if line.left < column[1] and column[0] < line.right)


def is_near(above: Sequence[Line], below: Sequence[Line]) -> bool:
    """Returns True if two rows may belong to one table."""
    return gap(above, below) <= ROW_GAP * median(line.size for line in below)


def is_name(row: Sequence[Line], columns: Columns) -> bool:
    """Returns True if a row is one line that ends before the second column, such as the name of a group of rows."""
    line = row[0]
    return (
        len(row) == 1
        and not IN_BRACKETS.match(line.text)
        and line.right <= columns[1][0]
        and line.left >= columns[0][0] - INDENT
    )


def is_list(rows: Sequence[Sequence[str]]) -> bool:
    """Returns True if most rows only have a number or a bullet beside text, as lists and headings do."""
    full = [row for row in rows if len(row) >= FEWEST_CELLS]
    return sum(len(row) == FEWEST_CELLS and _is_numbered(*row) for row in full) >= len(full) / 2


def _is_numbered(first: str, second: str) -> bool:
    return bool(BULLET.match(f"{first} x") or NUMBERED.match(first)) and not FIGURE.match(second)


def _heads(row: Sequence[Line], columns: Columns, *, lowest_row: bool) -> list[Line]:
    """Returns a row's lines if they head columns, divided at the columns' edges if need be; [] for other rows."""
    if len(columns) < FEWEST_CELLS or any(len(line.text) > MOST_CELL_CHARACTERS for line in row):
        return []
    if IN_BRACKETS.match(row[0].text) and len(row) == 1 and not lowest_row:
        return []  # the unit of the whole table, above its headings
    if NUMBERED.match(row[0].text) or any(FIGURE.match(line.text) and not YEAR.match(line.text) for line in row):
        return []
    if len(row) < len(columns) - 1 and (cells := _fitted(row, columns)):
        return cells
    edge = min(columns[0][1], columns[1][0])
    over = [line for line in row if line.left >= edge and line.right > columns[1][0]]
    stub = row[:1] if len(row) > 1 and row[0].right <= columns[1][0] else []
    if len(over) + len(stub) < len(row) or _values(over) or (len(row) == 1 and is_caption(row[0], columns)):
        return []
    return list(row)


def _values(row: Iterable[Line]) -> bool:
    """Returns True if more than half of the words are values, not years or names."""
    words = [word.text for line in row for word in line.words]
    return sum(bool(NUMBER.match(word) and not YEAR.match(word)) for word in words) > len(words) / 2


def _fitted(row: Sequence[Line], columns: Columns) -> list[Line]:
    """Assigns a row's words to the columns below them; [] if they fit badly, as in a sentence."""
    edges = [(left[1] + right[0]) / 2 for left, right in pairwise(columns)]
    cells: dict[int, list[Word]] = {}
    for word in (word for line in row for word in line.words):
        column = bisect_right(edges, (word.left + word.right) / 2)
        if any(word.left < edge < word.right for edge in edges):
            return []
        cells.setdefault(column, []).append(word)
    named = len(cells) == len(columns) or (len(cells) == len(columns) - 1 and 0 not in cells)
    if not named or max(map(len, cells.values())) > MOST_HEADING_WORDS:
        return []
    line = row[0]
    fitted = [
        Line(_text(cell), cell[0].left, cell[-1].right, line.bottom, line.top, line.size, tuple(cell))
        for _, cell in sorted(cells.items())
    ]
    return [] if _values(fitted) else fitted


def _text(words: Iterable[Word]) -> str:
    return " ".join(word.text for word in words)
