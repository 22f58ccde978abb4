"""Finds the one cell that a phrase of a question names, or none: every word of the phrase has to be accounted for."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace

from app.answering.computation.periods import WORDS, columns_of
from app.answering.computation.question_words import Wording
from app.answering.tables import Row
from app.text import Figure, decimal_mark, figure_at, without_scale
from ingest.text import most_specific, periods_in

# Words that join the parts of a question for a calculation, or stand for the figures themselves.
_JOINING = (
    "and by to from between compared with than versus vs relative over as at segment segments amount amounts figure"
    " figures number numbers overall"
    " report reports reported large high big gro\u00df hoch und zwischen gegen\u00fcber zu et entre y"
)
JOINING = frozenset(_JOINING.casefold().split())
IN_PERCENT = re.compile(r"\b(?:percentages?\sof|in\s(?:percent|%))(?!\w)", re.IGNORECASE)
TOTAL = frozenset(("total", "totals", "gesamt", "insgesamt", "summe"))
# Labels of figures that are rightly negative; in other rows, a minus only says that a figure is deducted.
MAY_BE_NEGATIVE = "net income loss losses profit cash margin result change ergebnis r\u00e9sultat resultado"


@dataclass(frozen=True, slots=True)
class Cell:
    """A figure of a table, with its row and column."""

    row: Row
    column: int
    figure: Figure

    @property
    def described(self) -> str:
        """Its row and column by name: "Net sales: Services, Three Months Ended December 31, 2022"."""
        return ", ".join(filter(None, (self.row.name, without_scale(self.row.row.header[self.column]))))


@dataclass(frozen=True, slots=True)
class Sought:
    """A phrase for a figure: `hard` terms must name it, `soft` ones decide between figures of the same name."""

    hard: frozenset[str]
    soft: frozenset[str] = frozenset()
    period: str = ""
    months: int = 0


@dataclass
class Cells:
    """The cells of rows, to be found by phrases.

    Args:
        rows: rows with figures.
        wording: reads the words of the question and of the rows.
        comma_expected: True if the rows' language has a decimal comma.
    """

    rows: Sequence[Row]
    wording: Wording
    comma_expected: bool = False
    _marks: dict[tuple[str, int], str | None] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.rows = [row for row in self.rows if row.row.header]

    def find(self, sought: Sought, columns: Callable[[Row], Iterable[int]] | None = None) -> list[Cell]:
        """Returns the cells that a phrase names; all state the same figure. [] if none does, or they differ.

        Args:
            sought: the phrase.
            columns: chooses the columns of a row; those of the phrase's period if not given.
        """
        return _agreeing(self._named(sought, columns))

    def find_whole(self, sought: Sought, parts: Iterable[Cell]) -> list[Cell]:
        """Returns the cells of the whole that a phrase names, in the tables of its parts.

        Returns [] if a larger figure has the same name elsewhere: the parts may be of a part themselves.
        """
        tables = {table_of(one.row) for one in parts}
        found = replace(self, rows=[row for row in self.rows if table_of(row) in tables]).find(sought)
        beside = [one for one in self._named(sought) if found and _is_comparable(one, found[0])]
        return found if all(one.figure.value <= found[0].figure.value for one in beside) else []

    def names(self, name: str) -> bool:
        """Returns True if a name has all its words in the label or the group of a row."""
        terms = self.wording.name(name)
        return any(terms <= self._label(row) | self.wording.terms(row.row.group) for row in self.rows)

    def _named(self, sought: Sought, columns: Callable[[Row], Iterable[int]] | None = None) -> list[Cell]:
        """Returns the cells that a phrase names best, whether they state the same figure or not."""
        chosen = columns or (lambda row: columns_of(row, sought.period, sought.months))
        ranked: list[tuple[tuple[int, int], Cell]] = []
        for row in self._named_by(sought.hard):
            label = self._label(row)
            ranked += (
                ((len(label & sought.hard), len(sought.soft & self._context(row, cell.column))), cell)
                for cell in self._cells(row, chosen(row))
                if sought.hard - TOTAL <= self._context(row, cell.column) | self._above(row)
            )
        if sought.period and columns is None:
            ranked += self._in_rows_of_periods(sought)
        plain = [one for one in ranked if self._label(one[1].row) <= sought.hard] or ranked
        best = max((rank for rank, _ in plain), default=None)
        return [cell for rank, cell in plain if rank == best]

    def _in_rows_of_periods(self, sought: Sought) -> Iterator[tuple[tuple[int, int], Cell]]:
        """Yields the cells of tables with a row for each period, whose columns a phrase names, with their ranks."""
        for row in self.rows:
            if most_specific(periods_in(row.label)) != {sought.period}:
                continue
            for cell in self._cells(row, row.row.figures):
                name = self.wording.name(row.row.header[cell.column])
                known = name | self.wording.terms(row.row.group, row.row.caption) | self._above(row)
                if name & sought.hard and name - TOTAL <= sought.hard and sought.hard - TOTAL <= known:
                    yield (len(name & sought.hard), 0), cell

    def _named_by(self, terms: frozenset[str]) -> list[Row]:
        """Returns the rows all of whose label is among terms.

        A row is left out if another row of its table has one of the other terms as its whole label, and the row's
        group does not have it: with "services" and "net sales", the total of the net sales is not meant.
        """
        whole: dict[tuple[str, int, str], set[frozenset[str]]] = {}
        for row in self.rows:
            if (label := self._label(row)) and label <= terms:
                whole.setdefault(table_of(row), set()).add(label)
        kept = []
        for row in self.rows:
            label, group = self._label(row), self.wording.terms(row.row.group)
            rivals = whole.get(table_of(row), set())
            if not label & terms or not label - TOTAL <= terms:
                continue
            if all(one <= label | group for one in rivals):
                kept.append(row)
        return kept

    def of(self, row: Row) -> list[Cell]:
        """Returns all figures of a row."""
        return list(self._cells(row, row.row.figures))

    def _cells(self, row: Row, columns: Iterable[int]) -> Iterable[Cell]:
        place = (row.passage.version_id, row.passage.start)
        if place not in self._marks:
            cells = (
                cell
                for one in self.rows
                if (one.passage.version_id, one.passage.start) == place
                for cell in one.row.cells[1:]
            )
            self._marks[place] = decimal_mark(cells, comma_expected=self.comma_expected)
        mark = self._marks[place]
        for i in columns:
            if mark and (figure := figure_at(row.row, i, mark)):
                yield Cell(row, i, figure)

    def _label(self, row: Row) -> frozenset[str]:
        return self.wording.name(row.label)

    def _context(self, row: Row, column: int) -> frozenset[str]:
        """Returns the terms of all that names a cell: label, group, caption and column."""
        return self.wording.terms(row.label, row.row.group, row.row.caption, row.row.header[column])

    def _above(self, row: Row) -> frozenset[str]:
        return self.wording.terms(row.passage.above)


def _is_comparable(cell: Cell, other: Cell) -> bool:
    """Returns True for figures of one unit below the same name of a column."""
    one, two = cell.figure.unit, other.figure.unit
    names = [without_scale(some.row.row.header[some.column]).casefold() for some in (cell, other)]
    return (one.scale, one.after) == (two.scale, two.after) and names[0] == names[1]


def table_of(row: Row) -> tuple[str, int, str]:
    """Returns what tells a row's table apart: its version, passage and caption."""
    return row.passage.version_id, row.passage.start, row.row.caption


