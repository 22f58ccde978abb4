"""Answers with cells of tables: a line for one figure, the row below its header for several."""

from __future__ import annotations

from collections.abc import Sequence

from app.answering.quotes import Composition, escaped
from app.answering.tables.asked import Asked
from app.answering.tables.columns import chosen_columns, given_cells
from app.answering.tables.comparison import add_comparison
from app.answering.tables.reading import Row
from app.text import cell_scale, with_scale, without_rule, without_scale


def add_tables(made: Composition, asked: Asked, documents: Sequence[Sequence[Row]]) -> None:
    """Appends the rows that answer: those of one document, or a comparison of several.

    Args:
        made: the answer so far.
        asked: the question.
        documents: the rows of each document that answer.
    """
    if len(documents) == 1:
        _add_rows(made, asked, documents[0])
    elif documents:
        add_comparison(made, asked, documents)


def _add_rows(made: Composition, asked: Asked, rows: Sequence[Row]) -> None:
    """Appends the answers of rows of one document; rows with the same header follow each other below it."""
    above = ""
    for row in rows:
        columns = chosen_columns(asked, row, own_period=asked.latest or asked.names_period(row))
        note = made.cite(row.passage, row.row.start, row.row.end)
        if not row.row.header:
            words = escaped(" ".join(row.passage.text[row.row.start : row.row.end].split()))
            made.add(f"{words} [{note}]", words, [note])
            above = ""
        elif len(columns) == 1:
            _add_cell(made, asked, row, columns[0])
            above = ""
        else:
            above = _add_row(made, row, columns, note, above)


def _add_cell(made: Composition, asked: Asked, row: Row, column: int) -> None:
    """Appends a line: "Total net sales, Three Months Ended December 31, 2022: $117,154 million [1]"."""
    header, note = row.row.header, made.cite(row.passage, row.row.start, row.row.end)
    given = (f"{header[i]} {row.row.cells[i]}".strip() for i in given_cells(asked, row))
    name = ", ".join(filter(None, (row.name, *given, without_scale(header[column]))))
    lead = escaped(f"{name}: ")
    figure = escaped(with_scale(row.row, column))
    made.add(f"{lead}{figure} [{note}]", f"{lead}{figure}", [note], spans=[(len(lead), len(lead) + len(figure))])


def _add_row(made: Composition, row: Row, columns: Sequence[int], note: int, above: str) -> str:
    """Appends the row below its header, whose first cell has the unit of the figures; returns that header.

    The header is left out if it is the one `above`, of the row before.
    """
    keys = [i for i, cell in enumerate(row.row.cells) if i and i not in columns and cell and i not in row.row.figures]
    shown = [0, *sorted({*keys, *columns})]
    units = {scale.stated for i in columns if (scale := cell_scale(row.row, i))}
    unit = f"({units.pop()})" if len(units) == 1 else ""
    corner = row.row.header[0] if unit in row.row.header[0] else f"{row.row.header[0]} {unit}".strip()
    header = without_rule(f"| {' | '.join([corner, *(without_scale(row.row.header[i]) for i in shown[1:])])} |")
    cells = [row.name, *(row.row.cells[i] for i in shown[1:])]
    words = escaped(" | ".join(cells))
    line = f"| {words} [{note}] |"
    if header == above:
        made.add(line, words, [note], gap="\n")
    else:
        made.add(f"{escaped(header)}\n{line}", words, [note])
    return header
