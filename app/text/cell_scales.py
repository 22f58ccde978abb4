"""Finds the scale of a table's figure: stated by its column, group or caption, unless its row is excepted. Pure."""

from __future__ import annotations

import re

from app.text.scales import Scale, stated_scale
from app.text.tables import TableRow
from app.text.terms import content_terms

# A figure without a unit of its own.
BARE = re.compile(r"(?P<sign>[$\u20ac\u00a3\u00a5]?)\s?(?P<number>[-(\u2212]?\d[\d.,]*+\)?)")
# Words for figures that no scale applies to.
RELATIVE = re.compile(r"%|percent|\bratio\b|\brate\b|per share", re.IGNORECASE)


def cell_scale(row: TableRow, column: int) -> Scale | None:
    """Returns the scale of a cell; None if it has its own unit, is relative, or no scale is stated for it."""
    header = row.header[column] if row.header else ""
    name = f"{row.group} {row.cells[0]}"
    if not BARE.fullmatch(row.cells[column]) or RELATIVE.search(f"{header} {name}"):
        return None
    for text in (header, row.group, row.caption):
        if scale := stated_scale(text):
            return None if content_terms(scale.but) & content_terms(name) else scale
    return None


def with_scale(row: TableRow, column: int) -> str:
    """Returns a cell as written, with its scale and the currency of its column: "$117,154 million"."""
    cell = row.cells[column]
    scale, found = cell_scale(row, column), BARE.fullmatch(cell)
    if scale is None or found is None:
        return cell
    sign = found["sign"] or scale.currency or (row.signs[column] if row.signs else "")
    return f"{sign}{found['number']} {scale.name}"
