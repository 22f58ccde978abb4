"""Finds the rows whose sum a row is, for questions about the causes of a figure. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal

from app.answering.tables.rows import Row
from app.text import Figure, decimal_mark, figure_at

# Words by which a question asks what a figure is made of, or why it changed.
CAUSE_WORDS = (
    "driver drivers driven drove cause causes caused reason reasons factor factors contributor contributors"
    " contributed composition breakdown why grund gr\u00fcnde ursache ursachen treiber faktoren warum beitrag"
    " zusammensetzung raison raisons facteur facteurs moteurs pourquoi composantes causas raz\u00f3n razones factores"
    " motivos motivo desglose ragione ragioni fattori motivi perch\u00e9"
)
CAUSES = re.compile(rf"(?<!\w)(?:{'|'.join(CAUSE_WORDS.split())}|made\sup\sof)(?!\w)", re.IGNORECASE)
LEAST_PARTS, MOST_PARTS = 2, 8


def asks_causes(question: str) -> bool:
    """Returns True if a question asks for what a figure is made of, or why it changed."""
    return bool(CAUSES.search(question))


def with_parts(documents: Sequence[Sequence[Row]], rows: Sequence[Row], *, comma_expected: bool) -> list[list[Row]]:
    """Adds the parts of the best row of each document, where one of its tables has them.

    Args:
        documents: the rows of each document that answer, the best first.
        rows: the rows with figures of all passages, in their order.
        comma_expected: True if the rows' language has a decimal comma.
    """
    found = []
    for first, *others in documents:
        same = [one for one in rows if one.figure_name == first.figure_name and _document(one) == _document(first)]
        sums = ((one, parts_of(one, rows, comma_expected=comma_expected)) for one in (first, *same))
        total, parts = next((one for one in sums if one[1]), (first, []))
        named = {total.figure_name, *(one.figure_name for one in parts)}
        found.append([total, *parts, *(one for one in others if one.figure_name not in named)])
    return found


def _document(row: Row) -> str:
    return row.passage.version_id


def parts_of(total: Row, rows: Sequence[Row], *, comma_expected: bool) -> list[Row]:
    """Returns the rows just above a row whose figures sum to its own, in order; [] if there are none.

    Rows of shares in between are left out.

    Args:
        total: the row with the sum.
        rows: the rows with figures of all passages, in their order.
        comma_expected: True if the rows' language has a decimal comma.
    """
    column = total.row.figures[0]
    table = [one for one in rows if _table(one) == _table(total) and len(one.row.cells) > column]
    mark = decimal_mark((cell for one in table for cell in one.row.cells[1:]), comma_expected=comma_expected)
    whole = mark and figure_at(total.row, column, mark)
    if not mark or not whole or not whole.value:
        return []
    found: list[Row] = []
    left = whole.value
    for one in reversed([one for one in table if one.row.start < total.row.start]):
        figure = figure_at(one.row, column, mark)
        if figure is None or len(found) == MOST_PARTS:
            return []
        if figure.unit.is_percent and not whole.unit.is_percent:
            continue
        found.insert(0, one)
        left -= figure.value
        if abs(left) <= _rounding(whole, len(found)) and len(found) >= LEAST_PARTS:
            return found
    return []


def _table(row: Row) -> tuple[str, int, tuple[str, ...], str]:
    return row.passage.version_id, row.passage.start, row.row.header, row.row.caption


def _rounding(whole: Figure, parts: int) -> Decimal:
    """Returns how far the sum of rounded parts may be from a rounded sum."""
    return min(Decimal(parts) / 2 * Decimal(1).scaleb(-whole.places), abs(whole.value) / 100)
