"""Assembles pages of lines into a document: drops running heads, finds tables, joins paragraphs, detects headings."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from ingest.loaders.document_builder import Builder, PlacedWord, markdown_table
from ingest.loaders.output_limits import Output, size_of_table
from ingest.loaders.page_layout.geometry import Rule
from ingest.loaders.page_layout.lines import Line, Paragraph, Word, body_size, heading_levels, paragraphs
from ingest.loaders.page_layout.reading_order import arrange
from ingest.models import HowRead

# A line near a page's edge on this fraction of the pages, and on at least so many pages, is a running header or footer.
RUNNING_SHARE = 0.6
RUNNING_PAGES = 4
EDGE_LINES = 3
MANY_PAGES = 200


@dataclass(frozen=True, slots=True)
class PageLines:
    """A page's lines in file order, the rules drawn on it, and how it was read.

    Positions are in points (or any other unit) from the lower left of the page of size `width` by `height`. `turned` is
    the clockwise rotation in degrees that made the lines upright, as they are here. `notes` are filled-in form fields
    and comments.
    """

    width: float
    height: float
    lines: tuple[Line, ...]
    rules: tuple[Rule, ...] = ()
    read: HowRead = "text"
    confidence: float | None = None
    turned: int = 0
    notes: tuple[str, ...] = ()


def compose(pages: Sequence[PageLines], builder: Builder, at_work: Callable[[], None] = lambda: None) -> str:
    """Adds pages to a document. Calls `at_work` from time to time if there are many.

    Returns:
        The text of the first page's largest heading, a candidate for the title; "" if it has none.
    """
    running = _running(pages)
    body = body_size([line for page in pages for line in page.lines])
    composed = []
    for number, page in enumerate(pages, start=1):
        composed.append(_paragraphs(page, running, body, builder.output))
        if number % MANY_PAGES == 0:
            at_work()
    levels = heading_levels([one for page in composed for one in page], body)
    for page, found in zip(pages, composed, strict=True):
        builder.begin_page(read=page.read, confidence=page.confidence)
        for one in found:
            _add(builder, one, levels, page)
        builder.add("list", "\n".join(f"- {note}" for note in page.notes))
    return next((one.text for one in composed[0] if levels.get(one.size) == 1), "") if composed else ""


def _paragraphs(page: PageLines, running: set[str], body: float, output: Output) -> list[Paragraph]:
    found: list[Paragraph] = []
    run: list[Line] = []
    for part in [*arrange(_without(page.lines, running), page.rules, page.width), None]:
        if isinstance(part, Line):
            run.append(part)
            continue
        found.extend(paragraphs(run, body))
        run = []
        if part:
            output.check(size_of_table(part.rows))
            found.append(Paragraph(markdown_table(part.rows), 0.0, len(part.rows), words=part.words, is_table=True))
    return found


def _add(builder: Builder, paragraph: Paragraph, levels: dict[float, int], page: PageLines) -> None:
    words = [PlacedWord(word.text, _shares(word, page)) for word in paragraph.words]
    level = levels.get(paragraph.size) if paragraph.may_be_heading else None
    if level:
        builder.add_heading(level, paragraph.text, words)
    elif paragraph.is_table:
        builder.add("table", paragraph.text, words)
    else:
        builder.add("list" if paragraph.is_list else "paragraph", paragraph.text, words)


def _shares(word: Word, page: PageLines) -> tuple[float, float, float, float]:
    """Returns a word's left, top, right and bottom as fractions of the page before its rotation."""
    wide, high = max(page.width, 1.0), max(page.height, 1.0)
    left, top, right, bottom = word.left / wide, 1 - word.top / high, word.right / wide, 1 - word.bottom / high
    match page.turned:
        case 90:
            return top, 1 - right, bottom, 1 - left
        case 180:
            return 1 - right, 1 - bottom, 1 - left, 1 - top
        case 270:
            return 1 - bottom, left, 1 - top, right
    return left, top, right, bottom


def _running(pages: Sequence[PageLines]) -> set[str]:
    """Returns the keys of running headers and footers: their text with all numbers replaced."""
    if len(pages) < RUNNING_PAGES:
        return set()
    seen = Counter(key for page in pages for key in {_key(line) for line in _edges(page.lines)})
    return {key for key, n in seen.items() if n >= RUNNING_PAGES and n >= RUNNING_SHARE * len(pages)}


def _edges(lines: Sequence[Line]) -> list[Line]:
    """Returns the highest and lowest lines of a page, in any file order."""
    by_height = sorted(lines, key=lambda line: -line.top)
    return [*by_height[:EDGE_LINES], *by_height[EDGE_LINES:][-EDGE_LINES:]]


def _without(lines: Sequence[Line], running: set[str]) -> list[Line]:
    """Removes running heads, except numbers beside other words; keeps all lines if nothing would be left."""
    dropped = [line for line in _edges(lines) if _key(line) in running]
    gone = {id(line) for line in dropped if not any(_beside(line, one) and one not in dropped for one in lines)}
    kept = [line for line in lines if id(line) not in gone]
    return kept or list(lines)


def _beside(line: Line, other: Line) -> bool:
    return other is not line and other.bottom < (line.bottom + line.top) / 2 < other.top


def _key(line: Line) -> str:
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text.casefold())
