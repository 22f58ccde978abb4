"""Geometric relations of lines, rules and tables on a page. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from ingest.loaders.page_layout.lines import Line, Word

# Rules and edges within this distance, in points, count as aligned.
NEAR = 3.0
# Minimum size of a table: rows, and cells in a row.
FEWEST_LINES = 3
FEWEST_CELLS = 2


class Rule(NamedTuple):
    """A straight horizontal or vertical line, in points from the page's lower left; `shade`: edge of a shaded area."""

    left: float
    right: float
    bottom: float
    top: float
    shade: bool = False

    @property
    def is_level(self) -> bool:
        """Returns True if it is horizontal."""
        return self.top - self.bottom < self.right - self.left


@dataclass(frozen=True, slots=True)
class Table:
    """Rows of cells, and the area that they cover."""

    rows: tuple[tuple[str, ...], ...]
    words: tuple[Word, ...]
    left: float
    right: float
    bottom: float
    top: float


def rows_of(lines: Sequence[Line]) -> list[list[Line]]:
    """Groups lines that are side by side into rows, from top to bottom."""
    rows: list[list[Line]] = []
    for line in sorted(lines, key=lambda one: -one.top):
        middle = (line.bottom + line.top) / 2
        if rows and min(one.bottom for one in rows[-1]) <= middle <= max(one.top for one in rows[-1][:1]):
            rows[-1].append(line)
        else:
            rows.append([line])
    return [sorted(row, key=lambda one: one.left) for row in rows]


def gap(above: Sequence[Line], below: Sequence[Line]) -> float:
    return min(line.bottom for line in above) - max(line.top for line in below)


def spans(intervals: Iterable[tuple[float, float]]) -> list[tuple[float, float]]:
    """Merges overlapping intervals."""
    spans: list[tuple[float, float]] = []
    for left, right in sorted(intervals):
        if spans and left < spans[-1][1]:
            spans[-1] = (spans[-1][0], max(spans[-1][1], right))
        else:
            spans.append((left, right))
    return spans


def column_of(columns: Sequence[tuple[float, float]], line: Line) -> int:
    return max(range(len(columns)), key=lambda i: min(columns[i][1], line.right) - max(columns[i][0], line.left))


def places_of(values: Iterable[float]) -> list[float]:
    """Returns sorted values, with nearby ones merged."""
    places: list[float] = []
    for value in sorted(values):
        if not places or value - places[-1] > NEAR:
            places.append(value)
    return places


def is_inside(line: Line, left: float, right: float, bottom: float, top: float) -> bool:
    x, y = (line.left + line.right) / 2, (line.bottom + line.top) / 2
    return left - NEAR <= x <= right + NEAR and bottom - NEAR <= y <= top + NEAR


def plain(words: Iterable[str]) -> str:
    text = " ".join(words)
    return re.sub(r"\u00ad (?=[a-z])", "", text).replace("\u00ad", "-")
