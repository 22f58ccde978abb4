"""Detects headings by size, weight, numbering, capitals, position and the file's outline. Pure.

No single sign is enough, and a wrong heading is worse than none: check boxes, addresses, dates, cells beside others and
lines repeated at the top of pages are none.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass

from ingest.loaders.page_layout.lines import IN_BRACKETS, SAME_SIZE, SMALL_WORD, Paragraph

# Text larger than the body by this factor is a heading. Measured on reports, papers and manuals with known headings.
HEADING_SIZE = 1.15
MOST_HEADING_CHARACTERS = 200
MOST_HEADING_LINES = 3
# Limits for headings in the size of the body.
MOST_CHARACTERS, MOST_LINES = 120, 2
DEEPEST_HEADING = 6
# A heading has at least this many points; see `_points`.
FEWEST_POINTS = 3
# An italic heading stands above a paragraph of at least this many characters, at the same left edge, in points.
FEWEST_BELOW, SAME_EDGE = 80, 3.0
# Centred text is at most this wide, as a fraction of the page's text, and off the middle by at most so many points.
CENTRED_WIDTH, OFF_CENTRE = 0.8, 6.0

# Check boxes, lines to write on, signatures, addresses, and text in brackets.
NO_HEADING = re.compile("[\u2610-\u2612\u25a1\u25a0\u2713\u2714\uf06f\uf0a8\uf0fe]|_{3}|/s/|@|://|^\\(.*\\)$")
NUMBER_AT_END = re.compile(r"\b\d{4,6}$")
CONTENTS = re.compile(
    r"^(?:.* )?table of contents$|^contents$|^inhalt|^sommaire$|^table des mati|^\u00edndice|^indice|^inhoud",
    re.IGNORECASE | re.MULTILINE,
)
# Capitals are a sign of a heading from this number of letters on: shorter ones are abbreviations.
FEWEST_CAPITALS = 6
# A heading is followed by text of at least this many characters, a list or a table.
FEWEST_CONTENT = 40
# Text that begins further to the right, as a fraction of the width of the page's text, heads a column of a table.
FARTHEST_RIGHT = 0.6
SENTENCE_END = re.compile(r"[.,;:]$")
CAPTION = re.compile(r"^(?:fig(?:ure|\.)|tab(?:le|\.|elle)|abb(?:ildung|\.)|box|chart|exhibit)\s*\d", re.IGNORECASE)
LABEL = re.compile(r"\b([^\W\d_]{2,10})\s+(?:\d{1,3}|[IVXLC]{1,5}|[A-Z])[A-Z]?(?=[.:)]|\s|$)")
DECIMAL = re.compile(r"^(\d{1,2}(?:\.\d{1,2}){0,5})[.)]?\s+[^\W\d_]")
UNNUMBERED = re.compile(r"^\d{1,2}(?:\.\d{1,2})*[.)]?\s+")
CONTINUED = re.compile(
    r"(?<!\W)\W*\((?:continued|cont\W?d?\W?|fortsetzung|suite|continuaci\u00f3n)\)\W*$", re.IGNORECASE
)

Rank = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Headings:
    """The level of each heading by the identity of its paragraph, and the largest heading of the first page."""

    levels: dict[int, int]
    first: str


def find_headings(
    pages: Sequence[Sequence[Paragraph]], body: float, outline: Collection[str], repeated: Collection[str]
) -> Headings:
    """Finds the headings of a document.

    Args:
        pages: the paragraphs of each page.
        body: the size of most of its text.
        outline: the titles in the file's outline, as returned by `plain_title`.
        repeated: titles that stand at the top of several pages, in the same form.
    """
    everything = [one for page in pages for one in page]
    large = {id(one) for one in everything if one.size >= HEADING_SIZE * body and _may_be_large(one)}
    total = sum(len(one.text) for one in everything)
    if not body or sum(len(one.text) for one in everything if id(one) in large) > total / 2:
        large = set()
    found: list[Paragraph] = []
    for page in pages:
        short = [one.text if len(one.text) <= MOST_HEADING_CHARACTERS else "" for one in page]
        listed = any(map(CONTENTS.search, short))
        plain = [plain_title(text) for text in short]
        likely = [
            id(one) in large or (_may_be_small(one) and _is_left(one, page) and _points(page, i, body) >= FEWEST_POINTS)
            for i, one in enumerate(page)
        ]
        for i, one in enumerate(page):
            if plain[i] in repeated or (listed and LABEL.search(one.text)):
                continue
            in_outline = plain[i] in outline or plain_title(UNNUMBERED.sub("", one.text)) in outline
            following = zip(page[i + 1 :], likely[i + 1 :], plain[i + 1 :], strict=True)
            below = [(other, heads) for other, heads, title in following if title not in repeated]
            supported = likely[i] and _has_content(below)
            if id(one) in large or supported or (in_outline and _may_be_small(one)):
                found.append(one)
    on_first = [one for one in (pages[0] if pages else ()) if id(one) in large]
    first = max(on_first, key=lambda one: one.size).text if on_first else ""
    return Headings(dict(_levels(found, _ranks(found))), first)


def plain_title(text: str) -> str:
    """Returns a title in lower case, its letters and digits alone, for comparison."""
    return re.sub(r"[\W_]+", "", CONTINUED.sub("", text).casefold())


def _is_form(text: str) -> bool:
    """Returns True for text of forms and letters: marks of NO_HEADING, a date or postal code, a field with a number.

    A date or postal code is a number at the end of a line with a comma. A field is a colon with a number after it and
    no small letter.
    """
    line = text.removesuffix("\n").rpartition("\n")[2]
    number = NUMBER_AT_END.search(line)
    after_letters = re.split("[a-z]", text)[-1]
    _, _, field = after_letters.partition(":")
    is_dated = number is not None and "," in line[: number.start()]
    return bool(NO_HEADING.search(text)) or is_dated or any(map(str.isdecimal, field))


def _may_be_large(one: Paragraph) -> bool:
    return (
        not (one.is_list or one.is_table)
        and one.lines <= MOST_HEADING_LINES
        and len(one.text) <= MOST_HEADING_CHARACTERS
        and bool(re.search(r"[^\W\d_]{2}", one.text))
        and not _is_form(one.text)
    )


def _may_be_small(one: Paragraph) -> bool:
    """Returns True if text in the body's size has the form of a heading."""
    numbered = one.lines == 1 and DECIMAL.match(one.text)
    return bool(
        one.alone
        and not one.is_table
        and (not one.is_list or numbered)
        and one.lines <= MOST_LINES
        and len(one.text) <= MOST_CHARACTERS
        and not SMALL_WORD.match(one.text)
        and sum(map(str.isalpha, one.text)) > max(sum(map(str.isdigit, one.text)), 2)
        and not SENTENCE_END.search(one.text)
        and not _is_form(one.text)
        and not CAPTION.match(one.text)
    )


