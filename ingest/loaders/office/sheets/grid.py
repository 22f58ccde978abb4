"""Adds the visible cells of a sheet to a document as tables, with the lines above them."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace

from ingest.loaders.document_builder import Builder
from ingest.loaders.table_grid import MOST_HEADER_ROWS, Merge, add_grid, is_value


@dataclass(slots=True)
class SheetCells:
    """The cells of a sheet.

    Attributes:
        rows: the texts of rows that have any, by the number of the row, in order.
        merges: the merged cells.
        hidden_rows: numbers of hidden rows.
        hidden_columns: the first and last of hidden columns.
        formulas: number of formulas without a result.
    """

    rows: dict[int, list[str]] = field(default_factory=dict)
    merges: list[Merge] = field(default_factory=list)
    hidden_rows: set[int] = field(default_factory=set)
    hidden_columns: list[tuple[int, int]] = field(default_factory=list)
    formulas: int = 0


def add_sheet(builder: Builder, name: str, cells: SheetCells) -> list[str]:
    """Adds a sheet as a page with its tables; returns warnings of what was left out, and of missing results."""
    builder.begin_page(f"sheet {name}")
    warnings = _without_hidden(name, cells)
    regions = list(_with_headers(list(_regions(cells.rows))))
    if regions:
        builder.add_heading(1, name)
    by_row = sorted(cells.merges, key=lambda merge: merge.row)
    for first, rows, headers in regions:
        start, end = (bisect_left(by_row, row, key=lambda merge: merge.row) for row in (first, first + len(rows)))
        merges = [replace(merge, row=merge.row - first) for merge in by_row[start:end]]
        _add_region(builder, rows, merges, headers)
    if cells.formulas:
        which = "1 formula" if cells.formulas == 1 else f"{cells.formulas:,} formulas"
        warnings.append(
            f"The results of {which} of sheet {name} are not stored: the formulas are read instead. Open the workbook "
            "in a spreadsheet program and save it, then ingest it again."
        )
    return warnings


def hidden_sheets(names: Sequence[str]) -> list[str]:
    """Returns a warning that sheets were left out; none if there are no names."""
    if not names:
        return []
    return [f"Hidden sheets were left out: {', '.join(names)}. To have them read, show them, and save the workbook."]


def add_rows(builder: Builder, rows: Sequence[Sequence[str]]) -> None:
    """Adds rows as tables separated by empty rows."""
    numbered = {i: list(row) for i, row in enumerate(rows)}
    for _, region, headers in _with_headers(list(_regions(numbered))):
        _add_region(builder, region, [], headers)


def _add_region(builder: Builder, region: Sequence[Sequence[str]], merges: Sequence[Merge], headers: int = 0) -> None:
    """Adds a table; rows of a single cell above it, or alone, become lines of text.

    `headers` is the number of first rows that are known to be no data.
    """
    at = 0
    heading = _heading_columns(region, merges)
    for row in region:
        filled = [i for i, cell in enumerate(row) if cell.strip()]
        if len(filled) != 1 or (at, filled[0]) in heading:
            break
        at += 1
    if at == len(region) and at > 1 and not merges and _is_column(region):
        at = 0
    for row in region[:at]:
        builder.add("paragraph", next(cell for cell in row if cell.strip()))
    if region[at:]:
        below = [replace(merge, row=merge.row - at) for merge in merges if merge.row >= at]
        add_grid(builder, region[at:], below, max(headers - at, 0))


def _heading_columns(region: Sequence[Sequence[str]], merges: Sequence[Merge]) -> set[tuple[int, int]]:
    """Returns the places of merged cells that are no line of text: they head columns or rows of a table below."""
    left = min((i for row in region for i, cell in enumerate(row) if cell.strip()), default=0)
    last = len(region) - 1
    return {
        (one.row, one.column)
        for one in merges
        if one.row < last and one.rows * one.columns > 1 and (one.column > left or one.rows > 1)
    }


def _is_column(region: Sequence[Sequence[str]]) -> bool:
    """Returns True if rows of one cell each use the same column, as a list of values does."""
    return len({next(i for i, cell in enumerate(row) if cell.strip()) for row in region}) == 1


def _regions(rows: dict[int, list[str]]) -> Iterator[tuple[int, list[list[str]]]]:
    """Yields runs of rows without an empty one between them, with the number of the first."""
    first = 0
    region: list[list[str]] = []
    for number, row in rows.items():
        if not any(cell.strip() for cell in row):
            continue
        if region and number != first + len(region):
            yield first, region
            region = []
        if not region:
            first = number
        region.append(row)
    if region:
        yield first, region


def _with_headers(regions: Sequence[tuple[int, list[list[str]]]]) -> Iterator[tuple[int, list[list[str]], int]]:
    """Yields regions, each with the number of its rows above a gap between header and data; 0 without such a gap."""
    skipped = False
    for i, (first, rows) in enumerate(regions):
        if skipped:
            skipped = False
            continue
        after, data = regions[i + 1] if i + 1 < len(regions) else (0, [])
        skipped = after == first + len(rows) + 1 and _names_columns(rows, data)
        yield (first, [*rows, [""], *data], len(rows)) if skipped else (first, rows, 0)


def _names_columns(rows: Sequence[Sequence[str]], data: Sequence[Sequence[str]]) -> bool:
    """Returns True if rows without a number, the last of which has names for all columns of numbers, precede data."""
    names = {i for i, cell in enumerate(rows[-1]) if cell.strip()}
    numbers = {i for i, cell in enumerate(data[0]) if is_value(cell)}
    is_header = len(rows) <= MOST_HEADER_ROWS and not any(is_value(cell) for row in rows for cell in row)
    return is_header and len(names) > 1 and bool(numbers) and numbers <= names


def _without_hidden(name: str, cells: SheetCells) -> list[str]:
    """Removes hidden rows and columns, and closes the gaps; returns a warning if any had content."""
    width = max(map(len, cells.rows.values()), default=0)
    columns = sorted({i for start, end in cells.hidden_columns for i in range(start, min(end + 1, width))})
    if not columns and not cells.hidden_rows:
        return []
    filled_rows = sum(_is_filled(cells.rows[i]) for i in cells.hidden_rows if i in cells.rows)
    filled_columns = sum(any(i < len(row) and row[i].strip() for row in cells.rows.values()) for i in columns)
    rows = sorted(cells.hidden_rows)
    _keep_merged_texts(cells, rows, columns)
    cells.merges = [one for merge in cells.merges if (one := _shrunk(merge, rows, columns)) is not None]
    left_out = set(columns)
    cells.rows = {
        number - bisect_left(rows, number): [cell for i, cell in enumerate(row) if i not in left_out]
        for number, row in cells.rows.items()
        if number not in cells.hidden_rows
    }
    parts = [(filled_rows, "rows"), (filled_columns, "columns")]
    if not filled_rows and not filled_columns:
        return []
    what = " and ".join(f"{count:,} hidden {kind if count > 1 else kind[:-1]}" for count, kind in parts if count)
    was = "was" if filled_rows + filled_columns == 1 else "were"
    return [f"{what} of sheet {name} {was} left out. To have them read, show them, and save the workbook."]


def _is_filled(row: Sequence[str]) -> bool:
    return any(cell.strip() for cell in row)


def _keep_merged_texts(cells: SheetCells, rows: Sequence[int], columns: Sequence[int]) -> None:
    """Moves the text of a merged cell from a hidden row or column to the first visible one."""
    visible_rows, visible_columns = _next_visible(rows), _next_visible(columns)
    for merge in cells.merges:
        row, column = visible_rows.get(merge.row, merge.row), visible_columns.get(merge.column, merge.column)
        source = cells.rows.get(merge.row, [])
        is_visible = row < merge.row + merge.rows and column < merge.column + merge.columns
        if not is_visible or merge.column >= len(source) or row not in cells.rows:
            continue
        target = cells.rows[row]
        target.extend([""] * (column + 1 - len(target)))
        target[column] = source[merge.column]


def _next_visible(hidden: Sequence[int]) -> dict[int, int]:
    """Returns for each hidden row or column the next visible one; `hidden` is in order."""
    following: dict[int, int] = {}
    for number in reversed(hidden):
        following[number] = following.get(number + 1, number + 1)
    return following


def _shrunk(merge: Merge, rows: Sequence[int], columns: Sequence[int]) -> Merge | None:
    """Returns a merged cell in the numbers of visible rows and columns; None if nothing of it is visible."""
    row, end = merge.row - bisect_left(rows, merge.row), merge.row + merge.rows
    column, right = merge.column - bisect_left(columns, merge.column), merge.column + merge.columns
    height, width = end - bisect_left(rows, end) - row, right - bisect_left(columns, right) - column
    return Merge(row, column, height, width) if height and width else None
