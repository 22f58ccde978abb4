"""Finds the conditions that a question sets for the rows of a table: cells, comparisons and periods that it names."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import pairwise
from operator import ge, gt, le, lt

from app.answering.computation.dates import column_dates, is_in, month_alone
from app.answering.computation.periods import read_spans
from app.answering.computation.question_words import BRACKETED, Word, Wording, plain_words
from app.answering.computation.whole_tables import Table
from app.text import language_data_of, read_figure

MOST_WORDS = 10
# What separates several values in a cell.
LISTED = re.compile(r"[,;|/]")
AND = frozenset(("and", "und", "et", "y"))
# Before a period, these may mean all that follows it.
SINCE = frozenset(("from", "since", "von", "vom", "ab", "du", "des", "depuis", "desde"))
OR = frozenset(("or", "oder", "ou", "o"))
COMPARED = re.compile(
    r"(?P<more>\b(?:greater|more|larger|higher|bigger)\sthan\b|\b(?:above|over|exceeding)\b|>)\s?"
    r"|(?P<less>\b(?:less|lower|smaller|fewer)\sthan\b|\b(?:below|under)\b|<)\s?"
    r"|(?P<least>\bat\sleast\b)\s?|(?P<most>\bat\smost\b)\s?",
    re.IGNORECASE,
)
NUMBER = re.compile(r"[$\u20ac\u00a3\u00a5]?\s?(\d[\d.,]*\d|\d)%?(?![\w])")
COMPARISONS: dict[str, Callable[[Decimal, Decimal], bool]] = {"more": gt, "less": lt, "least": ge, "most": le}


@dataclass(frozen=True, slots=True)
class Condition:
    """Rows of a table, by position, that a column selects; `words` are the question's words for it, by position."""

    column: int
    described: str
    rows: frozenset[int]
    words: frozenset[int]


@dataclass(frozen=True, slots=True)
class _Span:
    """Words [start, end) of a question that are a column's name, or one of its cells."""

    start: int
    end: int
    column: int
    cells: frozenset[str] = frozenset()

    @property
    def words(self) -> frozenset[int]:
        return frozenset(range(self.start, self.end))


@dataclass
class Question:
    """A question as words, and those of them that are accounted for.

    Args:
        text: the question, in one line.
        wording: reads its words.
    """

    text: str
    wording: Wording
    words: list[Word] = field(init=False)

    def __post_init__(self) -> None:
        self.words = self.wording.words(self.text)

    def at(self, start: int, end: int) -> frozenset[int]:
        """Returns the positions of the words in [start, end) of the text."""
        return frozenset(i for i, word in enumerate(self.words) if start <= word.start and word.end <= end)

    def before(self, start: int) -> str:
        """Returns the word before a place in the text, casefolded; "" if there is none."""
        return next((word.plain for word in reversed(self.words) if word.end <= start), "")

    def skipped(self, start: int, end: int) -> bool:
        """Returns True if all words [start, end) are words of grammar."""
        return all(self.wording.skips(word) for word in self.words[start:end])


def read_conditions(question: Question, table: Table) -> list[Condition] | None:
    """Returns the conditions of a question, at most one for each column; None if one of them is unclear.

    Args:
        question: the question.
        table: the table.
    """
    names = list(_names(question, table))
    compared = _comparisons(question, table, names)
    values = _kept(_cells(question, table, names), names)
    dated = _period(question, table, values or [])
    if compared is None or values is None or dated is None:
        return None
    if any(question.skipped(one.start, one.end) and not _follows_name(question, one, names) for one in values):
        return None  # "on" may be a cell, or a word of grammar
    taken = set[int]().union(*(one.words for one in (*compared, *dated)))
    equal = _equalities(question, table, [one for one in values if not one.words & taken])
    if equal is None:
        return None
    found = [*compared, *dated, *equal]
    return found if len({one.column for one in found}) == len(found) else None


def column_names(question: Question, table: Table) -> list[tuple[int, frozenset[int]]]:
    """Returns the columns whose full names are in a question, with the positions of their words."""
    return [(one.column, one.words) for one in _names(question, table)]


def _names(question: Question, table: Table) -> Iterator[_Span]:
    """Yields the places of full names of columns, without what they have in brackets."""
    terms = [word.term for word in question.words]
    for column, name in enumerate(table.header):
        own = [word.term for word in question.wording.words(BRACKETED.sub(" ", name))]
        for start in range(len(terms) - len(own) + 1 if own else 0):
            if terms[start : start + len(own)] == own:
                yield _Span(start, start + len(own), column)


def _cells(question: Question, table: Table, names: Sequence[_Span]) -> Iterator[_Span]:
    """Yields the places of cells. Numbers and single letters have to follow the name of their column."""
    plain = [word.plain for word in question.words]
    places: dict[tuple[str, ...], list[int]] = {}
    for start in range(len(plain)):
        for end in range(start + 1, min(len(plain), start + MOST_WORDS) + 1):
            places.setdefault(tuple(plain[start:end]), []).append(start)
    figures = set(table.figure_columns)
    for column in range(len(table.header)):
        found: dict[tuple[str, ...], set[str]] = {}
        for cell in set(table.cells(column)):
            if (words := plain_words(cell)) in places:
                found.setdefault(words, set()).add(cell)
        for words, cells in found.items():
            for start in places[words]:
                one = _Span(start, start + len(words), column, frozenset(cells))
                weak = column in figures or len("".join(words)) == 1
                if not weak or question.skipped(one.start, one.end) or _follows_name(question, one, names):
                    yield one


