"""Finds ruled tables: grids of crossing rules, and columns between horizontal rules. Pure geometry."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from ingest.loaders.page_layout.geometry import (
    FEWEST_CELLS,
    FEWEST_LINES,
    NEAR,
    Rule,
    Table,
    is_inside,
    places_of,
    plain,
    rows_of,
)
from ingest.loaders.page_layout.lines import Line, Word
from ingest.loaders.page_layout.stream_tables import SIGNS_BEFORE, table_of
from ingest.loaders.page_layout.table_heads import is_list

MOST_RULES = 3_000
# Longer text in a grid cell means page layout rather than a table.
MOST_CELL_TEXT = 600


@dataclass(frozen=True, slots=True)
class Grid:
    """The positions of the vertical and horizontal rules of a grid. `shaded`: most are the sides of shaded areas."""

    xs: list[float]
    ys: list[float]
    shades: bool
    shaded: bool


def grids(rules: Sequence[Rule]) -> list[Grid]:
    """Returns the grids of crossing horizontal and vertical rules."""
    found = []
    for group in _crossing(rules):
        upright = [rule for rule in group if not rule.is_level]
        level = [rule for rule in group if rule.is_level]
        xs, ys = places_of(rule.left for rule in upright), places_of(rule.bottom for rule in level)
        if len(xs) > FEWEST_CELLS and len(ys) > FEWEST_CELLS:
            shaded = sum(rule.shade for rule in upright) > len(upright) / 2
            xs = xs if shaded else places_of([*xs, *_open_sides(level)])
            found.append(Grid(xs, ys, any(rule.shade for rule in group), shaded))
    return found


def _open_sides(level: Sequence[Rule]) -> list[float]:
    """Returns the ends that most horizontal rules of a grid share: a table may have no vertical rules at its sides."""
    shared = []
    for edge, ends in ((min, [rule.left for rule in level]), (max, [rule.right for rule in level])):
        outermost = edge(ends)
        if sum(abs(end - outermost) <= NEAR for end in ends) > len(ends) / 2:
            shared.append(outermost)
    return shared


def ruled(lines: Sequence[Line], grids: Iterable[Grid]) -> Iterator[tuple[Table, set[int]]]:
    """Yields tables from grids, with the lines in their cells."""
    for grid in grids:
        xs, ys = grid.xs, grid.ys
        inside = [line for line in lines if is_inside(line, xs[0], xs[-1], ys[0], ys[-1])]
        beside = grid.shades and _goes_on_beside(rows_of(inside), lines, xs[0], xs[-1])
        table = None if beside else _grid(inside, xs, ys)
        if table and not (grid.shades and is_list([[cell for cell in row if cell] for row in table.rows])):
            yield table, {id(line) for line in inside}


def between_rules(lines: Sequence[Line], rules: Sequence[Rule]) -> Iterator[tuple[Table, set[int]]]:
    """Yields tables between horizontal rules of equal width, if the lines form columns, as in scientific papers."""
    taken: set[int] = set()
    for left, right, bottom, top, _ in _ladders(rules):
        inside = [line for line in lines if id(line) not in taken and is_inside(line, left, right, bottom, top)]
        rows = rows_of(inside)
        table = None if _goes_on_beside(rows, lines, left, right) else table_of(rows)
        if table:
            taken.update(id(line) for line in inside)
            yield table, {id(line) for line in inside}


def _crossing(rules: Sequence[Rule]) -> Iterator[list[Rule]]:
    """Groups rules that touch directly or through others."""
    unique = list(dict.fromkeys(_rounded(rule) for rule in rules))[:MOST_RULES]
    if not unique:
        return
    left, right, bottom, top = np.array([rule[:4] for rule in unique], float).T
    waiting = np.ones(len(unique), bool)
    while waiting.any():
        group = np.zeros(len(unique), bool)
        fresh = [int(waiting.argmax())]
        while fresh:
            i = fresh.pop()
            group[i] = True
            touched = (left <= right[i] + NEAR) & (left[i] <= right + NEAR)
            touched &= (bottom <= top[i] + NEAR) & (bottom[i] <= top + NEAR) & waiting & ~group
            group |= touched
            fresh.extend(int(other) for other in np.flatnonzero(touched))
        waiting &= ~group
        yield [unique[i] for i in np.flatnonzero(group)]


def _rounded(rule: Rule) -> Rule:
    return Rule(round(rule.left), round(rule.right), round(rule.bottom), round(rule.top), rule.shade)


def _grid(lines: Sequence[Line], xs: Sequence[float], ys: Sequence[float]) -> Table | None:
    cells: dict[tuple[int, int], list[Word]] = {}
    for word in (word for line in lines for word in line.words):
        column = bisect_right(xs, (word.left + word.right) / 2) - 1
        row = len(ys) - 1 - bisect_right(ys, (word.bottom + word.top) / 2)
        cells.setdefault((row, column), []).append(word)
    rows = [[_cell(cells.get((row, column), ())) for column in range(len(xs) - 1)] for row in range(len(ys) - 1)]
    rows = _without_sign_columns([row for row in rows if any(row)])
    filled = max((sum(bool(cell) for cell in row) for row in rows), default=0)
    if len(rows) < FEWEST_CELLS or filled < FEWEST_CELLS or max(len(c) for row in rows for c in row) > MOST_CELL_TEXT:
        return None
    words = tuple(word for key in sorted(cells) for word in _in_lines(cells[key]))
    return Table(tuple(map(tuple, rows)), words, xs[0], xs[-1], ys[0], ys[-1])


def _without_sign_columns(rows: list[list[str]]) -> list[list[str]]:
    """Merges columns of signs only ("$") with the numbers to their right."""
    at = 0
    while rows and at + 1 < len(rows[0]):
        column = {row[at] for row in rows} - {""}
        if column and column <= SIGNS_BEFORE:
            rows = [[*row[:at], f"{row[at]}{row[at + 1]}", *row[at + 2 :]] for row in rows]
        else:
            at += 1
    return rows


def _cell(words: Iterable[Word]) -> str:
    return plain(word.text for word in _in_lines(words))


def _in_lines(words: Iterable[Word]) -> list[Word]:
    """Sorts words by line from top to bottom, then from left to right."""
    lines: list[list[Word]] = []
    for word in sorted(words, key=lambda one: -one.top):
        middle = (word.bottom + word.top) / 2
        if lines and lines[-1][0].bottom <= middle <= lines[-1][0].top:
            lines[-1].append(word)
        else:
            lines.append([word])
    return [word for line in lines for word in sorted(line, key=lambda one: one.left)]


def _goes_on_beside(rows: Sequence[Sequence[Line]], lines: Sequence[Line], left: float, right: float) -> bool:
    """Returns True if rules cover only part of a table, such as those under sums: its rows continue beside them."""
    outside = [line for line in lines if line.right < left or line.left > right]
    shared = sum(any(_share_row(row[0], line) for line in outside) for row in rows)
    return shared > len(rows) / 3


def _share_row(line: Line, other: Line) -> bool:
    return other.bottom < (line.bottom + line.top) / 2 < other.top


def _ladders(rules: Sequence[Rule]) -> Iterator[Rule]:
    """Yields boxes spanned by at least three horizontal rules of equal width above each other."""
    alike: dict[tuple[int, int], list[Rule]] = {}
    for rule in rules:
        if rule.is_level:
            alike.setdefault((round(rule.left / NEAR), round(rule.right / NEAR)), []).append(rule)
    for group in alike.values():
        heights = places_of(rule.bottom for rule in group)
        if len(heights) >= FEWEST_LINES:
            yield Rule(group[0].left, group[0].right, heights[0], heights[-1])
