"""Writes a table's figure with the unit that its header, caption or column states. Pure."""

from __future__ import annotations

import re

from app.answering.tables.rows import Row
from app.text import Scale, content_terms, stated_scale

BARE = re.compile(r"(?P<sign>[$\u20ac\u00a3\u00a5]?)\s?(?P<number>[-(\u2212]?\d[\d.,]*\)?)")
# Words for figures that no unit of the table applies to.
RELATIVE = re.compile(r"%|percent|\bratio\b|\brate\b|per share", re.IGNORECASE)


def scale_of(row: Row, column: int) -> Scale | None:
    """Returns the scale of a cell: that of its header, its group, or its caption; None for one with its own unit."""
    cell = row.row.cells[column]
    header = row.row.header[column] if row.row.header else ""
    if not BARE.fullmatch(cell) or RELATIVE.search(f"{header} {row.name}"):
        return None
    for text in (header, row.row.group, row.row.caption):
        if scale := stated_scale(text):
            excepted = content_terms(scale.but) & content_terms(row.name)
            return None if excepted else scale
    return None


def with_unit(row: Row, column: int) -> str:
    """Returns a cell as written, with its scale and the currency of its column: "$117,154 million"."""
    cell = row.row.cells[column]
    scale, found = scale_of(row, column), BARE.fullmatch(cell)
    if scale is None or found is None:
        return cell
    sign = found["sign"] or scale.currency or (row.row.signs[column] if row.row.signs else "")
    return f"{sign}{found['number']} {scale.name}"