def _follows_name(question: Question, one: _Span, names: Sequence[_Span]) -> bool:
    before = (name for name in names if name.column == one.column and name.end <= one.start)
    return any(question.skipped(name.end, one.start) for name in before)


def _kept(cells: Iterable[_Span], names: Sequence[_Span]) -> list[_Span] | None:
    """Returns the cells that are not part of a longer cell or name; None if words have two meanings."""
    found = list(cells)
    kept: list[_Span] = []
    for one in found:
        others = [other for other in (*found, *names) if other is not one and other.words & one.words]
        if any(other.words > one.words for other in others):
            continue
        if any(not other.words < one.words for other in others if other.column != one.column or not other.cells):
            return None
        kept.append(one)
    return kept


def _equalities(question: Question, table: Table, values: Sequence[_Span]) -> list[Condition] | None:
    """Returns a condition for each column with cells in the question; None if several are not joined by "or"."""
    found = []
    for column in sorted({one.column for one in values}):
        own = sorted((one for one in values if one.column == column), key=lambda one: one.start)
        joints: set[int] = set()
        for one, following in pairwise(own):
            between = range(one.end, following.start)
            if any(question.words[i].plain not in AND | OR for i in between) or not _is_listed(
                question, one, following
            ):
                return None
            joints |= set(between)
        cells = frozenset[str]().union(*(one.cells for one in own))
        if any(_lists(cell, cells) for cell in table.cells(column)):
            return None
        rows = frozenset(i for i, cell in enumerate(table.cells(column)) if cell in cells)
        named = " or ".join(dict.fromkeys(min(one.cells) for one in own))
        words = frozenset[int](joints).union(*(one.words for one in own))
        found.append(Condition(column, f"{table.header[column]} is {named}", rows, words))
    return found


def _lists(cell: str, cells: frozenset[str]) -> bool:
    """Returns True if a cell lists several values and one of these is asked for: "Python, SQL"."""
    values = [value.strip() for value in LISTED.split(cell)]
    return cell not in cells and len(values) > 1 and not cells.isdisjoint(values)


def _is_listed(question: Question, one: _Span, following: _Span) -> bool:
    """Returns True if two cells are joined by "and", "or" or a comma, and not by a hyphen."""
    start, end = question.words[one.end - 1].end, question.words[following.start].start
    return following.start > one.end or question.text[start:end].strip() in (",", "&")


def _comparisons(question: Question, table: Table, names: Sequence[_Span]) -> list[Condition] | None:
    """Returns the conditions such as "quantity above 5"; None if one is not understood."""
    found = []
    for match in COMPARED.finditer(question.text):
        number = NUMBER.match(question.text, match.end())
        wanted = read_figure(number[1], table.mark) if number and table.mark else None
        if number is None or wanted is None:
            return None
        words = question.at(match.start(), number.end())
        first = min(words)
        columns = {one.column for one in names if one.end <= first and question.skipped(one.end, first)}
        columns &= set(table.figure_columns)
        if len(columns) != 1:
            return None
        (column,) = columns
        holds = COMPARISONS[match.lastgroup or ""]
        figures = [table.figure(row, column) for row in table.rows]
        rows = frozenset(
            i for i, figure in enumerate(figures) if figure is not None and holds(figure.value, wanted.value)
        )
        said = " ".join(question.text[match.start() : number.end()].split())
        found.append(Condition(column, f"{table.header[column]} is {said}", rows, words))
    return found


def _period(question: Question, table: Table, values: Sequence[_Span]) -> list[Condition] | None:
    """Returns the condition of a period, if the table has dates; None if it is unclear, as several periods are."""
    spans = read_spans(question.text)
    alone = month_alone(question.text, language_data_of(question.wording.language)) if not spans else None
    if alone is not None:
        spans = [alone]
    taken = set[int]().union(*(one.words for one in values))
    spans = [one for one in spans if not question.at(*one[1:]) & taken]
    dated = {i: dates for i in range(len(table.header)) if (dates := column_dates(table.cells(i)))} if spans else {}
    if not spans or not dated:
        return []
    named = [column for column, _ in column_names(question, table) if column in dated]
    column = named[0] if len(set(named)) == 1 else next(iter(dated))
    if len(spans) > 1 or (len(dated) > 1 and len(set(named)) != 1):
        return None
    period, start, end = spans[0]
    if question.before(start) in SINCE:
        return None
    inside = [is_in(period, when) for when in dated[column]]
    rows = frozenset(i for i, within in enumerate(inside) if within)
    years = {dated[column][i][0] for i in rows}
    if None in inside or (period.startswith("--") and len(years) > 1):
        return None
    said = question.text[start:end].strip()
    return [Condition(column, f"{table.header[column]} is in {said}", rows, question.at(start, end))]
