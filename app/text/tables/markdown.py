"""Reads rows of Markdown tables: their cells, and the header above them. Pure."""

from __future__ import annotations

import re
from itertools import takewhile

RULE = re.compile(r"\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?")
BORDER = re.compile(r"(?<!\\)\|")


def row_cells(row: str) -> list[str]:
    """Returns the text between the bars of a row, as written; the outer bars may be missing."""
    inner = row.strip().removeprefix("|")
    found = BORDER.split(inner)
    return [cell.strip() for cell in (found[:-1] if len(found) > 1 and not found[-1].strip() else found)]


def without_rule(header: str) -> str:
    """Returns a header row with the rule below it, as Markdown requires; "" for ""."""
    names = row_cells(header)
    return f"| {' | '.join(names)} |\n|{' --- |' * len(names)}" if header.strip() else ""


def header_of(text: str, start: int, above: str = "") -> str:
    """Returns the header of the row that begins at `start`; "" if it is not a row, or its header is unknown.

    Args:
        text: rows, with or without other text around them.
        start: the start of a line.
        above: the header of the table in which the text begins; "" if it does not begin in one.

    Returns:
        A row with as many cells as the row below it.
    """
    row = text[start:].partition("\n")[0]
    if not row.lstrip().startswith("|"):
        return ""
    before = text[:start].splitlines()
    table = [line.strip() for line in takewhile(lambda line: line.lstrip().startswith("|"), reversed(before))][::-1]
    begins_here = len(table) > 1 and RULE.fullmatch(table[1])
    header = table[0] if begins_here else above if len(table) == len(before) else ""
    return header if header and len(row_cells(header)) == len(row_cells(row)) else ""


def is_data_row(text: str, start: int) -> bool:
    """Returns True if the row that begins at `start` has more than a label, and is no header: no rule is below it."""
    row, _, below = text[start:].partition("\n")
    cells = row_cells(row)
    named = len(cells) == 1 or len([cell for cell in cells if cell]) > 1
    return named and not RULE.fullmatch(below.partition("\n")[0].strip())
