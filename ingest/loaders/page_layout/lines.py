"""Joins positioned lines into paragraphs and lists. Pure; independent of PDF and pictures."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from itertools import pairwise

# A gap of more than this many line heights ends a paragraph.
PARAGRAPH_GAP = 0.75
# Sizes that differ by at most this fraction are equal.
SAME_SIZE = 0.06
# Text larger than the body by this factor is not joined with smaller text below it.
LARGE = 1.15
# A line that ends this far (as a fraction of the paragraph's width) before its right edge ends the paragraph.
RAGGED = 0.25
BULLET = re.compile(
    r"^(?:[•◦▪●‣·∙\u2013\u2014*\u2023\uf0b7-]\s+|\(?(?:\d{1,3}|[a-z]|[ivx]{1,5})[.)]\s+)(?=\S)", re.IGNORECASE
)
NUMBER = re.compile(r"^[($€£¥+\-\u2013\u2014]*\d[\d.,]*[%)]*$|^[\u2013\u2014-]$|^[$€£¥%)(]+$")
# From this number on, bold lines that follow each other closely are a block, not headings.
FEWEST_IN_BLOCK = 3
# A row of two pieces of which the first is a number ("Item 2.", "1.1") is one line.
FEWEST_PIECES = 2
NUMBERED = re.compile(r"^(?:[^\W\d_]{2,10}\s+)?(?:\d{1,3}(?:\.\d{1,3})*|[IVXLC]{1,5}|[A-Z])[A-Z]?[.:)]?$")
# A word without capitals, unlike "iPhone".
SMALL_WORD = re.compile(r"^[a-z\u00df-\u00ff]+\b")
IN_BRACKETS, ENDS = re.compile(r"^\(.*\)$"), re.compile(r"[.:;!?]\W*$")
# A row belongs to a table if at least this fraction of its words, and this many, are numbers.
TABULAR_SHARE = 0.35
TABULAR_NUMBERS = 2


@dataclass(frozen=True, slots=True)
class Word:
    """A word, its position in the coordinates of its line, and its type: bold, italic."""

    text: str
    left: float
    right: float
    bottom: float
    top: float
    bold: bool = False
    italic: bool = False


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

    @property
    def is_bold(self) -> bool:
        """Returns True if all words are bold."""
        return bool(self.words) and all(word.bold for word in self.words)

    @property
    def is_italic(self) -> bool:
        """Returns True if all words are italic."""
        return bool(self.words) and all(word.italic for word in self.words)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """Joined lines that belong together.

    `bold` and `italic` are True if all words are. `alone`: nothing is beside it. `apart`: white space, the edge of the
    page or a table is above it.
    """

    text: str
    size: float
    lines: int
    left: float = 0.0
    right: float = 0.0
    is_list: bool = False
    words: tuple[Word, ...] = ()
    is_table: bool = False
    bold: bool = False
    italic: bool = False
    alone: bool = True
    apart: bool = True


def body_size(lines: Sequence[Line]) -> float:
    """Returns the size of most of the text; 0.0 if there is none."""
    sizes: Counter[float] = Counter()
    for line in lines:
        sizes[line.size] += len(line.text)
    return sizes.most_common(1)[0][0] if sizes else 0.0


def paragraphs(
    lines: Sequence[Line],
    body: float,
    *,
    right: float = 0.0,
    beside: Collection[int] = (),
    single: Collection[str] = (),
) -> list[Paragraph]:
    """Joins the lines of a page into paragraphs.

    Args:
        lines: in reading order.
        body: the size of most of the text.
        right: the right edge of the text; 0.0 for that of `lines`.
        beside: the identities of lines with other lines beside them.
        single: texts of lines that are paragraphs of their own, if they are bold.
    """
    groups: list[list[Line]] = []
    shared: list[bool] = []
    right = right or max((line.right for line in lines), default=0.0)
    for line, pieces in _rows(lines):
        head = line.is_bold and groups and {line.text, groups[-1][-1].text} & set(single)
        if groups and _goes_on(groups[-1], line, body, right) and not head:
            groups[-1].append(line)
        else:
            groups.append([line])
            shared.append(False)
        numbered = len(pieces) == FEWEST_PIECES and NUMBERED.match(pieces[0].text)
        shared[-1] |= not numbered and any(id(piece) in beside for piece in pieces)
    groups, shared = _with_blocks(groups, shared, single)
    found = []
    for i, group in enumerate(groups):
        above = groups[i - 1][-1] if i else None
        apart = not above or _is_apart(above, group[0])
        found.append(replace(_joined(group), alone=not shared[i], apart=apart))
    return found


def _with_blocks(
    groups: list[list[Line]], shared: list[bool], single: Collection[str]
) -> tuple[list[list[Line]], list[bool]]:
    """Joins three or more bold lines that follow each other closely: an address rather than headings."""
    joined: list[list[Line]] = []
    beside: list[bool] = []
    at = 0
    while at < len(groups):
        end = at + 1
        while end < len(groups) and _is_block(groups[end - 1], groups[end], single):
            end += 1
        end = end if end - at >= FEWEST_IN_BLOCK else at + 1
        joined.append([line for group in groups[at:end] for line in group])
        beside.append(any(shared[at:end]))
        at = end
    return joined, beside


def _is_block(above: Sequence[Line], below: Sequence[Line], single: Collection[str]) -> bool:
    last, line = above[-1], below[0]
    return (
        all(one.is_bold and one.text not in single and not IN_BRACKETS.match(one.text) for one in (last, line))
        and abs(line.size - last.size) <= SAME_SIZE * last.size
        and not _is_apart(last, line)
    )


def _rows(lines: Sequence[Line]) -> list[tuple[Line, list[Line]]]:
    """Joins pieces at the same height, side by side, into one line, such as the cells of a row; with its pieces."""
    rows: list[tuple[Line, list[Line]]] = []
    for line in lines:
        if rows and _same_row(rows[-1][0], line):
            before, pieces = rows[-1]
            joined = Line(
                f"{before.text} {line.text}",
                before.left,
                line.right,
                min(before.bottom, line.bottom),
                max(before.top, line.top),
                before.size if len(before.text) >= len(line.text) else line.size,
                before.words + line.words,
            )
            rows[-1] = joined, [*pieces, line]
        else:
            rows.append((line, [line]))
    return rows


def _same_row(before: Line, line: Line) -> bool:
    overlap = min(before.top, line.top) - max(before.bottom, line.bottom)
    height = min(before.top - before.bottom, line.top - line.bottom)
    return height > 0 and overlap > height / 2 and line.left > before.right - height / 2


def _goes_on(group: list[Line], line: Line, body: float, right: float) -> bool:
    """Returns True if `line` continues the paragraph `group`."""
    last = group[-1]
    height = max(last.size, 1.0)
    if _is_apart(last, line):
        return False
    if abs(line.size - last.size) > SAME_SIZE * height and not _is_row(line) and not _is_row(last):
        return False
    is_large = last.size >= LARGE * body
    return not (is_large and line.size < last.size) and not _changes_type(group, line, 0.0 if is_large else right)


def _is_apart(above: Line, line: Line) -> bool:
    """Returns True if a line is further down, or at the top of the next column."""
    return above.bottom - line.top > PARAGRAPH_GAP * max(above.size, 1.0) or line.bottom > above.top


def _changes_type(group: Sequence[Line], line: Line, right: float) -> bool:
    """Returns True if a heading in bold or italic type ends or begins.

    One also ends at a line in brackets, and where the next line's first word would have fitted left of `right`.
    """
    last = group[-1]
    if last.is_bold and line.is_bold:
        fits = last.right + line.words[0].right - line.words[0].left + last.size < right
        return fits or bool(IN_BRACKETS.match(last.text) or IN_BRACKETS.match(line.text))
    if last.is_bold != line.is_bold:
        return (line.is_bold and ENDS.search(last.text) is not None) or all(one.is_bold for one in group)
    return last.is_italic and not line.is_italic and len(group) == 1


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
    bold, italic = (bool(words) and all(getattr(word, name) for word in words) for name in ("bold", "italic"))
    left = min(line.left for line in group)
    return Paragraph(text, group[0].size, len(group), left, right, is_list, words, bold=bold, italic=italic)


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
