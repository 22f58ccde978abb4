"""Finds the heading rows of a table, and assigns them to the columns that they span. Pure geometry."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import combinations_with_replacement, pairwise
from statistics import median

from ingest.loaders.page_layout.geometry import FEWEST_CELLS, column_of, gap
from ingest.loaders.page_layout.lines import NUMBER, Line, Word

MOST_HEADING_WORDS = 5
MOST_HEADING_LINES = 6
MOST_NAMES = 3
# Longer cells, in characters on average, are prose in columns.
MOST_CELL_CHARACTERS = 60
# Rows of a table without rules are at most this many line heights apart.
ROW_GAP = 2.2
# Names of row groups, and rows under them, are indented by at most this many points.
INDENT = 40.0
YEAR = re.compile(r"(?:19|20)\d\d$|\d{1,2},$")
IN_BRACKETS = re.compile(r"^\(.*\)$")

Columns = Sequence[tuple[float, float]]


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
    while at > lowest and is_near(rows[at - 1], rows[at]):
        at -= 1
        if len(found) < MOST_HEADING_LINES and (cells := _heads(rows[at], columns, lowest_row=not found)):
            found.insert(0, cells)
            begin = at
        elif not found and len(names) < MOST_NAMES and is_name(rows[at], columns):
            names.insert(0, rows[at])
        else:
            break
    return Heads(found, names if found else [], begin)


def spread(rows: Sequence[Sequence[Line]], columns: Columns) -> list[list[Line]]:
    """Merges heading rows into one; a line centred over several columns is repeated for each."""
    cells: list[list[Line]] = [[] for _ in columns]
    extents = list(columns)
    for row in reversed(rows):
        blocks = zip(row, _blocks(row, extents), strict=True)
        for line, (i, j) in sorted(blocks, key=lambda one: one[0].top):
            for column in range(i, j + 1):
                cells[column].insert(0, line)
            if i == j:
                extents[i] = min(extents[i][0], line.left), max(extents[i][1], line.right)
    return cells


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


def _blocks(row: Sequence[Line], extents: Columns) -> list[tuple[int, int]]:
    """Returns the first and last column below each heading of a row."""
    in_order = range(len(extents) - len(row), len(extents))
    if (
        len(in_order) == len(row)
        and in_order.start in {0, 1}
        and [column_of(extents, one) for one in row] == [*in_order]
    ):
        return [(i, i) for i in in_order]
    return [_block(one, [other for other in row if not _overlap(one, other)], extents) for one in row]


def _overlap(line: Line, other: Line) -> bool:
    return line.left < other.right and other.left < line.right


def _block(line: Line, others: Sequence[Line], extents: Columns) -> tuple[int, int]:
    """Returns the columns whose common centre is the nearest to a heading's, without those of other headings."""
    best = column_of(extents, line)
    if best == 0:
        return 0, 0
    middle = (line.left + line.right) / 2
    blocks = [(i, j) for i in range(1, best + 1) for j in range(best, len(extents))]
    free = [one for one in blocks if not any(_meets(other, one, extents) for other in others)]
    return min(free or [(best, best)], key=lambda one: abs(middle - _middle(one, extents)))


def _middle(block: tuple[int, int], extents: Columns) -> float:
    return (extents[block[0]][0] + extents[block[1]][1]) / 2


def _meets(line: Line, block: tuple[int, int], extents: Columns) -> bool:
    return block[0] != block[1] and extents[block[0]][0] < (line.left + line.right) / 2 < extents[block[1]][1]


def _heads(row: Sequence[Line], columns: Columns, *, lowest_row: bool) -> list[Line]:
    """Returns a row's lines if they head columns, divided at the columns' edges if need be; [] for other rows."""
    if len(columns) < FEWEST_CELLS or any(len(line.text) > MOST_CELL_CHARACTERS for line in row):
        return []
    if IN_BRACKETS.match(row[0].text) and len(row) == 1 and not lowest_row:
        return []  # the unit of the whole table, above its headings
    if cells := _fitted(row, columns):
        return cells
    edge = min(columns[0][1], columns[1][0])
    over = [line for line in row if line.left >= edge and line.right > columns[1][0]]
    stub = row[:1] if len(row) > 1 and row[0].right <= columns[1][0] else []
    if len(over) + len(stub) < len(row) or _values(over) or (len(row) == 1 and _is_caption(row[0], columns)):
        return []
    return list(row)


def _values(row: Iterable[Line]) -> bool:
    """Returns True if more than half of the words are values, not years or names."""
    words = [word.text for line in row for word in line.words]
    return sum(bool(NUMBER.match(word) and not YEAR.match(word)) for word in words) > len(words) / 2


def _is_caption(line: Line, columns: Columns) -> bool:
    """Returns True if a line is centred over the whole table rather than over its columns of values."""
    middle, right = (line.left + line.right) / 2, columns[-1][1]
    blocks = combinations_with_replacement(range(1, len(columns)), 2)
    of_values = min(abs(middle - _middle(block, columns)) for block in blocks)
    return abs(middle - (columns[0][0] + right) / 2) < of_values


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
