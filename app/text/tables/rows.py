"""Reads the rows of a text's tables with what names them: header, caption and the row that begins their group. Pure.

A line that is a label and figures, as some PDFs give the rows of a table, counts as a row without a header.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import groupby, takewhile, zip_longest

from app.text.tables.markdown import RULE, row_cells
from app.text.tables.scales import stated_scales, without_scale

# Characters of the paragraph before a table that name it; number and characters of those before that, such as a title
# above a line with the unit and one that says "unaudited".
MOST_CAPTION, MOST_NAMES, MOST_NAME = 400, 2, 120
# Characters before a table that hold all of these.
MOST_LEAD = 1_200
# The beginning of a note to the table before: "(1) Including ...".
NOTE = re.compile(r"\(\d{1,2}\)\s|\*")
SIGN = "$\u20ac\u00a3\u00a5"
SIGNS = re.compile(f"[{SIGN}]")
# A cell that states a figure: a number with its signs, and at most two words ("49 euros", "(2)%", "12 km/h").
FIGURE = re.compile(
    rf"[-+\u2212\u2013~(<>\u2264\u2265\s{SIGN}]*+\d(?:[\d.,\u00a0\u202f'\u2019]|\s(?=\d{{3}}(?!\d)))*+[%)\s]*+(?:[^\W\d_][\w./\u00b2\u00b3]*+\s*+){{0,2}}"
)
YEAR = re.compile(r"(?:19|20)\d\d")
# A figure in a line of text, with its sign joined to it.
LINE_FIGURE = re.compile(rf"[{SIGN}]?[-(\u2212]?\d[\d,.]*[)%]*")
LOOSE_SIGN = re.compile(rf"([{SIGN}])\s")
MOST_LABEL, MOST_FIGURES = 120, 12
WORD = re.compile(r"[^\W_]+")
TOTALS = frozenset(("total", "totals", "gesamt", "insgesamt", "summe", "totale"))


@dataclass(frozen=True, slots=True)
class TableRow:
    """A row at [start, end) of a text, without its outer bars.

    `header` has a name for each cell, or is empty. `group` is the last row above that has a label alone ("Net sales:"),
    up to its total ("Total net sales").
    `caption` is the text just before the table. `signs` has for each cell the one currency sign of its column's
    figures, or "".
    """

    start: int
    end: int
    cells: tuple[str, ...]
    header: tuple[str, ...] = ()
    group: str = ""
    caption: str = ""
    signs: tuple[str, ...] = ()

    @property
    def figures(self) -> tuple[int, ...]:
        """The positions of the cells after the first that state a figure."""
        return tuple(i for i, cell in enumerate(self.cells) if i and FIGURE.fullmatch(cell))

    @property
    def is_mostly_figures(self) -> bool:
        """True if at least half of the filled cells after the first state a figure."""
        return 2 * len(self.figures) >= sum(map(bool, self.cells[1:]))


@dataclass(frozen=True, slots=True)
class _Line:
    text: str
    start: int

    @property
    def in_table(self) -> bool:
        return self.text.lstrip().startswith("|")


def table_rows(text: str, header: str = "", caption: str = "") -> list[TableRow]:
    """Returns the rows of all tables of a text, in order, without header rows and rows that begin a group.

    Args:
        text: text with Markdown tables.
        header: the header of the table that the text begins in; "" if it does not begin in one.
        caption: the caption of a table with which or in which the text begins; "" if it is not known.
    """
    found: list[TableRow] = []
    before, at = caption, 0
    lines = []
    for line in text.splitlines(keepends=True):
        lines.append(_Line(line, at))
        at += len(line)
    for in_table, run in groupby(lines, key=lambda line: line.in_table):
        here = list(run)
        if in_table:
            above = row_cells(header) if header and not here[0].start else []
            found += _rows(here, tuple(above), _caption(before))
            before = ""
        else:
            found += (row for line in here for row in _plain(line, _caption(before)))
            before = f"{before}{''.join(line.text for line in here)}"[-3 * MOST_CAPTION :]
    return found


def above_table(before: str) -> tuple[str, str]:
    """Returns the header row and the caption of the table to which the row after a text belongs.

    The header is "" if the row begins the table; both are "" if the text does not reach back to the table's beginning.
    """
    lines = before.splitlines(keepends=True)
    rows = [*takewhile(lambda line: line.lstrip().startswith("|"), reversed(lines))][::-1]
    if before and not before.endswith("\n"):
        return "", ""
    caption = _caption("".join(lines[: len(lines) - len(rows)]))
    if not rows:
        return "", caption
    begins = len(rows) > 1 and RULE.fullmatch(rows[1].strip())
    return (rows[0].strip(), caption) if begins else ("", "")


def _caption(before: str) -> str:
    """Returns the last paragraph of a text and the names above it, up to a heading, as they name the table below."""
    *others, last = re.split(r"\n\s*\n", before[-3 * MOST_CAPTION :].strip())
    if NOTE.match(last):
        return ""
    parts = [last]
    for part in reversed(others[-MOST_NAMES:]):
        if parts[0].startswith("#") or len(part) > MOST_NAME or part.endswith(".") or NOTE.match(part):
            break
        parts.insert(0, part)
    plain = [" ".join(part.split()).lstrip("# ") for part in parts]
    whole = " \u2013 ".join(plain).replace(" \u2013 (", " (")
    return whole if len(whole) <= MOST_CAPTION else whole[-MOST_CAPTION:].partition(" ")[2]


def _rows(lines: list[_Line], header: tuple[str, ...], caption: str) -> Iterator[TableRow]:
    group, signs = "", _signs([row_cells(line.text) for line in lines])
    rules = {i for i, line in enumerate(lines) if RULE.fullmatch(line.text.strip())}
    for i, line in enumerate(lines):
        if i in rules:
            continue
        cells = tuple(row_cells(line.text))
        if i + 1 in rules:
            header, group = cells, ""
        elif _is_group(cells):
            words = next(filter(None, cells), "")
            if stated_scales(words) and not without_scale(words):
                caption = f"{caption} {words}".strip()
            else:
                group = words
        else:
            start, end = _inside(line)
            yield TableRow(start, end, cells, header if len(header) == len(cells) else (), group, caption, signs)
            if group and _is_total_of(cells[0], group):
                group = ""


def _is_total_of(label: str, group: str) -> bool:
    """Returns True for the last row of a group: "Total operating expenses" of "Operating expenses:"."""
    words = {word.casefold() for word in WORD.findall(label)}
    return bool(words & TOTALS) and {word.casefold() for word in WORD.findall(group)} <= words


def _is_group(cells: tuple[str, ...]) -> bool:
    """Returns True for a row that is a label alone: in its first cell, or in all cells it spans.

    A figure is a label only in the first cell, or if it is a year in all cells. A table of one column has no groups.
    """
    filled = [cell for cell in cells if cell]
    if len(cells) == 1 or len(set(filled)) > 1:
        return False
    if not filled or cells[0] == filled[0] == "".join(filled):
        return True
    return not FIGURE.fullmatch(filled[0]) or (filled == list(cells) and bool(YEAR.fullmatch(filled[0])))


def _signs(rows: list[list[str]]) -> tuple[str, ...]:
    """Returns the one currency sign of each column; "" for a column without one, or with several."""
    found = ({sign for cell in column for sign in SIGNS.findall(cell)} for column in zip_longest(*rows, fillvalue=""))
    return tuple(signs.pop() if len(signs) == 1 else "" for signs in found)


def _inside(line: _Line) -> tuple[int, int]:
    """Returns the span of a row without its outer bars."""
    lead = len(line.text) - len(line.text.lstrip(" |"))
    return line.start + lead, line.start + max(lead, len(line.text.rstrip(" |\r\n")))


def _plain(line: _Line, caption: str) -> Iterator[TableRow]:
    """Yields a line such as "Total net sales $ 81,797 $ 82,959": a label, then at least two figures."""
    words = LOOSE_SIGN.sub(r"\1", line.text).split()
    figures = list(takewhile(LINE_FIGURE.fullmatch, reversed(words[-MOST_FIGURES:])))[::-1]
    label = " ".join(words[: len(words) - len(figures)])
    if len(figures) > 1 and label[:1].isalpha() and len(label) <= MOST_LABEL:
        start = line.start + len(line.text) - len(line.text.lstrip())
        yield TableRow(start, line.start + len(line.text.rstrip()), (label, *figures), caption=caption)
