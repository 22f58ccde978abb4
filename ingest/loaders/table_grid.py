"""Gives tables one header row that names each column in full, and fills the cells that a merged cell covers.

A table of Markdown has a single header row and no merged cells. Real tables have titles over their whole width, headers
of several rows ("Gas" over "2023 MWh" and "2024 MWh"), and cells that hold for several rows or columns.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from ingest.loaders.document_builder import Builder
from ingest.loaders.output_limits import size_of_table

# Start and end of columns, and the name over them.
_Group = tuple[int, int, str]
# Rows that a header may have; more are not one.
MOST_HEADER_ROWS = 5
# Fraction of numbers in the body of a column of numbers.
MOSTLY = 0.5
PERIOD = re.compile(r"(?:FY\s?|')?(?:19|20)\d\d(?:\s?[-/\u2013]\s?\d{2,4})?[AEFB]?|\d\d?\.\d\d?\.(?:19|20)\d\d")
NUMBER = re.compile(r"[-+(\u2212]?\s?[^\w\s(]{0,3}\s?\d[\d.,\s'\u2019]*\s?(?:[%\u2030)]|[^\w\s]{1,3}|[A-Z]{3})?\)?")


@dataclass(frozen=True, slots=True)
class Merge:
    """A merged cell: the position of its first cell, and how many rows and columns it covers."""

    row: int
    column: int
    rows: int
    columns: int


@dataclass(slots=True)
class _Grid:
    """Cells of equal width; `owner` maps covered cells to their merged cell. Merged texts are in all their cells."""

    rows: list[list[str]]
    owner: dict[tuple[int, int], Merge] = field(default_factory=dict)

    @property
    def width(self) -> int:
        return len(self.rows[0]) if self.rows else 0

    def run(self, row: int, column: int) -> int:
        """Returns the end of the cells of a row that belong to the same merged cell as `column`."""
        merge = self.owner.get((row, column))
        end = column + 1
        while merge is not None and end < self.width and self.owner.get((row, end)) is merge:
            end += 1
        return end

    def drop_first(self, count: int) -> list[list[str]]:
        """Removes the first rows; returns them."""
        dropped, self.rows = self.rows[:count], self.rows[count:]
        if count:
            self.owner = {(row - count, column): one for (row, column), one in self.owner.items() if row >= count}
        return dropped


def add_grid(builder: Builder, rows: Sequence[Sequence[str]], merges: Iterable[Merge] = (), headers: int = 0) -> None:
    """Adds a table, and before it as paragraphs its titles: first rows of a single cell over the whole width.

    Args:
        builder: takes the table. Raises OversizedDocument as its methods do.
        rows: the texts of the cells, empty where a merged cell covers them.
        merges: the merged cells.
        headers: number of first rows that the file declares as header; 0 if it does not say.
    """
    builder.output.check(size_of_table(rows))  # before rows are padded
    titles, shaped = shape(rows, merges, headers)
    for title in titles:
        builder.add("paragraph", " ".join(title.split()))
    builder.add_table(shaped)


def shape(
    rows: Sequence[Sequence[str]], merges: Iterable[Merge] = (), headers: int = 0
) -> tuple[list[str], list[list[str]]]:
    """Returns the titles of a table, and its rows under one header row. Arguments as in `add_grid`."""
    grid = _filled(rows, merges)
    if not grid.rows:
        return [], []
    over_all = 0
    while over_all + 1 < len(grid.rows) and grid.width > 1 and grid.run(over_all, 0) == grid.width:
        over_all += 1
    titles = [row[0] for row in grid.drop_first(over_all)]
    if _is_line_of_all(grid):
        titles.append(", ".join(cell for cell in grid.drop_first(1)[0] if cell.strip()))
    headers -= len(titles)
    declared = headers if headers <= MOST_HEADER_ROWS and headers < len(grid.rows) else 0
    depth = max(declared, _header_depth(grid))
    header = [_joined([row[i] for row in grid.rows[:depth]]) for i in range(grid.width)]
    if depth == 1:
        header = _first_of_merged(grid, 0, [])
    body = [_first_of_merged(grid, i, header) for i in range(depth, len(grid.rows))]
    return titles, [header, *body]


def _is_line_of_all(grid: _Grid) -> bool:
    """Returns True if the first row says at its ends what holds for all columns: the unit, and the period at the right.

    The names of the columns are in the row below.
    """
    if len(grid.rows) < 3 or grid.width < 3 or grid.run(0, 0) > 1:  # noqa: PLR2004 - a corner and two columns
        return False
    first, second = grid.rows[:2]
    is_at_end = bool(first[-1].strip()) and (0, grid.width - 1) not in grid.owner and not any(first[1:-1])
    is_named = not second[0].strip() and all(cell.strip() and not is_value(cell) for cell in second[1:])
    return is_at_end and is_named and _are_numbers(grid, 2, set(range(1, grid.width)))


def _filled(rows: Sequence[Sequence[str]], merges: Iterable[Merge]) -> _Grid:
    """Returns the cells with each merged text in all cells that it covers, without empty rows and columns."""
    kept = [i for i, row in enumerate(rows) if any(cell.strip() for cell in row)]
    used = sorted({i for row in rows for i, cell in enumerate(row) if cell.strip()})
    texts = [[rows[i][j] if j < len(rows[i]) else "" for j in used] for i in kept]
    owner: dict[tuple[int, int], Merge] = {}
    for merge in merges:
        top, bottom = bisect_left(kept, merge.row), bisect_left(kept, merge.row + merge.rows)
        left, right = bisect_left(used, merge.column), bisect_left(used, merge.column + merge.columns)
        if not _is_filled(rows, merge) or (top, left) in owner:
            continue
        for row in range(top, bottom):
            for column in range(left, right):
                if (row, column) in owner:  # damaged: merged cells overlap
                    break
                texts[row][column] = texts[top][left]
                owner[row, column] = merge
    return _Grid(texts, owner)


def _is_filled(rows: Sequence[Sequence[str]], merge: Merge) -> bool:
    """Returns True if a merged cell has text, in its first cell."""
    row = rows[merge.row] if merge.row < len(rows) else ()
    return merge.column < len(row) and bool(row[merge.column].strip())


def _joined(names: Sequence[str]) -> str:
    """Returns the full name of a column from the header cells above each other."""
    parts: list[str] = []
    for name in (" ".join(name.split()) for name in names):
        if parts and name.casefold().startswith(f"{parts[-1]} ".casefold()):
            parts.pop()
        if name and (not parts or parts[-1] != name):
            parts.append(name)
    return " ".join(parts)


def _first_of_merged(grid: _Grid, row: int, header: Sequence[str]) -> list[str]:
    """Returns a row with the text of a cell merged over columns in its first one.

    The text is in all of them if each has a name of its own and the first column, which names the row, is not among
    them.
    """
    cells = list(grid.rows[row])
    column = 0
    while column < grid.width:
        end = grid.run(row, column)
        names = header[column:end]
        if column == 0 or not all(names) or len(set(names)) < end - column:
            cells[column + 1 : end] = [""] * (end - column - 1)
        column = end
    return cells


def _header_depth(grid: _Grid) -> int:
    """Returns the number of header rows: more than one if cells of one row group the names in the next."""
    depth = 1
    while depth + 1 < len(grid.rows) and depth < MOST_HEADER_ROWS and _heads(grid, depth):
        depth += 1
    return depth


def _heads(grid: _Grid, row: int) -> bool:
    """Returns True if the row continues the header above it; fills the names of groups there that are not merged."""
    above, below = grid.rows[row - 1], grid.rows[row]
    if any(map(is_value, below)):
        return False
    groups = _groups(grid, row - 1)
    if not groups:
        groups = _repeating(above, below)
        certain = bool(groups)
        groups = groups or _open_groups(above, below)
    else:
        certain = _is_repeated(below, groups)
    grouped = {column for start, end, _ in groups for column in range(start, end)}
    if not groups or not all(below[i].strip() for i in grouped):
        return False
    if any(grid.run(row, start) >= end for start, end, _ in groups):  # a merged cell of the same width: a section
        return False
    is_merged = grid.run(row - 1, groups[0][0]) > groups[0][0] + 1
    evidence = [_are_numbers(grid, row + 1, grouped), _named_once(grid, row, grouped, is_merged)]
    if not certain and not (any(evidence) if is_merged else all(evidence)):
        return False
    for start, end, name in groups:
        above[start:end] = [name] * (end - start)
    return True


def _groups(grid: _Grid, row: int) -> list[_Group]:
    """Returns the merged cells of a row that cover several columns."""
    found, column = [], 0
    while column < grid.width:
        end = grid.run(row, column)
        if end - column > 1 and grid.rows[row][column].strip():
            found.append((column, end, grid.rows[row][column]))
        column = end
    return found


def _open_groups(above: Sequence[str], below: Sequence[str]) -> list[_Group]:
    """Returns the columns from a name to the next, where empty cells follow the name."""
    names = [i for i, cell in enumerate(above) if cell.strip() and below[i].strip()]
    groups = []
    for start in names:
        end = start + 1
        while end < len(above) and below[end].strip() and not above[end].strip():
            end += 1
        groups.append((start, end, above[start]))
    return [group for group in groups if group[1] - group[0] > 1]


def _repeating(above: Sequence[str], below: Sequence[str]) -> list[_Group]:
    """Returns groups of columns with the same names below; a group has its name over its first or last column."""
    left = _open_groups(above, below)
    width = min((end - start for start, end, _ in left), default=0)
    left = [(start, start + width, name) for start, _, name in left]
    if _is_repeated(below, left):
        return left
    mirrored = _open_groups(above[::-1], below[::-1])
    width = min((end - start for start, end, _ in mirrored), default=0)
    right = [(len(above) - start - width, len(above) - start, name) for start, _, name in mirrored]
    return right if _is_repeated(below, right) else []


def _is_repeated(below: Sequence[str], groups: Sequence[_Group]) -> bool:
    """Returns True if there are several groups, which have the same names below them."""
    names = {tuple(name.strip() for name in below[start:end]) for start, end, _ in groups}
    return len(groups) > 1 and len(names) == 1 and all(next(iter(names)))


def _are_numbers(grid: _Grid, first: int, columns: set[int]) -> bool:
    """Returns True if most cells of the columns, from row `first` on, are numbers."""
    cells = [row[i] for row in grid.rows[first:] for i in columns if row[i].strip()]
    return bool(cells) and sum(map(is_value, cells)) > MOSTLY * len(cells)


def _named_once(grid: _Grid, row: int, grouped: set[int], merged: bool) -> bool:
    """Returns True if the columns outside groups have their name in only one of the two rows.

    Where groups are merged cells, so must be names of two rows, and the corner may be empty in both, which it is above
    no row of data; elsewhere the cell below or above a name is empty.
    """
    others = [i for i in range(grid.width) if i not in grouped]
    above, below = grid.rows[row - 1], grid.rows[row]
    if not merged:
        return bool(others) and all(bool(above[i].strip()) != bool(below[i].strip()) for i in others)
    owners = [(grid.owner.get((row - 1, i)), grid.owner.get((row, i))) for i in others]
    return bool(others) and all(
        (one is not None and one is other) or (i == 0 and not above[0].strip() and not below[0].strip())
        for i, (one, other) in zip(others, owners, strict=True)
    )


def is_value(cell: str) -> bool:
    """Returns True for a number or an amount, but not for a year or a date, which may name a column."""
    text = cell.strip()
    return bool(NUMBER.fullmatch(text)) and not PERIOD.fullmatch(text)
