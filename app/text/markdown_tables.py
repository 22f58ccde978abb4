"""Rows of Markdown tables: their cells, and the header that names them. Pure."""

from __future__ import annotations

import re
from itertools import takewhile

RULE = re.compile(r"\|?(?:\s*:?-+:?\s*\|)*\s*:?-+:?\s*\|?")
BORDER = re.compile(r"(?<!\\)\|")


def row_cells(row: str) -> list[str]:
    """What stands between the bars of a row, as written; the outer bars may be missing."""
    inner = row.strip().removeprefix("|")
    found = BORDER.split(inner)
    return [cell.strip() for cell in (found[:-1] if len(found) > 1 and not found[-1].strip() else found)]


def without_rule(header: str) -> str:
    """A header row with the rule below it, as Markdown wants it; "" for ""."""
    names = row_cells(header)
    return f"| {' | '.join(names)} |\n|{' --- |' * len(names)}" if header.strip() else ""


def header_of(text: str, start: int, above: str = "") -> str:
    """The header row of the row that begins at `start`; "" where it is no row, or nobody knows what names its cells.

    Args:
        text: rows, with or without other text around them.
        start: of a line.
        above: the header of the table that the text begins in the middle of; "" where it does not.

    Returns:
        A row with as many cells as the one it names.
    """
    row = text[start:].partition("\n")[0]
    if not row.lstrip().startswith("|"):
        return ""
    before = text[:start].splitlines()
    table = [line.strip() for line in takewhile(lambda line: line.lstrip().startswith("|"), reversed(before))][::-1]
    begins_here = len(table) > 1 and RULE.fullmatch(table[1])
    header = table[0] if begins_here else above if len(table) == len(before) else ""
    return header if header and len(row_cells(header)) == len(row_cells(row)) else ""
