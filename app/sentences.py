"""Text -> spans of its sentences: prose, list items, rows of tables, headings. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

# One or several markers such as " [1] [2, 3]": they belong to the sentence that they follow,
# all of them, also at the end of the text (hence the possessive "*+").
MARKERS = r"(?:\s*(?:\[\d[\d\s,;\u2013-]*\]|\u3010\d[^\u3011]*\u3011))*+"
ENDING = re.compile(
    rf"(?:[.!?\u2026]+[\"'\u201d\u2019)\]*_]*{MARKERS}(?=\s+[^\s])"  # and what follows must look like a beginning
    rf"|[\u3002\uff01\uff1f][\u201d\u2019\u300d\u300f]*{MARKERS})"
)
BEGINNING = re.compile(r"\s+[\"'\u201c\u2018(\[*_#>-]*[A-Z0-9\u00c0-\u00de\u0370-\uffff\U00010000-\U0010ffff]")
ABBREVIATION = re.compile(
    r"(?:^|[\s(\[\"'])(?:e\.g|i\.e|cf|vs|etc|al|approx|ca|no|nos|vol|fig|figs|eq|eqs|sec|ch|pp?|ed|eds|dr|mr|mrs|ms|prof|gen|maj|sgt|col|lt|capt|gov|sen|rep|rev|hon|"
    r"st|inc|corp|ltd|co|jr|sr|dept|est|min|max|art|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec|[a-z]|(?:[a-z]\.)+[a-z])\.$",
    re.IGNORECASE,
)
# "… in the U.S. The" ends a sentence all the same when what follows is one of these.
STARTERS = re.compile(r"\s+(?:The|This|These|It|In|A|An|We|He|She|They|However|But|And|For|On|At|As)\b")
OWN_LINE = re.compile(r"\s*(?:[-*+\u2022]\s|\d{1,3}[.)]\s|\||#{1,6}\s|>|```|~~~)")
NUMBER = re.compile(r"[($\u20ac\u00a3+\-\u2013\u2014]*\d[\d.,]*[%)]*$")
# A line shorter than this was ended on purpose; a longer one may have been wrapped.
WRAPPED_CHARACTERS = 45
ROW_SHARE = 0.35


def split(text: str) -> list[tuple[int, int]]:
    """Spans of the sentences of `text`, in order, without white space around them.

    A list item, a row of a table and a heading count as sentences of their own; a block of code as one.
    """
    return [span for start, end in _units(text) for span in _sentences(text, start, end)]


def _units(text: str) -> Iterator[tuple[int, int]]:
    """Spans that no sentence crosses: paragraphs, items, rows, headings, code."""
    start, at, fence = 0, 0, ""
    lines = text.splitlines(keepends=True)
    for line, following in pairwise([*lines, ""]):
        at += len(line)
        mark = line.lstrip()[:3]
        if fence:
            fence = "" if mark == fence and line.strip() == fence else fence
            ends = not fence
        elif mark in {"```", "~~~"}:
            fence, ends = mark, False
        else:
            ends = _ends_unit(line, following)
        if ends or not following:
            yield start, at
            start = at


def _ends_unit(line: str, following: str) -> bool:
    here = line.strip()
    if not here or not following.strip() or OWN_LINE.match(following) or here.startswith(("|", "#")):
        return True
    return len(here) < WRAPPED_CHARACTERS or _is_row(here)


def _is_row(line: str) -> bool:
    """Whether a line is one of a table without rules: words, then numbers."""
    words = [word for word in line.split() if any(c.isalnum() for c in word)]
    numbers = [bool(NUMBER.match(word)) and not word.endswith(",") for word in words]
    return sum(numbers) > 1 and (sum(numbers) >= ROW_SHARE * len(words) or all(numbers[-2:]))


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if OWN_LINE.match(text, start) and text[start:end].lstrip()[:1] in {"|", "`", "~", "#"}:
        yield from _stripped(text, start, end)
        return
    at = start
    for ending in ENDING.finditer(text, start, end):
        if _is_end(text, at, ending, end):
            yield from _stripped(text, at, ending.end())
            at = ending.end()
    yield from _stripped(text, at, end)


def _is_end(text: str, start: int, ending: re.Match[str], end: int) -> bool:
    if ending.group()[0] in "\u3002\uff01\uff1f":
        return True
    if not BEGINNING.match(text, ending.end(), end):
        return False
    before = text[max(start, ending.start() - 12) : ending.start() + 1]
    if ending.group().startswith(".") and (ABBREVIATION.search(before) or _is_item_number(text, start, ending)):
        return bool(STARTERS.match(text, ending.end(), end)) and not _is_item_number(text, start, ending)
    return True


def _is_item_number(text: str, start: int, ending: re.Match[str]) -> bool:
    return bool(re.fullmatch(r"\s*\(?\d{1,3}\.", text[start : ending.start() + 1]))


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    if piece.strip():
        yield start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
