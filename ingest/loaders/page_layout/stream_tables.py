"""Finds tables without rules: rows of aligned cells, with the headings above them. Pure geometry."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from statistics import median

from ingest.loaders.page_layout.geometry import FEWEST_CELLS, FEWEST_LINES, Table, column_of, gap, plain, rows_of, spans
from ingest.loaders.page_layout.lines import BULLET, NUMBER, Line, Word

# Fraction of rows whose cells must be in separate columns, and fraction of a column that its heading must cover.
SHARING, OVER = 0.8, 0.25
MOST_HEADING_WORDS = 5
MOST_HEADING_LINES = 4
MOST_NAMES = 3
# Names of row groups, and rows under them, are indented by at most this many points.
INDENT = 40.0
# Longer cells, in characters on average, are prose in columns.
MOST_CELL_CHARACTERS = 60
# Rows of a table without rules are at most this many line heights apart.
ROW_GAP = 2.2
SIGNS_BEFORE, SIGNS_AFTER = frozenset("$€£¥"), frozenset({"%", ")", ")%"})
YEAR = re.compile(r"(?:19|20)\d\d$|\d{1,2},$")
LEADERS = re.compile(r"(?:\.\s?){4,}")


def aligned(lines: Sequence[Line]) -> Iterator[Line | Table]:
    """Replaces runs of rows with aligned cells by tables; yields other lines unchanged."""
    order = {id(line): i for i, line in enumerate(lines)}
    whole = rows_of(lines)
    rows = [_with_signs(row) for row in whole]
    parts: list[tuple[int, Line | Table]] = []
    at = 0
    for first, last in _runs(rows):
        headings, names = _headings(rows, first, last, at)
        table = table_of([*headings, *names, *rows[first:last]], headings=len(headings))
        if table and len(headings) + last - first >= FEWEST_LINES and _is_data(rows[first:last]):
            begin = first - len(headings) - len(names)
            parts.extend((order[id(line)], line) for row in whole[at:begin] for line in row)
            parts.append((min(order[id(line)] for row in whole[begin:last] for line in row), table))
            at = last
    parts.extend((order[id(line)], line) for row in whole[at:] for line in row)
    yield from (part for _, part in sorted(parts, key=lambda one: one[0]))


def table_of(rows: Sequence[Sequence[Line]], headings: int = 0) -> Table | None:
    """Returns rows as a table if they share columns; merges headings, including the first `headings`, into one row."""
    full = [row for row in rows if len(row) >= FEWEST_CELLS]
    columns = _columns(full)
    if len(full) < FEWEST_CELLS or len(columns) < FEWEST_CELLS:
        return None
    if sum(len({column_of(columns, line) for line in row}) == len(row) for row in full) < len(full) * SHARING:
        return None
    headings += _more_headings(rows[headings:], columns)
    table = [_heading(rows[:headings], columns)] if headings else []
    last: Sequence[Line] = ()
    for row in rows[headings:]:
        cells: list[list[Line]] = [[] for _ in columns]
        for line in row:
            cells[column_of(columns, line)].append(line)
        if last and not cells[0] and len(row) < FEWEST_CELLS and gap(last, row) < row[0].size / 2:
            for column, more in enumerate(cells):  # a cell that continues on the next line
                table[-1][column].extend(more)
        else:
            table.append(cells)
        last = row
    lines = [line for row in table for cell in row for line in cell]
    texts = tuple(map(tuple, _headed([[plain(line.text for line in cell) for cell in row] for row in table])))
    return Table(
        texts,
        tuple(word for line in lines for word in line.words),
        min(line.left for line in lines),
        max(line.right for line in lines),
        min(line.bottom for line in lines),
        max(line.top for line in lines),
    )


def _columns(rows: Sequence[Sequence[Line]]) -> list[tuple[float, float]]:
    """Returns the left and right of each column: those of typical rows, widened and extended by other rows."""
    if not rows:
        return []
    usual = Counter(map(len, rows)).most_common(1)[0][0]
    columns = spans((line.left, line.right) for row in rows if len(row) == usual for line in row)
    for line in (line for row in rows if len(row) != usual for line in row):
        touched = sum(left < line.right and line.left < right for left, right in columns)
        if touched <= 1:  # one that spans several is their common heading
            columns = spans([*columns, (line.left, line.right)])
    return columns


def _more_headings(rows: Sequence[Sequence[Line]], columns: Sequence[tuple[float, float]]) -> int:
    """Counts top rows with an empty first column, if the rows below fill it."""
    found = 0
    while found < min(MOST_HEADING_LINES, len(rows)) and column_of(columns, rows[found][0]) > 0:
        found += 1
    return found if found < len(rows) else 0


def _heading(rows: Sequence[Sequence[Line]], columns: Sequence[tuple[float, float]]) -> list[list[Line]]:
    """Merges heading rows into one; a line that spans several columns is repeated for each."""
    cells: list[list[Line]] = [[] for _ in columns]
    edges = [columns[0][0], *((left[1] + right[0]) / 2 for left, right in pairwise(columns)), columns[-1][1]]
    for row in rows:
        for line in row:
            best = column_of(columns, line)
            for i, (left, right) in enumerate(pairwise(edges)):
                covered = min(right, line.right) - max(left, line.left)
                if i == best or (len(row) < len(columns) - 1 and covered > OVER * (right - left)):
                    cells[i].append(line)
    return cells


def _runs(rows: Sequence[Sequence[Line]]) -> Iterator[tuple[int, int]]:
    """Yields spans of nearby rows with several cells; rows that only name a group may lie between."""
    at = 0
    while at < len(rows):
        last = at
        while last < len(rows) and (last == at or _is_near(rows[last - 1], rows[last])):
            if len(rows[last]) < FEWEST_CELLS and not (last > at and _names_group(rows, last, _left(rows[at:last]))):
                break
            last += 1
        if sum(len(row) >= FEWEST_CELLS for row in rows[at:last]) >= FEWEST_LINES - 1:
            yield at, last
        at = max(last, at + 1)


def _left(rows: Iterable[Sequence[Line]]) -> float:
    return min(row[0].left for row in rows)


def _is_near(above: Sequence[Line], below: Sequence[Line]) -> bool:
    return gap(above, below) <= ROW_GAP * median(line.size for line in below)


def _names_group(rows: Sequence[Sequence[Line]], at: int, left: float) -> bool:
    """Returns True if the row at `at`, and those up to the next with several cells, are only names of groups."""
    for row in rows[at : at + MOST_NAMES + 1]:
        if len(row) >= FEWEST_CELLS:
            return True
        if not _is_name(row, left):
            return False
    return False


def _is_name(row: Sequence[Line], left: float) -> bool:
    """Returns True if a row is one short line that begins at the first column."""
    return len(row) == 1 and row[0].left - left <= INDENT and len(row[0].text) <= MOST_CELL_CHARACTERS


def _headings(
    rows: Sequence[Sequence[Line]], first: int, last: int, lowest: int
) -> tuple[list[list[Line]], list[Sequence[Line]]]:
    """Returns the lines above a run that fit as headings of its columns, and group names below them."""
    full = [row for row in rows[first:last] if len(row) >= FEWEST_CELLS]
    columns = _columns(full)
    headings: list[list[Line]] = []
    names: list[Sequence[Line]] = []
    for at in range(first - 1, max(first - 1 - MOST_HEADING_LINES - MOST_NAMES, lowest - 1), -1):
        if not _is_near(rows[at], rows[at + 1]):
            break
        if cells := _fitted(rows[at], columns) or _over_several(rows[at], columns):
            headings.insert(0, cells)
        elif not headings and len(names) < MOST_NAMES and _is_name(rows[at], _left(full)):
            names.insert(0, rows[at])
        else:
            break
    return headings[-MOST_HEADING_LINES:], names if headings else []


def _over_several(row: Sequence[Line], columns: Sequence[tuple[float, float]]) -> list[Line]:
    """Returns a row that is a single line over several columns, excluding the first; [] for other rows."""
    line = row[0]
    over = sum(left < line.right and line.left < right for left, right in columns[1:])
    fits = len(row) == 1 and over > 1 and line.left > columns[0][1] and len(line.text) <= MOST_CELL_CHARACTERS
    return [line] if fits else []


def _text(words: Iterable[Word]) -> str:
    return " ".join(word.text for word in words)


def _fitted(row: Sequence[Line], columns: Sequence[tuple[float, float]]) -> list[Line]:
    """Assigns a row's words to the columns below them; [] if they fit badly, as in a sentence."""
    if len(columns) < FEWEST_CELLS:
        return []
    edges = [(left[1] + right[0]) / 2 for left, right in pairwise(columns)]
    cells: dict[int, list[Word]] = {}
    for word in (word for line in row for word in line.words):
        column = bisect_right(edges, (word.left + word.right) / 2)
        if any(word.left < edge < word.right for edge in edges):
            return []
        cells.setdefault(column, []).append(word)
    named = len(cells) == len(columns) or (len(cells) == len(columns) - 1 and 0 not in cells)
    words = [word.text for cell in cells.values() for word in cell]
    values = sum(bool(NUMBER.match(word) and not YEAR.match(word)) for word in words)
    if not named or values > len(words) / 2 or max(map(len, cells.values())) > MOST_HEADING_WORDS:
        return []
    line = row[0]
    return [
        Line(_text(cell), cell[0].left, cell[-1].right, line.bottom, line.top, line.size, tuple(cell))
        for _, cell in sorted(cells.items())
    ]


