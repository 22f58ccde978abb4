"""Computes counts, sums, averages and extremes over all rows of a table, and shows which rows were used."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from app.answering.computation.aggregates import Aggregate, Wanted, computed, read_wanted
from app.answering.computation.conditions import AND, Condition, Question, column_names, read_conditions
from app.answering.computation.question_words import DECISIVE, Wording
from app.answering.computation.whole_tables import NO_FIGURE, Table
from app.answering.quotes import Composition, escaped
from app.text import Figure, TableRow

# Rows with a footnote of their own, and characters of a table that one footnote shows.
MOST_NOTED, MOST_SHOWN = 5, 4_000
EXTREMES = {Aggregate.HIGHEST, Aggregate.LOWEST}
COUNTS = {Aggregate.COUNT, Aggregate.DISTINCT}
_ROWS = "row rows record records entry entries line lines zeile zeilen eintr\u00e4ge ligne lignes fila filas registros"
ROWS = frozenset(_ROWS.split())
_PARTS = (
    "table tables sheet sheets spreadsheet file column columns csv list listed data tabelle tabellen blatt spalte"
    " tableau feuille colonne tabla hoja columna"
)
PARTS = frozenset(_PARTS.split())
# Words of a column's name that a question may leave out.
UNITS = (
    "amount eur usd chf gbp euro euros dollars kwh mwh gwh twh kw mw km m cm mm kg g t l ml h min s pcs units stk"
    " betrag montant importe"
)
# Words by which a column of numbers is known to tell things apart.
KEYS = "id ids code key nr index nummer"
# A column with several of these makes a sum of other columns meaningless.
MIXING = re.compile(
    r"\b(?:currenc(?:y|ies)|units?|w\u00e4hrung|einheit|devise|unit\u00e9|moneda|unidad)\b", re.IGNORECASE
)
YES_OR_NO = frozenset(("", "yes", "no", "y", "n", "true", "false", "x", "-", "1", "0", "ja", "nein", "j", "oui", "non"))
# Cells by which the row of a highest or lowest figure is named.
MOST_NAMING = 3


@dataclass(frozen=True, slots=True)
class Result:
    """A computed answer: `figure` from the rows `used`, of which `shown` prove it.

    `column` is -1 if rows are counted. `named` is the number of the question's words that name the table.
    """

    aggregate: Aggregate
    table: Table
    column: int
    figure: Figure
    conditions: tuple[Condition, ...]
    used: tuple[TableRow, ...]
    shown: tuple[TableRow, ...]
    named: int

    def may_be_told_by(self, other: Table) -> bool:
        """Returns True for another table with the same columns, if no word of the question names this one."""
        return other is not self.table and other.header == self.table.header and not self.named


def add_over_rows(made: Composition, question: str, tables: Sequence[Table], wording: Wording) -> bool:
    """Appends the count, sum or the like that a question asks for; returns False if there is none, or it is unclear.

    Every word of the question has to name the calculation, a column, a condition or the table.

    Args:
        made: the answer so far.
        question: the question.
        tables: the tables that may answer.
        wording: reads the words of the question and the tables.
    """
    asked = Question(" ".join(question.split()), wording)
    wanted = read_wanted(asked.text)
    if wanted is None:
        return False
    tables = list({tuple(row.cells for row in table.rows): table for table in reversed(tables)}.values())
    found = [result for table in tables if (result := _result(asked, wanted, table))]
    named = max((one.named for one in found), default=0)
    best = [one for one in found if one.named == named]
    if len(best) != 1 or any(best[0].may_be_told_by(other) for other in tables):
        return False
    _add(made, best[0])
    return True


def _result(asked: Question, wanted: Wanted, table: Table) -> Result | None:
    """Returns the answer of one table; None if it does not account for every word of the question."""
    conditions = read_conditions(asked, table)
    if conditions is None:
        return None
    reading = _Reading(asked, wanted, table, conditions)
    used = reading.rows()
    column = reading.measure()
    calculating = set[int]().union(*(asked.at(*place) for place in wanted.places))
    if any(one.words & calculating for one in conditions):
        return None
    if not used or column is None or not reading.is_understood(column):
        return None
    if column < 0:
        return reading.count(used)
    return reading.compute(column, used)


class _Reading:
    """One reading of a question over one table.

    Args:
        asked: the question.
        wanted: the aggregate.
        table: the table.
        conditions: the conditions of the question in this table.
    """

    def __init__(self, asked: Question, wanted: Wanted, table: Table, conditions: Sequence[Condition]) -> None:
        self._asked, self._wanted, self._table, self._conditions = asked, wanted, table, tuple(conditions)
        self._wording = asked.wording
        self._used = set[int]().union(*(one.words for one in conditions))
        self._used |= set[int]().union(*(asked.at(*place) for place in wanted.places))
        self._used |= {i for i, word in enumerate(asked.words) if asked.wording.skips(word)}
        self._named = table.naming(asked.wording)
        self._names = column_names(asked, table)
        self._note_columns_of_conditions()

    def _note_columns_of_conditions(self) -> None:
        """Accounts for the names of columns that stand beside their conditions."""
        for condition in self._conditions:
            for column, words in self._names:
                beside = (i for i in range(len(self._asked.words)) if i not in words and i not in self._used)
                low, high = min(condition.words), max(condition.words)
                gap = range(max(words) + 1, low) if max(words) < low else range(high + 1, min(words))
                if column == condition.column and not set(gap) & set(beside):
                    self._used |= words

    def rows(self) -> tuple[TableRow, ...]:
        """Returns the rows that fulfil all conditions."""
        kept = set(range(len(self._table.rows))).intersection(*(one.rows for one in self._conditions))
        return tuple(row for i, row in enumerate(self._table.rows) if i in kept)

    def _left(self) -> dict[int, str]:
        return {i: word.term for i, word in enumerate(self._asked.words) if i not in self._used}

    def measure(self) -> int | None:
        """Returns the column of figures that the question names, -1 if it counts rows; None if unclear.

        A column whose full name is in the question comes before one of which only the unit is missing.
        """
        left = self._left()
        full = {c: words for c, words in self._names if c in self._table.figure_columns and words <= left.keys()}
        if full:
            longest = max(map(len, full.values()))
            best = [column for column, words in full.items() if len(words) == longest]
        else:
            best = [column for column in self._table.figure_columns if self._lacks_unit(column, set(left.values()))]
        counts = self._wanted.aggregate in COUNTS or (self._wanted.counts and self._wanted.aggregate is Aggregate.SUM)
        if not best and counts:
            return -1
        return best[0] if len(best) == 1 and self._wanted.aggregate not in COUNTS else None

    def _lacks_unit(self, column: int, terms: set[str]) -> bool:
        """Returns True if terms are the name of a column but for its unit."""
        name = self._name(column)
        return bool(name & terms) and name - terms <= self._wording.terms(UNITS)

    def _name(self, column: int) -> frozenset[str]:
        return self._wording.name(self._table.header[column])

    def is_understood(self, column: int) -> bool:
        """Returns True if every word is accounted for, with a measure in a column, or -1."""
        left = self._left()
        if any(self._asked.words[i].plain in DECISIVE for i in left):
            return False
        known = self._named
        if column >= 0:
            known |= self._wording.terms(self._table.header[column])
        for other in self.things():
            known |= self._name(other)
        return all(
            term in known or self._asked.words[i].plain in ROWS | PARTS or self._joins(i) for i, term in left.items()
        )

    def things(self) -> list[int]:
        """Returns the columns of words that are counted, or that the row of an extreme is asked for by."""
        left = self._left()
        if self._wanted.aggregate not in COUNTS | EXTREMES and not self._wanted.counts:
            return []
        words_only = [(c, words) for c, words in self._names if c not in self._table.figure_columns]
        if self._wanted.aggregate in COUNTS or self._wanted.counts:
            noun = min((i for i in left if self._asked.words[i].start >= self._wanted.counts), default=-1)
            words_only = [(c, words) for c, words in words_only if noun in words]
        return [c for c, words in words_only if words <= left.keys() and not self._is_yes_or_no(c)]

    def _is_yes_or_no(self, column: int) -> bool:
        return {cell.casefold() for cell in self._table.cells(column)} <= YES_OR_NO

    def _joins(self, at: int) -> bool:
        """Returns True for an "and" between two words that are accounted for."""
        beside = {i for i in (at - 1, at + 1) if 0 <= i < len(self._asked.words)}
        return self._asked.words[at].plain in AND and beside <= self._used

    def named(self, column: int) -> int:
        """Returns how many words of the question name the table, and not its column."""
        own = self._name(column) if column >= 0 else frozenset()
        return sum(term in self._named - own for term in self._left().values())

    def count(self, used: tuple[TableRow, ...]) -> Result | None:
        """Returns the number of rows, or of different values; None if the question may mean the other one."""
        after = [i for i in sorted(self._left()) if self._asked.words[i].start >= self._wanted.counts]
        if not after:
            return None
        noun, plain = self._asked.words[after[0]].term, self._asked.words[after[0]].plain
        counted = [c for c in range(len(self._table.header)) if noun in self._name(c)]
        different = [len({row.cells[c] for row in used} - {""}) for c in counted]
        if self._wanted.aggregate is Aggregate.DISTINCT:
            return self._counted(used, counted[0], different[0]) if len(counted) == 1 and different[0] else None
        if any(c in self._table.figure_columns and not self._is_key(c, noun) for c in counted):
            return None
        rows_meant = plain in ROWS or bool(counted) or noun in self._named
        if not rows_meant or (not counted and plain in PARTS):
            return None
        return self._counted(used, -1, len(used)) if all(n == len(used) for n in different) else None

    def _is_key(self, column: int, noun: str) -> bool:
        """Returns True for a column of numbers that tell things apart: "Order ID"."""
        return bool(self._name(column) - {noun}) and self._name(column) - {noun} <= self._wording.terms(KEYS)

    def _counted(self, used: tuple[TableRow, ...], column: int, number: int) -> Result:
        aggregate = Aggregate.COUNT if column < 0 else Aggregate.DISTINCT
        figure = Figure(Decimal(number))
        shown = used[:MOST_NOTED]
        return Result(aggregate, self._table, column, figure, self._conditions, used, shown, self.named(column))

    def compute(self, column: int, used: tuple[TableRow, ...]) -> Result | None:
        """Returns the aggregate of a column; None for one row, whose cell is quoted, and for figures of several units.

        A total that the table states has to agree with the sum of its rows.
        """
        table, aggregate = self._table, self._wanted.aggregate
        filled = tuple(row for row in used if row.cells[column] not in NO_FIGURE)
        figures = [figure for row in filled if (figure := table.figure(row, column))]
        units = {figure.unit for figure in figures}
        if len(figures) != len(filled) or len(figures) < 2 or len(units) != 1 or len(table.totals) > 1:  # noqa: PLR2004
            return None
        if aggregate is Aggregate.SUM and units.pop().is_percent:
            return None
        mixing = [c for c, name in enumerate(table.header) if c != column and MIXING.search(name)]
        if any(len({row.cells[c] for row in filled}) > 1 for c in mixing):
            return None
        if any(len({row.cells[c] for row in used}) < len(used) for c in self.things()):
            return None
        found = computed(aggregate, figures)
        totals = tuple(row for row in table.totals if not self._conditions and aggregate is Aggregate.SUM)
        if any((total := table.figure(row, column)) is None or total.value != found.value for row in totals):
            return None
        extreme = tuple(r for r, f in zip(filled, figures, strict=True) if f.value == found.value)
        shown = (extreme if aggregate in EXTREMES else filled)[:MOST_NOTED]
        return Result(aggregate, table, column, found, self._conditions, filled, (*shown, *totals), self.named(column))


def _add(made: Composition, result: Result) -> None:
    """Appends "Sum of Amount where Region is North, computed from 17 of 120 rows of orders.csv: 12,340 [1] [2]"."""
    table, aggregate = result.table, result.aggregate
    passage = table.passage
    of = (
        ""
        if aggregate is Aggregate.COUNT
        else f" {'' if aggregate in EXTREMES else 'of '}{table.header[result.column]}"
    )
    where = " and ".join(one.described for one in result.conditions)
    rows = (
        f"{len(result.used):,} of {len(table.rows):,} rows"
        if where or len(result.used) < len(table.rows)
        else (f"all {len(table.rows):,} rows")
    )
    lead = f"{aggregate}{of}{f' where {where}' if where else ''}, computed from {rows} of {table.name}: "
    figure = str(result.figure)
    by = f" ({_described(result)})" if aggregate in EXTREMES else ""
    notes = [made.cite(passage, row.start, row.end) for row in result.shown]
    head, end = table.start, len(passage.text)
    notes.append(made.cite(passage, head, end if end - head <= MOST_SHOWN else passage.text.index("\n", head)))
    words = f"{escaped(lead)}{figure}{escaped(by)}"
    markers = " ".join(f"[{note}]" for note in dict.fromkeys(notes))
    at = len(escaped(lead))
    made.add(f"{words} {markers}", words, notes, spans=[(at, at + len(figure))])


def _described(result: Result) -> str:
    """Names the rows of an extreme by their first cells."""
    table = result.table
    names = [i for i in range(len(table.header)) if i not in table.figure_columns][:MOST_NAMING] or [0]
    return "; ".join(
        ", ".join(" ".join(filter(None, (table.header[i], row.cells[i]))) for i in names if row.cells[i])
        for row in result.shown
    )
