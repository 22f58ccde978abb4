"""Chooses the cells of a table's row that a question asks for. Pure."""

from __future__ import annotations

from collections import Counter

from app.answering.tables.asked import Asked
from app.answering.tables.reading import Row
from app.text import NO_DATE, Date, latest_date


def given_cells(asked: Asked, row: Row) -> list[int]:
    """Returns the positions of the cells after the first whose words and numbers are all in the question."""
    return [i for i, cell in enumerate(row.row.cells) if i and (terms := asked.terms(cell)) and terms <= asked.said]


def chosen_columns(asked: Asked, row: Row, *, own_period: bool = False) -> list[int]:
    """Returns the positions of the cells that a question asks for: those of the columns it names, or else all.

    A cell that the question gives is not asked for. Words that all columns share, or that name the document, name none.

    Args:
        asked: the question.
        row: the row.
        own_period: True to choose one column: the latest period's, and of several the one that the question names.
    """
    given, cells = set(given_cells(asked, row)), row.row.cells
    columns = [i for i, cell in enumerate(cells) if i and cell and i not in given]
    if not row.row.header or not columns:
        return columns
    if own_period:
        columns = _latest(row, columns)
    named = _named(asked, row, columns)
    most = max(map(len, named.values()))
    best = [i for i in columns if len(named[i]) == most]
    best = best if set(best) & set(row.row.figures) else columns
    return best[:1] if own_period and _date(row, best[0]) != NO_DATE else best


def _named(asked: Asked, row: Row, columns: list[int]) -> dict[int, set[str]]:
    """Returns the question's words that name each column."""
    names = {i: asked.terms(row.row.header[i]) for i in columns}
    frequency = Counter(term for terms in names.values() for term in terms)
    naming = asked.placing - asked.comparing - asked.terms(row.passage.above)
    return {i: {term for term in names[i] & naming if frequency[term] < len(columns)} for i in columns}


def _latest(row: Row, columns: list[int]) -> list[int]:
    """Returns the columns with the latest date; all of them if none has a date."""
    newest = max(_date(row, i) for i in columns)
    return [i for i in columns if _date(row, i) == newest]


def _date(row: Row, column: int) -> Date:
    return latest_date(row.row.header[column])