def _is_left(one: Paragraph, page: Sequence[Paragraph]) -> bool:
    left, right = min(other.left for other in page), max(other.right for other in page)
    return one.left - left <= FARTHEST_RIGHT * (right - left) or _is_centred(one, page)


def _has_content(below: Sequence[tuple[Paragraph, bool]]) -> bool:
    """Returns True if text, a list or a table follows; or the next page.

    Other headings may come before it, and lines in brackets such as a unit. A line in brackets before another heading
    is the name of a field in a form.

    Args:
        below: the paragraphs that follow on the page, each with True if it may be a heading.
    """
    bracketed = False
    for one, heads in below:
        if IN_BRACKETS.match(one.text):
            bracketed = True
        elif not heads:
            lists = one.is_list and bool(re.search(r"[^\W\d_]{2}", one.text))
            return one.is_table or lists or len(one.text) >= FEWEST_CONTENT
        elif bracketed:
            return False
    return True


def _points(page: Sequence[Paragraph], at: int, body: float) -> int:
    """Counts the signs that a paragraph in about the body's size is a heading."""
    one, below = page[at], page[at + 1] if at + 1 < len(page) else None
    slanted = one.italic and not one.bold and below is not None and _heads_text(one, below)
    under_heading = at > 0 and page[at - 1].bold and page[at - 1].lines <= MOST_LINES
    return (
        2 * one.bold
        + 2 * slanted
        + _is_capitals(one)
        + bool(LABEL.match(one.text) or DECIMAL.match(one.text))
        + (one.size > body * (1 + SAME_SIZE))
        + (one.apart or under_heading)
        + _is_centred(one, page)
    )


def _is_capitals(one: Paragraph) -> bool:
    return one.text.isupper() and sum(map(str.isalpha, one.text)) >= FEWEST_CAPITALS


def _heads_text(one: Paragraph, below: Paragraph) -> bool:
    return not below.italic and len(below.text) >= FEWEST_BELOW and abs(below.left - one.left) <= SAME_EDGE


def _is_centred(one: Paragraph, page: Sequence[Paragraph]) -> bool:
    left, right = min(other.left for other in page), max(other.right for other in page)
    narrow = one.right - one.left <= CENTRED_WIDTH * (right - left)
    return narrow and abs((one.left + one.right) - (left + right)) / 2 <= OFF_CENTRE


def _ranks(found: Sequence[Paragraph]) -> list[Rank]:
    """Returns the rank of each heading, the highest first: by size, label ("Part II"), type and decimal number."""
    labels = [match[1].casefold() if (match := LABEL.match(one.text)) else "" for one in found]
    often = [label for label, n in Counter(labels).items() if label and n > 1]  # in the order of their appearance
    sizes: list[float] = []
    for size in sorted({one.size for one in found}, reverse=True):
        if not sizes or size < sizes[-1] * (1 - SAME_SIZE):
            sizes.append(size)
    ranks = []
    for one, label in zip(found, labels, strict=True):
        size = next(i for i, other in enumerate(sizes) if one.size >= other * (1 - SAME_SIZE))
        order = often.index(label) if label in often else len(often)
        number = DECIMAL.match(one.text)
        ranks.append((size, order, _type(one), number[1].count(".") if number else 0))
    return ranks


def _type(one: Paragraph) -> int:
    """Returns the rank of a heading's type: bold capitals, bold, capitals, plain, italic."""
    if one.bold and not one.italic:
        return 0 if _is_capitals(one) else 1
    return 2 if _is_capitals(one) else 3 + one.italic


def _levels(found: Sequence[Paragraph], ranks: Sequence[Rank]) -> Iterator[tuple[int, int]]:
    """Yields each heading's level: its depth below open headings of higher rank. An open heading is not repeated."""
    opened: list[tuple[Rank, str]] = []
    for one, rank in zip(found, ranks, strict=True):
        title = plain_title(one.text)
        if any(title == other for _, other in opened):
            continue
        while opened and opened[-1][0] >= rank:
            opened.pop()
        opened.append((rank, title))
        yield id(one), min(len(opened), DEEPEST_HEADING)
