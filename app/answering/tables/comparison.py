"""Compares the same figures of several documents in a small table, each cell with its footnote."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import PurePath

from app.answering.quotes import Composition, escaped
from app.answering.tables.asked import Asked
from app.answering.tables.columns import chosen_columns
from app.answering.tables.reading import Row
from app.answering.tables.rows import dated
from app.models import Passage
from app.text import with_scale, without_rule, without_scale

# Most documents in a table.
MOST_DOCUMENTS = 12


def document_name(passage: Passage, others: Sequence[Passage]) -> str:
    """Returns the name of a passage's document, by its file where other documents have the same title."""
    same = {one.version_id for one in others if one.name == passage.name} - {passage.version_id}
    return PurePath(passage.document).stem if same else passage.name


def add_comparison(made: Composition, asked: Asked, documents: Sequence[Sequence[Row]]) -> None:
    """Appends a table with a row for each document, the oldest first, and a column for each label.

    Args:
        made: the answer so far.
        asked: the question.
        documents: the rows of each document that answer, the best first.
    """
    passages = [rows[0].passage for rows in documents]
    ordered = sorted(documents[:MOST_DOCUMENTS], key=lambda rows: dated(rows[0]))
    repeated = {name for rows in ordered for name, n in Counter(one.figure_name for one in rows).items() if n > 1}

    def key(one: Row) -> str:
        """Returns what tells a column apart: the figure's name, below that of its group where a document needs it."""
        return one.name.casefold() if one.figure_name in repeated else one.figure_name

    labels: dict[str, str] = {}
    for one in (one for rows in ordered for one in rows):
        labels.setdefault(key(one), one.name if one.figure_name in repeated else one.label)
    header = without_rule(f"| | Period | {' | '.join(labels.values())} |")
    for i, rows in enumerate(ordered):
        name = document_name(rows[0].passage, passages)
        cells, notes, period = {}, [], ""
        for one in rows:
            columns = chosen_columns(asked, one, own_period=True)
            note = made.cite(one.passage, one.row.start, one.row.end)
            notes.append(note)
            period = period or (without_scale(one.row.header[columns[0]]) if one.row.header and columns else "")
            figures = [with_scale(one.row, column) for column in columns] or [" ".join(one.row.cells[1:])]
            cells[key(one)] = (" ".join(figures), note)
        told = [f"{escaped(cells[label][0])} [{cells[label][1]}]" if label in cells else "" for label in labels]
        line = f"| {escaped(name)} | {escaped(period)} | {' | '.join(told)} |"
        words = " | ".join([name, period, *(cells[label][0] for label in labels if label in cells)])
        made.add(line if i else f"{escaped(header)}\n{line}", words, notes, gap="\n" if i else "\n\n")
