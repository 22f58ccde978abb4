"""Reads a table as a whole from the stored text of its document, however few of its rows a search found."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import PurePath

from app.answering.computation.question_words import Wording
from app.answering.tables import ReadsText, table_bounds, table_runs
from app.models import Passage
from app.text import MOST_LEAD, Figure, TableRow, decimal_mark, figure_at, table_rows

MOST_TABLES = 8
# The place of a passage of a paged document, whose tables may go on on the next page.
PAGE = "page "
# A cell of a row that sums up others.
TOTAL = re.compile(
    r"\b(?:(?:sub|grand|zwischen|gesamt|end|sous-)[\s-]?)?"
    r"(?:totals?|totale[sn]?|totaux|sums?|summen?|gesamt|insgesamt|gesamtbetrag|endbetrag|sommes?|sumas?)\b",
    re.IGNORECASE,
)
# The beginning of a row that is part of the one above.
PART = re.compile(r"\W*(?:of which|thereof|davon|darunter|dont|de los cuales|di cui)\b", re.IGNORECASE)
# Several things in a name: "Guests and speakers" does not say what a row is.
SEVERAL = re.compile(r"[,;&/+]|\b(?:and|or|und|oder|et|ou|y|o|e)\b", re.IGNORECASE)
NO_FIGURE = frozenset(("", "-", "\u2013", "\u2014", "\u2212"))
# Share of figures among the filled cells of a column of figures.
MOSTLY = 0.5


@dataclass(frozen=True)
class Table:
    """A table with one header, a row for each thing and no groups.

    `passage` has the whole table as its text, below what names it, from `start` on; `rows` are without `totals`.
    """

    passage: Passage
    start: int
    rows: tuple[TableRow, ...]
    totals: tuple[TableRow, ...]
    comma_expected: bool = False

    @property
    def header(self) -> tuple[str, ...]:
        """The names of its columns."""
        return self.rows[0].header

    @property
    def name(self) -> str:
        """Its sheet and file, as the answer names it."""
        file = PurePath(self.passage.document).name
        return f"{self.passage.place} of {file}" if self.passage.place else file

    @cached_property
    def mark(self) -> str | None:
        """The decimal mark of its figures; None if unclear."""
        cells = (cell for row in self.rows for cell in row.cells)
        return decimal_mark(cells, comma_expected=self.comma_expected)

    def cells(self, column: int) -> list[str]:
        """Returns the texts of a column."""
        return [row.cells[column] for row in self.rows]

    @cached_property
    def figure_columns(self) -> tuple[int, ...]:
        """The positions of the columns of figures."""
        return tuple(i for i in range(len(self.header)) if self._is_of_figures(i))

    def _is_of_figures(self, column: int) -> bool:
        filled = [row for row in self.rows if row.cells[column] not in NO_FIGURE]
        return bool(filled) and sum(self.figure(row, column) is not None for row in filled) >= MOSTLY * len(filled)

    def figure(self, row: TableRow, column: int) -> Figure | None:
        """Returns the figure of a cell; None if it has none."""
        return figure_at(row, column, self.mark) if self.mark else None

    def naming(self, wording: Wording) -> frozenset[str]:
        """Returns the terms of the names of the table, each of one thing: its sheet, file, title and heading.

        Its caption is none of them: prose may tell what some of the rows are.
        """
        passage = self.passage
        names = (PurePath(passage.document).stem, passage.place, passage.title, *passage.heading[-1:])
        return wording.terms(*(name for name in names if not SEVERAL.search(name.replace("_", " "))))


def whole_tables(passages: Sequence[Passage], read: ReadsText, *, comma_expected: bool) -> Iterator[Table]:
    """Yields the tables that passages are parts of, in their order.

    Tables with groups or uneven rows are left out, and those on pages.

    Args:
        passages: what a search found.
        read: reads the text of documents.
        comma_expected: True if the language of the passages has a decimal comma.
    """
    known: list[tuple[str, int, int]] = []
    for passage in passages:
        if passage.place.rpartition(", ")[2].startswith(PAGE):
            continue
        for start, end in table_runs(passage.text):
            at = passage.start + start
            if any(version == passage.version_id and first <= at < last for version, first, last in known):
                continue
            if len(known) == MOST_TABLES:
                return
            place = table_bounds(passage, start, end, read)
            known.append((passage.version_id, *(place or (at, passage.start + end))))
            if place and (table := _table(passage, *place, read)):
                yield replace(table, comma_expected=comma_expected)


def _table(passage: Passage, start: int, end: int, read: ReadsText) -> Table | None:
    lead = read(passage.version_id, max(0, start - MOST_LEAD), start)
    lead = lead.partition("\n")[2] if start > MOST_LEAD else lead
    text = lead + read(passage.version_id, start, end).rstrip("\n")
    rows = [row for row in table_rows(text) if row.start >= len(lead)]
    lines = text.count("\n", len(lead)) + 1
    header = rows[0].header if rows else ()
    # Two lines are the header and its rule; rows of another form would be left out of the calculation.
    if not header or len(rows) != lines - 2 or any(row.header != header or row.group for row in rows):
        return None
    if any(PART.match(row.cells[0]) for row in rows):
        return None
    totals = tuple(row for row in rows if _is_total(row))
    kept = tuple(row for row in rows if row not in totals)
    whole = replace(passage, start=start - len(lead), end=start - len(lead) + len(text), text=text, header="")
    return Table(whole, len(lead), kept, totals) if kept else None


def _is_total(row: TableRow) -> bool:
    """Returns True for a row with a word for a total, or with nothing but a figure below cells of words."""
    filled = [cell for cell in row.cells if cell]
    return any(TOTAL.search(cell) for cell in filled) or (len(row.cells) > 2 and len(filled) == 1)  # noqa: PLR2004
