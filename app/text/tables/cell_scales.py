"""Finds the scale of a table's figure: stated by its row, column, group, header or caption, with exceptions. Pure."""

from __future__ import annotations

import re
from dataclasses import replace

from app.text.tables.rows import TableRow
from app.text.tables.scale_words import BEFORE_SHARES, PER_SHARE, RELATIVE, SHARES
from app.text.tables.scales import Scale, stated_scales

# A figure without a unit of its own.
BARE = re.compile(
    r"(?P<sign>[$\u20ac\u00a3\u00a5]?)\s?(?P<number>[-(\u2212]?\d(?:[\d.,'\u2019\u00a0\u202f]|\s(?=\d{3}(?!\d)))*+\)?)"
)
WORD = re.compile(r"[^\W\d_]+")
# A number that may be a year: figures of thousands are written with a separator.
MAY_BE_YEAR = re.compile(r"(?:19|20)\d\d")
# Columns of dates and times, which no scale applies to.
OF_TIME = re.compile(r"(?:maturity|maturity date|year|years|date|term|jahr|ann\u00e9e|a\u00f1o|anno)", re.IGNORECASE)
# Rows of earnings per share or of numbers of shares, as their group tells; without a group they may be either.
BASIC = re.compile(r"(?:basic|diluted|basic and diluted|(?:un)?verw\u00e4ssert|de base|dilu\u00e9)\W*", re.IGNORECASE)


def cell_scale(row: TableRow, column: int) -> Scale | None:
    """Returns the scale of a cell; None if it has its own unit, is relative, or no scale is stated for it.

    `currency` is the sign that its table states or that its column has; "" for a number of shares.
    """
    header, label = row.header[column] if row.header else "", row.cells[0]
    bare = BARE.fullmatch(row.cells[column])
    kind = _kind(header, label, row.group, bare["sign"]) if bare else "relative"
    if kind == "relative" or MAY_BE_YEAR.fullmatch(row.cells[column]):
        return None
    texts = (label, header, row.group, row.header[0] if row.header else "", row.caption)
    stated = next(filter(None, map(stated_scales, texts)), None)
    if stated is None or (kind == "mentions shares" and stated.excepts_shares):
        return None
    found = stated.of(f"{header} {row.group} {label}", counts_shares=kind == "shares")
    if found is None or kind == "shares":
        return found and replace(found, currency="")
    own = row.signs[column] if row.signs and not found.has_currency else ""
    return replace(found, currency=found.currency or own)


def with_scale(row: TableRow, column: int) -> str:
    """Returns a cell as written, with its scale and the currency of its column: "$117,154 million"."""
    cell = row.cells[column]
    scale, found = cell_scale(row, column), BARE.fullmatch(cell)
    if scale is None or found is None:
        return cell
    return f"{found['sign'] or scale.currency}{found['number']} {scale.name}"


def _kind(header: str, label: str, group: str, sign: str) -> str:
    """Returns "shares" for numbers of shares, "relative" for figures that no scale applies to, or others."""
    if OF_TIME.fullmatch(header.strip()) or (BASIC.fullmatch(label) and not group):
        return "relative"
    for name in (label, header, group):
        if not sign and _counts_shares(name):
            return "shares"
        if RELATIVE.search(name) or PER_SHARE.search(name):
            return "relative"
    return "mentions shares" if not sign and SHARES.search(f"{header} {label}") else ""


def _counts_shares(name: str) -> bool:
    """Returns True for "Weighted-average shares outstanding", and not for "Payments for shares" and "Share price"."""
    for word in WORD.findall(name):
        if word.casefold() not in BEFORE_SHARES:
            return bool(SHARES.fullmatch(word)) and word.casefold() != "share"
    return False
