"""Reads the rows of tables that state figures from passages. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from app.models import Passage
from app.text import TableRow, is_contents, table_rows

NOTE = re.compile(r"\(\d{1,2}\)|[\u00ae\u2122*\u2020\u2021\u00b9\u00b2\u00b3]")
TOTAL = re.compile(r"\b(?:total|gesamte?|summe|insgesamt)\b", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table with the passage that holds it."""

    passage: Passage
    row: TableRow

    @property
    def label(self) -> str:
        """Its first cell, without marks of notes."""
        return _without_notes(self.row.cells[0])

    @property
    def figure_name(self) -> str:
        """Its label case-folded and without "total", by which rows of the same figure are recognised."""
        return without_total(self.label.casefold())

    @property
    def name(self) -> str:
        """Its label below the label of its group: "Cost of sales: Products"."""
        group = _without_notes(self.row.group).strip(" :")
        return f"{group}: {self.label}" if group else self.label

    @property
    def table(self) -> tuple[str, int, tuple[str, ...], str]:
        """What tells its table apart: its version, passage, header and caption."""
        return self.passage.version_id, self.passage.start, self.row.header, self.row.caption

    @property
    def place(self) -> tuple[str, int]:
        """Its version, and its start in the text of the document."""
        return self.passage.version_id, self.passage.start + self.row.start


def rows_with_figures(passages: Sequence[Passage]) -> list[Row]:
    """Returns the rows of all passages that state figures, each place once, in the order of the passages.

    Lines of tables of contents are left out.
    """
    found: dict[tuple[str, int], Row] = {}
    for passage in passages:
        rows = [row for row in table_rows(passage.text, passage.header, passage.caption) if row.figures]
        above = f"{passage.above}\n{passage.text}"
        for _, some in groupby(rows, key=lambda row: (row.header, row.caption)):
            table = list(some)
            if not _is_contents(table, above):
                for one in (Row(passage, row) for row in table):
                    found.setdefault(one.place, one)
    return list(found.values())


def _is_contents(table: Sequence[TableRow], above: str) -> bool:
    lines = [(" ".join(row.cells[: row.figures[0]]), [row.cells[i] for i in row.figures]) for row in table]
    header, at = table[0].header, table[0].figures[0]
    return is_contents(lines, above, header[at] if header else "")


def _without_notes(label: str) -> str:
    return " ".join(NOTE.sub("", label).split())


def without_total(label: str) -> str:
    """Returns a label without the word for a total."""
    return " ".join(TOTAL.sub("", label).split()) or label
