"""Finds tables without rules: rows of aligned cells, with the headings above them. Pure geometry."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from itertools import pairwise

from ingest.loaders.page_layout.figure_tables import figure_tables
from ingest.loaders.page_layout.geometry import (
    FEWEST_CELLS,
    FEWEST_LINES,
    NEAR,
    Rule,
    Table,
    column_of,
    gap,
    plain,
    spans,
)
from ingest.loaders.page_layout.heading_spans import spread
from ingest.loaders.page_layout.lines import Line, Word
from ingest.loaders.page_layout.table_heads import (
    FIGURE,
    INDENT,
    MOST_CELL_CHARACTERS,
    MOST_HEADING_LINES,
    MOST_NAMES,
    heads_above,
    is_list,
    is_near,
)

# Fraction of rows whose cells must be in separate columns.
SHARING = 0.8
SIGNS_BEFORE, SIGNS_AFTER = frozenset("$€£¥"), frozenset({"%", ")", ")%", ":", ",", "."})
LEADERS = re.compile(r"(?:\.\s?){4,}")
# Figures closer than this fraction of their height are groups of digits of one figure.
DIGIT_GAP = 0.4

# Two rows are a table if they have at least this many cells.
MANY_CELLS = 5
# Rows are justified text if this fraction of them has gaps inside cells of at least this fraction of those between
# cells; or, in rows of single words from edge to edge, gaps that differ by no more.
STRETCHED, LIKE_GAPS, EQUAL_GAPS = 0.3, 0.6, 0.85


def of_figures(whole: Sequence[Sequence[Line]], rules: Sequence[Rule]) -> Iterator[tuple[Table, set[int]]]:
    """Yields the tables of figures in the rows of a page or column, with the identities of their lines."""
    for begin, last, table in figure_tables([_with_signs(row) for row in whole], rules):
        yield table, {id(line) for row in whole[begin:last] for line in row}


def aligned(lines: Sequence[Line], whole: Sequence[Sequence[Line]]) -> Iterator[Line | Table]:
    """Replaces runs of rows with aligned cells by tables; yields other lines unchanged.

    Args:
        lines: in reading order.
        whole: the same lines in rows.
    """
    order = {id(line): i for i, line in enumerate(lines)}
    parts: list[tuple[int, Line | Table]] = []
    at = 0
    for begin, last, table in _text_tables([_with_signs(row) for row in whole]):
        parts.extend((order[id(line)], line) for row in whole[at:begin] for line in row)
        parts.append((min(order[id(line)] for row in whole[begin:last] for line in row), table))
        at = last
    parts.extend((order[id(line)], line) for row in whole[at:] for line in row)
    yield from (part for _, part in sorted(parts, key=lambda one: one[0]))


def _text_tables(rows: Sequence[Sequence[Line]]) -> Iterator[tuple[int, int, Table]]:
    lowest = 0
    for first, last in _runs(rows):
        full = [row for row in rows[first:last] if len(row) >= FEWEST_CELLS]
        columns = _columns(full)
        if len(columns) < FEWEST_CELLS:
            continue
        heads = heads_above(rows, first, lowest, columns)
        table = table_of([*heads.rows, *heads.names, *rows[first:last]], headings=len(heads.rows))
        lines = len(heads.rows) + last - first
        enough = lines >= FEWEST_LINES or len(columns) >= MANY_CELLS
        if table and enough and _is_data(rows[first:last]):
            yield heads.begin, last, table
            lowest = last


def table_of(rows: Sequence[Sequence[Line]], headings: int = 0) -> Table | None:
    """Returns rows as a table if they share columns; merges headings, including the first `headings`, into one row."""
    full = [row for row in rows if len(row) >= FEWEST_CELLS]
    columns = _columns(full)
    if len(full) < FEWEST_CELLS or len(columns) < FEWEST_CELLS:
        return None
    if sum(len({column_of(columns, line) for line in row}) == len(row) for row in full) < len(full) * SHARING:
        return None
    headings += _more_headings(rows[headings:], columns)
    table = [spread(rows[:headings], columns)] if headings else []
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


def _runs(rows: Sequence[Sequence[Line]]) -> Iterator[tuple[int, int]]:
    """Yields spans of nearby rows with several cells; rows that only name a group may lie between."""
    at = 0
    while at < len(rows):
        last = at
        while last < len(rows) and (last == at or is_near(rows[last - 1], rows[last])):
            if len(rows[last]) < FEWEST_CELLS and not (last > at and _names_group(rows, last, _left(rows[at:last]))):
                break
            last += 1
        if sum(len(row) >= FEWEST_CELLS for row in rows[at:last]) >= FEWEST_LINES - 1:
            yield at, last
        at = max(last, at + 1)


def _left(rows: Iterable[Sequence[Line]]) -> float:
    return min(row[0].left for row in rows)


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
    return (
        leaders < len(rows) / 2
        and not is_list([[line.text for line in row] for row in rows])
        and not _is_justified(rows)
    )


def _is_justified(rows: Sequence[Sequence[Line]]) -> bool:
    """Returns True if rows are justified text: gaps between words are about as wide as those between cells."""
    full = [row for row in rows if len(row) >= FEWEST_CELLS]
    left, right = min(row[0].left for row in full), max(row[-1].right for row in full)
    stretched = sum(_is_stretched(row, left, right) for row in full)
    return stretched >= STRETCHED * len(rows)


def _is_stretched(row: Sequence[Line], left: float, right: float) -> bool:
    between = [after.left - before.right for before, after in pairwise(row)]
    inside = [after.left - before.right for line in row for before, after in pairwise(line.words)]
    if inside:
        return max(inside) > LIKE_GAPS * min(between)
    flush = row[0].left - left < NEAR and right - row[-1].right < NEAR
    return flush and len(between) > 1 and min(between) > EQUAL_GAPS * max(between)


def _with_signs(row: Sequence[Line]) -> list[Line]:
    """Divides a row's lines into single figures, and joins isolated signs ("$", "%") with their figures."""
    joined: list[Line] = []
    for line in (part for one in row for part in _figures(one)):
        before = joined[-1] if joined else None
        if before and (before.text in SIGNS_BEFORE or line.text in SIGNS_AFTER):
            words = (*before.words, *line.words)
            joined[-1] = replace(before, text=before.text + line.text, right=line.right, words=words)
        else:
            joined.append(line)
    return joined


def _figures(line: Line) -> list[Line]:
    """Divides a line of nothing but figures and their signs at the gaps between the figures."""
    words, signs = line.words, SIGNS_BEFORE | SIGNS_AFTER
    if len(words) < FEWEST_CELLS or not all(word.text in signs or FIGURE.match(word.text) for word in words):
        return [line]
    runs: list[list[Word]] = [[words[0]]]
    for before, word in pairwise(words):
        far = word.left - before.right > DIGIT_GAP * line.size and before.text not in SIGNS_BEFORE
        if (far or word.text[0] in SIGNS_BEFORE) and word.text not in SIGNS_AFTER:
            runs.append([])
        runs[-1].append(word)
    if len(runs) == 1:
        return [line]
    return [
        replace(line, text=" ".join(w.text for w in run), left=run[0].left, right=run[-1].right, words=tuple(run))
        for run in runs
    ]
