"""Determines the reading order of a page's lines: column by column, with tables in place. Pure geometry."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from ingest.loaders.page_layout.geometry import FEWEST_LINES, NEAR, Rule, Table, rows_of
from ingest.loaders.page_layout.lattice_tables import between_rules, grids, ruled
from ingest.loaders.page_layout.lines import Line
from ingest.loaders.page_layout.stream_tables import aligned, of_figures
from ingest.loaders.page_layout.table_heads import MOST_CELL_CHARACTERS

# A gutter has at least this many lines on either side, and at most this fraction of the lines cross it.
GUTTER_LINES = 5
GUTTER_CROSSED = 0.25


@dataclass(frozen=True, slots=True)
class Arranged:
    """The lines and tables of a page in reading order.

    `beside` are the identities of lines with others beside them. `right` is the right edge of the text; 0.0 on a page
    in columns.
    """

    parts: list[Line | Table]
    beside: set[int]
    right: float


def arrange(lines: Sequence[Line], rules: Sequence[Rule], width: float) -> Arranged:
    """Puts the lines of a page in reading order, with tables in place of their lines.

    Args:
        lines: lines in file order.
        rules: rules drawn on the page.
        width: width of the page in points.
    """
    rest = list(lines)
    tables: list[Table] = []

    def take(found: Iterable[tuple[Table, set[int]]]) -> None:
        for table, taken in found:
            if not any(_overlap(table, other) for other in tables):
                tables.append(table)
                rest[:] = [line for line in rest if id(line) not in taken]

    found_grids = grids(rules)
    take(ruled(rest, (grid for grid in found_grids if not grid.shaded)))
    take(between_rules(rest, [rule for rule in rules if not rule.shade]))
    for column in _columns(rest, 0.0, width):
        take(of_figures(rows_of(column), rules))
    take(ruled(rest, (grid for grid in found_grids if grid.shaded)))
    take(between_rules(rest, rules))
    found: list[Line | Table] = []
    beside: set[int] = set()
    columns = _columns(rest, 0.0, width)
    for column in columns:
        rows = rows_of(column)
        beside.update(id(line) for row in rows if len(row) > 1 for line in row)
        found.extend(aligned(column, rows))
    in_columns = _gutter(rest, 0.0, width) is not None
    right = 0.0 if in_columns else max((line.right for line in lines), default=0.0)
    return Arranged(_with_tables(found, tables, in_columns=in_columns), beside, right)


def _overlap(table: Table, other: Table) -> bool:
    """Returns True if a table is drawn around another, or across its edge: its rules are those of several tables."""
    level = table.left < other.right and other.left < table.right
    return level and table.bottom + NEAR < other.top and other.bottom + NEAR < table.top


def _with_tables(parts: list[Line | Table], tables: Sequence[Table], *, in_columns: bool) -> list[Line | Table]:
    """Inserts each table after the nearest part above it; on a page in columns, before the first part below it."""
    for table in sorted(tables, key=lambda one: -one.top):
        shared = [(i, part) for i, part in enumerate(parts) if part.left < table.right and part.right > table.left]
        above = [(part.bottom, -i) for i, part in shared if part.bottom >= table.top - NEAR]
        below = [i for i, part in shared if part.top <= table.bottom + NEAR]
        if above and not in_columns:
            parts.insert(1 - min(above)[1], table)
        else:
            parts.insert(min(below, default=len(parts)), table)
    return parts


def _columns(lines: Sequence[Line], left: float, right: float) -> list[list[Line]]:
    """Groups lines between two edges by column in reading order; a single column is one group in file order."""
    gutter = _gutter(lines, left, right)
    if gutter is None:
        return [list(lines)] if lines else []
    groups: list[list[Line]] = []
    band: list[Line] = []
    for row in rows_of(lines):
        across = [line for line in row if line.left < gutter < line.right]
        if across:
            groups.extend(_sides(band, gutter))
            band = []
            if groups and len(groups[-1]) and groups[-1][-1] in _crossing_lines(groups[-1], gutter):
                groups[-1].extend(row)
            else:
                groups.append(list(row))
        else:
            band.extend(row)
    groups.extend(_sides(band, gutter))
    return [group for group in groups if group]


def _crossing_lines(group: Sequence[Line], gutter: float) -> list[Line]:
    return [line for line in group if line.left < gutter < line.right]


def _sides(band: Sequence[Line], gutter: float) -> list[list[Line]]:
    """Returns the columns on the left of a gutter, then those on its right."""
    sides = [line for line in band if line.right <= gutter], [line for line in band if line.right > gutter]
    return [
        column
        for side in sides
        if side
        for column in _columns(side, min(line.left for line in side), max(line.right for line in side))
    ]


def _gutter(lines: Sequence[Line], left_edge: float, right_edge: float) -> float | None:
    """Returns the position of the white space between two text columns; None if there is none."""
    prose = [line for line in lines if len(line.text) >= MOST_CELL_CHARACTERS / 3]
    if len(prose) < 2 * GUTTER_LINES:
        return None
    wide = right_edge - left_edge
    candidates = sorted({line.left for line in prose if 0.3 * wide < line.left - left_edge < 0.7 * wide})
    best: tuple[int, float] | None = None
    for edge in candidates:
        x = edge - 1.0
        left = [line for line in prose if line.right <= x]
        right = [line for line in prose if line.left >= x]
        crossed = len(prose) - len(left) - len(right)
        if min(len(left), len(right)) < GUTTER_LINES or crossed > GUTTER_CROSSED * len(prose):
            continue
        if not _side_by_side(left, right):
            continue
        if best is None or crossed < best[0]:
            best = (crossed, x)
    return best[1] if best else None


def _side_by_side(left: Sequence[Line], right: Sequence[Line]) -> bool:
    """Returns True if two columns are side by side, and each is set as text with an aligned left edge."""
    overlap = min(max(line.top for line in left), max(line.top for line in right)) - max(
        min(line.bottom for line in left), min(line.bottom for line in right)
    )
    return overlap > GUTTER_LINES * median(line.size for line in left) and _has_edge(left) and _has_edge(right)


def _has_edge(lines: Sequence[Line]) -> bool:
    lefts = sorted(line.left for line in lines)
    return any(
        sum(abs(other - one) <= NEAR for other in lefts) >= max(len(lefts) * 0.4, FEWEST_LINES) for one in set(lefts)
    )