def _with_signs(row: Sequence[Line]) -> list[Line]:
    """Joins isolated signs ("$", "%") in a row with the numbers that they belong to."""
    joined: list[Line] = []
    for line in row:
        before = joined[-1] if joined else None
        if before and (before.text in SIGNS_BEFORE or line.text in SIGNS_AFTER):
            joined[-1] = replace(
                before, text=before.text + line.text, right=line.right, words=(*before.words, *line.words)
            )
        else:
            joined.append(line)
    return joined


def _headed(rows: list[list[str]]) -> list[list[str]]:
    """Moves a heading that is beside its column above it."""
    at = 0
    while at + 1 < len(rows[0]):
        one, other = [row[at] for row in rows], [row[at + 1] for row in rows]
        only_headed = (one[0] and not any(one[1:]) and not other[0]) or (other[0] and not any(other[1:]) and not one[0])
        if only_headed:
            rows = [[*row[:at], row[at] or row[at + 1], *row[at + 2 :]] for row in rows]
        else:
            at += 1
    return rows


def _is_data(rows: Sequence[Sequence[Line]]) -> bool:
    """Returns True if rows are tabular data, not prose in columns, a numbered list or a table of contents."""
    lines = [line for row in rows for line in row]
    if sum(len(line.text) for line in lines) / len(lines) > MOST_CELL_CHARACTERS:
        return False
    leaders = sum(bool(LEADERS.search(line.text)) for line in lines)
    bullets = sum(bool(BULLET.match(row[0].text + " x")) and len(row) == FEWEST_CELLS for row in rows)
    return leaders < len(rows) / 2 and bullets < len(rows) / 2
