"""Recognises tables of contents, whose numbers are pages. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

PAGE = re.compile(r"\d{1,4}")
# A line that is the title of a table of contents, the words above its column of pages, and how its lines may begin:
# "Item 1A.", "2.3", "Chapter 4", "Anhang B".
TITLE = re.compile(
    r"^[^\w\n]*+(?:(?:table\s+of\s+)?contents|inhalt(?:sverzeichnis|s\u00fcbersicht)?|sommaire|table\s+des\s+mati\u00e8res"
    r"|(?:tabla\s+de\s+)?contenidos?|\u00edndice|indice|sommario)[^\w\n]*+$",
    re.IGNORECASE | re.MULTILINE,
)
PAGE_WORD = re.compile(r"\W*+(?:page|pages|seite|seiten|p\u00e1gina|pagina|\d{1,4})?\W*+", re.IGNORECASE)
NUMBERED = re.compile(
    r"\W*(?:(?:item|chapter|section|part|note|appendix|annex|article|kapitel|abschnitt|teil|anhang|chapitre|partie"
    r"|annexe|cap\u00edtulo|anexo|capitolo|allegato)\s+[\divxlc]+[a-z]?\b|\d+(?:\.\d+)+|\d+\.\s)",
    re.IGNORECASE,
)
LEAST_LINES = 3


def is_contents(lines: Sequence[tuple[str, Sequence[str]]], above: str, column: str = "") -> bool:
    """Returns True if lines with figures are the lines of a table of contents.

    Each has one whole number that is not below that of the line before, and a title says so, or most are numbered.

    Args:
        lines: the label and the figures of each line.
        above: the text above or around the lines, which may have the title on a line of its own.
        column: what is above the figures; a word other than "page" tells that they are no pages.
    """
    if (
        not PAGE_WORD.fullmatch(column)
        or len(lines) < LEAST_LINES
        or not all(len(some) == 1 and PAGE.fullmatch(some[0]) for _, some in lines)
    ):
        return False
    pages = [int(some[0]) for _, some in lines]
    if any(later < earlier for earlier, later in pairwise(pages)):
        return False
    return bool(TITLE.search(above)) or 2 * sum(bool(NUMBERED.match(label)) for label, _ in lines) > len(lines)
