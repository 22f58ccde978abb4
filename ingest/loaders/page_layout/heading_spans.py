"""Assigns the headings of a table to the columns that they span. Pure geometry."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ingest.loaders.page_layout.geometry import NEAR, Rule, column_of
from ingest.loaders.page_layout.lines import IN_BRACKETS, Line

# A rule is drawn under a heading at most this many line heights below it.
UNDERLINE = 0.5

Columns = Sequence[tuple[float, float]]
Block = tuple[int, int]
# Headings that stand one above the other in a row.
Stack = list[Line]


def spread(rows: Sequence[Sequence[Line]], columns: Columns, rules: Sequence[Rule] = ()) -> list[list[Line]]:
    """Merges heading rows into one; a line over several columns is repeated for each.

    Headings with rules under them divide the columns over which these are drawn. Without rules, a heading spans the
    columns over which it is centred.
    """
    cells: list[list[Line]] = [[] for _ in columns]
    extents = list(columns)
    low, high = min(row[0].bottom - row[0].size for row in rows), max(row[0].top for row in rows)
    drawn = [rule for rule in rules if low < rule.bottom < high and rule.is_level and not rule.shade]
    underlined = any(_rules_under([line], drawn) for row in rows[:-1] for line in row)
    for i, row in reversed([*enumerate(rows)]):
        # The rule under the lowest heading is the border of the table.
        below = drawn if underlined and i + 1 < len(rows) else None
        stacks = _stacks(row)
        for stack, (first, last) in zip(stacks, _blocks(stacks, extents, below), strict=True):
            for line in sorted(stack, key=lambda one: one.top):
                for column in range(first, last + 1):
                    cells[column].insert(0, line)
                if first == last:
                    extents[first] = min(extents[first][0], line.left), max(extents[first][1], line.right)
    return cells


def is_caption(line: Line, columns: Columns) -> bool:
    """Returns True if a line is centred over the whole table rather than over its columns of values."""
    of_values = min(_off(line, block, columns) for block in _all_blocks(1, len(columns) - 1))
    return _off(line, (0, len(columns) - 1), columns) < of_values


def _stacks(row: Sequence[Line]) -> list[Stack]:
    stacks: list[Stack] = []
    for line in row:
        if stacks and line.left < max(one.right for one in stacks[-1]):
            stacks[-1].append(line)
        else:
            stacks.append([line])
    return stacks


def _blocks(stacks: Sequence[Stack], extents: Columns, rules: Sequence[Rule] | None) -> list[Block]:
    """Returns the first and last column below each stack of a row, given the rules if there are any under headings."""
    widest = [max(stack, key=lambda one: one.right - one.left) for stack in stacks]
    best = [column_of(extents, line) for line in widest]
    if best == [*range(len(extents) - len(best), len(extents))] and len(best) >= len(extents) - 1:
        return [(i, i) for i in best]
    if rules is None:
        return [_centred(line, [other for other in widest if other is not line], extents) for line in widest]
    blocks = {i: (column, column) for i, column in enumerate(best)}
    over = {i for stack in stacks for i in _columns_under(_rules_under(stack, rules), extents)} - {0}
    for first, last in _runs(over):
        inside = [i for i, column in enumerate(best) if first <= column <= last]
        blocks.update(zip(inside, _divided([widest[i] for i in inside], first, last, extents), strict=True))
    for i, line in enumerate(widest):
        if IN_BRACKETS.match(line.text):
            blocks[i] = _centred(line, [other for other in widest if other is not line], extents)
    return [blocks[i] for i in range(len(stacks))]


def _rules_under(stack: Stack, rules: Sequence[Rule]) -> list[Rule]:
    return [rule for line in stack for rule in rules if -NEAR <= line.bottom - rule.bottom <= UNDERLINE * line.size]


def _columns_under(rules: Sequence[Rule], extents: Columns) -> Iterator[int]:
    for i, (left, right) in enumerate(extents):
        if any(rule.left - NEAR < (left + right) / 2 < rule.right + NEAR for rule in rules):
            yield i


def _runs(numbers: set[int]) -> list[Block]:
    """Returns the first and last of each run of successive numbers."""
    runs: list[Block] = []
    for number in sorted(numbers):
        if runs and number == runs[-1][1] + 1:
            runs[-1] = runs[-1][0], number
        else:
            runs.append((number, number))
    return runs


def _divided(lines: Sequence[Line], first: int, last: int, extents: Columns) -> list[Block]:
    """Divides a run of columns among the headings over it, each as near to the middle of its columns as possible."""
    found: dict[int, tuple[float, list[Block]]] = {first: (0.0, [])}  # by the next free column
    for i, line in enumerate(lines):
        rest = len(lines) - i - 1
        longer: dict[int, tuple[float, list[Block]]] = {}
        for start, (cost, blocks) in found.items():
            for end in range(start, last - rest + 1) if rest else (last,):
                more = cost + _off(line, (start, end), extents), [*blocks, (start, end)]
                longer[end + 1] = min(longer.get(end + 1, more), more)
        found = longer
    return found[last + 1][1] if lines else []


def _centred(line: Line, others: Sequence[Line], extents: Columns) -> Block:
    """Returns the columns whose common middle is the nearest to a heading's, without those of other headings.

    A unit in brackets has all columns about as near.
    """
    best = column_of(extents, line)
    if best == 0:
        return 0, 0
    blocks = [one for one in _all_blocks(1, len(extents) - 1) if one[0] <= best <= one[1]]
    free = [one for one in blocks if not any(_meets(other, one, extents) for other in others)] or [(best, best)]
    if IN_BRACKETS.match(line.text):
        near = [one for one in free if _off(line, one, extents) <= line.size]
        free = [max(near, key=lambda one: one[1] - one[0])] if near else free
    return min(free, key=lambda one: _off(line, one, extents))


def _all_blocks(first: int, last: int) -> Iterator[Block]:
    for i in range(first, last + 1):
        for j in range(i, last + 1):
            yield i, j


def _meets(line: Line, block: Block, extents: Columns) -> bool:
    return block[0] != block[1] and extents[block[0]][0] < (line.left + line.right) / 2 < extents[block[1]][1]


def _off(line: Line, block: Block, extents: Columns) -> float:
    """Returns the distance between the middles of a heading and of its columns."""
    return abs((line.left + line.right) - (extents[block[0]][0] + extents[block[1]][1])) / 2
