"""Joins positioned lines into paragraphs, lists and headings. Pure; independent of PDF and pictures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise

# A gap of more than this many line heights ends a paragraph.
PARAGRAPH_GAP = 0.75
# Sizes that differ by at most this fraction are equal.
SAME_SIZE = 0.06
# Text larger than the body by this factor is a heading. Measured on reports, papers and manuals with known headings.
HEADING_SIZE = 1.15
MOST_HEADING_CHARACTERS = 200
MOST_HEADING_LINES = 3
DEEPEST_HEADING = 4
# A line that ends this far (as a fraction of the paragraph's width) before its right edge ends the paragraph.
RAGGED = 0.25
BULLET = re.compile(
    r"^(?:[•◦▪●‣·∙\u2013\u2014*\u2023\uf0b7-]\s+|\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)]\s+)(?=\S)", re.IGNORECASE
)
NUMBER = re.compile(r"^[($€£¥+\-\u2013\u2014]*\d[\d.,]*[%)]*$|^[\u2013\u2014-]$|^[$€£¥%)(]+$")
# A row belongs to a table if at least this fraction of its words, and this many, are numbers.
TABULAR_SHARE = 0.35
TABULAR_NUMBERS = 2


@dataclass(frozen=True, slots=True)
class Word:
    """A word and its position, in the coordinates of its line."""

    text: str
    left: float
    right: float
    bottom: float
    top: float


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text. Positions and size in points, from the page's lower left; size is the height of its characters.

    A word hyphenated at the line's end ends in a soft hyphen (U+00AD). `words` are its words with their positions.
    """

    text: str
    left: float
    right: float
    bottom: float
    top: float
    size: float
    words: tuple[Word, ...] = ()


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Joined lines that belong together."""

    text: str
    size: float
    lines: int
    is_list: bool = False
    words: tuple[Word, ...] = ()
    is_table: bool = False

    @property
    def may_be_heading(self) -> bool:
        """Returns True if it is short enough for a heading and contains a word."""
        return (
            not self.is_list
            and not self.is_table
            and self.lines <= MOST_HEADING_LINES
            and len(self.text) <= MOST_HEADING_CHARACTERS
            and bool(re.search(r"[^\W\d_]{2}", self.text))
        )


def body_size(lines: Sequence[Line]) -> float:
    """Returns the size of most of the text; 0.0 if there is none."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def paragraphs(lines: Sequence[Line], body: float) -> list[Paragraph]:
    """Joins the lines of a page into paragraphs."""
    groups: list[list[Line]] = []
    for line in _rows(lines):
        if groups and _goes_on(groups[-1], line, body):
            groups[-1].append(line)
        else:
            groups.append([line])
    return [_joined(group) for group in groups]


def heading_levels(found: Sequence[Paragraph], body: float) -> dict[float, int]:
    """Maps font sizes to heading levels (1 to 4): sizes well above the body's, the largest first.

    Empty for a document set in large type throughout, or with more headings than body text.
    """
    large = [one for one in found if one.size >= HEADING_SIZE * body and one.may_be_heading]
    if not body or sum(len(one.text) for one in large) > sum(len(one.text) for one in found) / 2:
        return {}
    levels: dict[float, int] = {}
    last, level = 0.0, 0
    for size in sorted({one.size for one in large}, reverse=True):
        if not last or size < last * (1 - SAME_SIZE):
            level, last = level + 1, size
        levels[size] = min(level, DEEPEST_HEADING)
    return levels


def _rows(lines: Sequence[Line]) -> list[Line]:
    """Joins pieces at the same height, side by side, into one line: the cells of a table row."""
    rows: list[Line] = []
    for line in lines:
        if rows and _same_row(rows[-1], line):
            before = rows[-1]
            rows[-1] = Line(
                f"{before.text} {line.text}",
                before.left,
                line.right,
                min(before.bottom, line.bottom),
                max(before.top, line.top),
                before.size if len(before.text) >= len(line.text) else line.size,
                before.words + line.words,
            )
        else:
            rows.append(line)
    return rows


def _same_row(before: Line, line: Line) -> bool:
    overlap = min(before.top, line.top) - max(before.bottom, line.bottom)
    height = min(before.top - before.bottom, line.top - line.bottom)
    return height > 0 and overlap > height / 2 and line.left > before.right - height / 2


def _goes_on(group: list[Line], line: Line, body: float) -> bool:
    """Returns True if `line` continues the paragraph `group`."""
    last = group[-1]
    height = max(last.size, 1.0)
    gap = last.bottom - line.top
    if gap > PARAGRAPH_GAP * height or line.bottom > last.top:  # further down, or at the top of the next column
        return False
    if abs(line.size - last.size) > SAME_SIZE * height and not _is_row(line) and not _is_row(last):
        return False
    is_heading = last.size >= HEADING_SIZE * body
    return not (is_heading and line.size < last.size)


def _joined(group: list[Line]) -> Paragraph:
    is_list = bool(BULLET.match(group[0].text))
    right = max(line.right for line in group)
    width = right - min(line.left for line in group)
    text = group[0].text
    for before, line in pairwise(group):
        text = _join(text, line.text, on_one_line=_wraps(before, line, right - RAGGED * width))
    # PDFium joins some hyphenated lines itself; before a capital or a digit the hyphen belongs to the word.
    text = re.sub(r"\u00ad(?=[a-z])", "", text).replace("\u00ad", "-")
    words = tuple(word for line in group for word in line.words)
    return Paragraph(text, group[0].size, len(group), is_list, words)


def _wraps(before: Line, line: Line, full: float) -> bool:
    """Returns True if text runs on from one line to the next, as in prose but not in rows and list items."""
    return before.right >= full and not BULLET.match(line.text) and not _is_row(before) and not _is_row(line)


def _join(text: str, line: str, *, on_one_line: bool) -> str:
    if text.endswith("\u00ad"):
        return text[:-1] + line
    if on_one_line and re.search(r"[^\W\d_]-$", text) and re.match(r"[a-z]", line):
        return text + line
    return f"{text} {line}" if on_one_line else f"{text}\n{line}"


def _is_row(line: Line) -> bool:
    words = line.text.split()
    numbers = sum(bool(NUMBER.match(word)) for word in words)
    return numbers >= TABULAR_NUMBERS and numbers >= TABULAR_SHARE * len(words)