def terms_of(wording: Wording, *phrases: str) -> frozenset[str]:
    """Returns the terms by which phrases name rows: without words for kinds of periods."""
    words = (one for phrase in phrases for one in wording.words(phrase))
    return frozenset(one.term for one in words if not wording.skips(one) and one.plain not in WORDS)


def _agreeing(cells: Sequence[Cell]) -> list[Cell]:
    """Returns the cells if they state one figure; of a figure and its negative, the figure.

    Amounts come before the same rows in percent of another amount.
    """
    cells = [cell for cell in cells if not IN_PERCENT.search(f"{cell.row.row.caption} {cell.row.row.group}")] or cells
    values = {cell.figure.value for cell in cells}
    if len(values) == 2 and sum(values) == 0:  # noqa: PLR2004 - a figure and its negative
        cells = [cell for cell in cells if cell.figure.value > 0]
        values = {cell.figure.value for cell in cells}
    scales = {(cell.figure.unit.scale, cell.figure.unit.after) for cell in cells}
    signs = {cell.figure.unit.sign for cell in cells} - {""}
    return list(cells) if len(values) == 1 and len(scales) == 1 and len(signs) <= 1 else []


def may_be_negative(wording: Wording, cell: Cell) -> bool:
    """Returns True if a figure is not negative, or its name says that it may be."""
    return cell.figure.value >= 0 or bool(wording.terms(cell.row.name) & wording.terms(MAY_BE_NEGATIVE))
