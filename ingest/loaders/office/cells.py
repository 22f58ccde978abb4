"""The cells of a table in an office document, as its format gives them."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from ingest.loaders.table_grid import Merge


@dataclass(slots=True)
class Table:
    """A table's cells.

    Attributes:
        rows: the texts of the cells, empty where a merged cell covers them.
        merges: the merged cells.
        headers: number of rows marked as header.
        inner: the tables inside its cells, each with the first text of its row up to there.
    """

    rows: list[list[str]] = field(default_factory=list)
    merges: list[Merge] = field(default_factory=list)
    headers: int = 0
    inner: list[tuple[str, Any]] = field(default_factory=list)


def frame_cells(rows: Sequence[Sequence[Any]], holds_table: Callable[[Any], bool]) -> list[Any]:
    """Returns the cells of a table that only arranges the page, in reading order; [] for a table of data.

    This is a table of a single cell, and one of a single row or column with tables inside.

    Args:
        rows: the cells' elements by row.
        holds_table: tells whether there is a table inside a cell.
    """
    cells = [cell for row in rows for cell in row]
    in_line = len(rows) == 1 or all(len(row) == 1 for row in rows)
    return cells if len(cells) == 1 or (in_line and any(map(holds_table, cells))) else []
