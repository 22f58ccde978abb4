"""Finds the rows whose sum a row is, for questions about the causes of a figure. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby

from app.answering.tables.reading import TOTAL, Row
from app.text import Figure, decimal_mark, figure_at

# Words by which a question asks what a figure is made of, or why it changed.
CAUSE_WORDS = (
    "driver drivers driven drove cause causes caused reason reasons factors contributor contributors contributed"
    " composition breakdown why gr\u00fcnde gr\u00fcnden ursache ursachen treiber faktoren warum weshalb wieso"
    " woraus zusammensetzung raison raisons facteurs moteurs pourquoi composantes causas raz\u00f3n razones factores"
    " motivos desglose ragioni fattori motivi perch\u00e9"
)
CAUSES = re.compile(rf"(?<!\w)(?:{'|'.join(CAUSE_WORDS.split())}|made\sup\sof|broken\sdown)(?!\w)", re.IGNORECASE)
# Questions for one figure, in which such a word names the figure: "How many drivers were there?".
FOR_A_FIGURE = re.compile(
    r"\W*(?:how\s(?:many|much)|wie\s(?:viele?|hoch)|combien|cu\u00e1nt[oa]s?|quant[oaie])\b", re.IGNORECASE
)
NOTHING = re.compile(r"[\s$\u20ac\u00a3\u00a5]*+[-\u2013\u2014\u2212]?\s*+")
# One part is no sum; more than a dozen rows are not read as an answer.
LEAST_PARTS, MOST_PARTS = 2, 12
# Columns in which they sum: one may do so by chance, and others may have a part that the table lacks.
ENOUGH_COLUMNS = 2


def asks_causes(question: str) -> bool:
    """Returns True if a question asks for what a figure is made of, or why it changed."""
    return bool(CAUSES.search(question)) and not FOR_A_FIGURE.match(question)


def with_parts(documents: Sequence[Sequence[Row]], rows: Sequence[Row], *, comma_expected: bool) -> list[list[Row]]:
    """Adds the parts of the best row of each document, where a table that states the same figure has them.

    Args:
        documents: the rows of each document that answer, the best first.
        rows: the rows with figures of all passages, in their order.
        comma_expected: True if the rows' language has a decimal comma.
    """
    tables = [list(some) for _, some in groupby(rows, key=lambda row: row.table)]
    found = []
    for first, *others in documents:
        same = ((one, table) for table in tables for one in table if _same_figure(one, first))
        sums = ((one, parts_of(one, table, comma_expected=comma_expected)) for one, table in same)
        total, parts = next((one for one in sums if one[1]), (first, []))
        named = {total.place, *(one.place for one in parts)}
        found.append([total, *parts, *(one for one in others if one.place not in named)])
    return found


def _same_figure(row: Row, other: Row) -> bool:
    """Returns True if rows of a document have the same name and state the same first figure."""
    if row.place == other.place:
        return True
    one, two = (re.sub(r"[^\d.,()%-]", "", some.row.cells[some.row.figures[0]]) for some in (row, other))
    same = row.figure_name == other.figure_name and row.passage.version_id == other.passage.version_id
    return same and one == two


def parts_of(total: Row, table: Sequence[Row], *, comma_expected: bool) -> list[Row]:
    """Returns the rows just above a row whose figures sum to its own, in order; [] if there are none.

    They have to sum in two columns, if it has two; with one, only a row that is called a total has parts. Rows of
    shares in between are left out.

    Args:
        total: the row with the sum.
        table: the rows with figures of its table, in order.
        comma_expected: True if the rows' language has a decimal comma.
    """
    mark = decimal_mark((cell for one in table for cell in one.row.cells[1:]), comma_expected=comma_expected)
    whole = {i: sum_ for i in total.row.figures if mark and (sum_ := figure_at(total.row, i, mark))}
    whole = {i: figure for i, figure in whole.items() if figure.value and not figure.unit.is_percent}
    if not mark or not whole or not (TOTAL.search(total.label) or len(whole) >= ENOUGH_COLUMNS):
        return []
    found: list[Row] = []
    left = {i: one.value for i, one in whole.items()}
    for one in reversed([one for one in table if one.row.start < total.row.start]):
        figures = {i: _figure(one, i, mark, whole[i]) for i in whole}
        if any(figure and figure.unit.is_percent for figure in figures.values()):
            continue
        fitting = {i: figure for i, figure in figures.items() if figure and figure.unit.agrees(whole[i].unit)}
        if len(found) == MOST_PARTS or len(fitting) < len(whole):
            return []
        found.insert(0, one)
        left = {i: value - fitting[i].value for i, value in left.items()}
        sums = sum(abs(value) <= _rounding(whole[i], len(found)) for i, value in left.items())
        if sums >= min(ENOUGH_COLUMNS, len(whole)) and len(found) >= LEAST_PARTS:
            return found
    return []


def _figure(row: Row, column: int, mark: str, whole: Figure) -> Figure | None:
    """Returns the figure of a cell; a dash or an empty cell is a zero of the unit of the whole."""
    if column >= len(row.row.cells):
        return None
    if NOTHING.fullmatch(row.row.cells[column]):
        return whole.with_value(Decimal(0))
    return figure_at(row.row, column, mark)


def _rounding(whole: Figure, parts: int) -> Decimal:
    """Returns how far the sum of rounded parts may be from a rounded sum; whole numbers are exact."""
    return Decimal(parts) / 2 * Decimal(1).scaleb(-whole.places) if whole.places else Decimal(0)
