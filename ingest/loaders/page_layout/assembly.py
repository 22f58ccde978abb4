"""Assembles pages of lines into a document: drops running heads, finds tables, joins paragraphs, detects headings."""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass, replace

from ingest.loaders.document_builder import Builder, PlacedWord, markdown_table
from ingest.loaders.output_limits import Output, size_of_table
from ingest.loaders.page_layout.geometry import Rule
from ingest.loaders.page_layout.headings import find_headings, plain_title
from ingest.loaders.page_layout.lines import Line, Paragraph, Word, body_size, paragraphs
from ingest.loaders.page_layout.raised_marks import with_marks
from ingest.loaders.page_layout.reading_order import arrange
from ingest.loaders.page_layout.running_heads import repeated_heads, running_heads, without_heads
from ingest.models import HowRead

MANY_PAGES = 200
# More bold text than this fraction is the body's type, and no sign of a heading.
MOST_BOLD = 0.4


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


def compose(
    pages: Sequence[PageLines],
    builder: Builder,
    at_work: Callable[[], None] = lambda: None,
    outline: Collection[str] = (),
) -> str:
    """Adds pages to a document.

    Args:
        pages: its pages.
        builder: receives them.
        at_work: called from time to time if there are many.
        outline: the titles in the file's outline.

    Returns:
        The text of the first page's largest heading, a candidate for the title; "" if it has none.
    """
    pages = _without_bold([replace(page, lines=tuple(with_marks(page.lines))) for page in pages])
    running, letterheads = running_heads(pages), repeated_heads(pages)
    body = body_size([line for page in pages for line in page.lines])
    composed = []
    for number, (page, heads) in enumerate(zip(pages, running, strict=True), start=1):
        composed.append(_paragraphs(page, heads, body, letterheads, builder.output))
        if number % MANY_PAGES == 0:
            at_work()
    titles = {plain_title(text) for text in letterheads}
    headings = find_headings(composed, body, {plain_title(title) for title in outline}, titles)
    for page, found in zip(pages, composed, strict=True):
        builder.begin_page(read=page.read, confidence=page.confidence)
        for one in found:
            _add(builder, one, headings.levels.get(id(one), 0), page)
        builder.add("list", "\n".join(f"- {note}" for note in page.notes))
    return headings.first


def _without_bold(pages: list[PageLines]) -> list[PageLines]:
    """Returns pages as they are, or as if nothing were bold if much of the text is: it is the body's type then."""
    sizes = [(len(word.text), word.bold) for page in pages for line in page.lines for word in line.words]
    if sum(n for n, bold in sizes if bold) <= MOST_BOLD * sum(n for n, _ in sizes):
        return pages
    return [replace(page, lines=tuple(_plain(line) for line in page.lines)) for page in pages]


def _plain(line: Line) -> Line:
    return replace(line, words=tuple(replace(word, bold=False) for word in line.words))


def _paragraphs(
    page: PageLines, running: Collection[str], body: float, single: Collection[str], output: Output
) -> list[Paragraph]:
    found: list[Paragraph] = []
    run: list[Line] = []
    arranged = arrange(without_heads(page.lines, running), page.rules, page.width)
    for part in [*arranged.parts, None]:
        if isinstance(part, Line):
            run.append(part)
            continue
        found.extend(paragraphs(run, body, right=arranged.right, beside=arranged.beside, single=single))
        run = []
        if part:
            output.check(size_of_table(part.rows))
            text, size = markdown_table(part.rows), len(part.rows)
            found.append(Paragraph(text, 0.0, size, part.left, part.right, words=part.words, is_table=True))
    return found


def _add(builder: Builder, paragraph: Paragraph, level: int, page: PageLines) -> None:
    words = [PlacedWord(word.text, _shares(word, page)) for word in paragraph.words]
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
