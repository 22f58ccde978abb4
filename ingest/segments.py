"""Divides a document into segments, so that memory use does not grow with the document's length.

A segment is a stretch of the text with the blocks, pages and words on it. Its offsets count from its own
start. Most documents are one segment.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field, replace
from heapq import merge
from itertools import chain, pairwise
from typing import TypeVar

from ingest.models import Block, Document, Page
from ingest.reports import Reading
from ingest.word_boxes import count_words, divided, joined

# A segment at least this full ends at the next heading or page.
FULL_ENOUGH = 0.5
# Memory cost of the pieces of a document, in characters of text.
BLOCK = PAGE = WARNING = 128
WORD = 24
Piece = TypeVar("Piece", Block, Page)
# Length of the beginning of a document from which its script is detected, in characters.
OPENING = 1_000


@dataclass(frozen=True, slots=True)
class SegmentSize:
    """The size limits of a segment.

    Attributes:
        characters: length of its text.
        pieces: number of its blocks and pages; one with a long title counts as several.
    """

    characters: int = 1024 * 1024
    pieces: int = 16_384


SEGMENT_SIZE = SegmentSize()


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of a document.

    Attributes:
        start: offset in characters of the document's text; all other offsets count from there.
        text: up to `SegmentSize.characters` characters.
        blocks: blocks that begin in the segment, and the rest of one that began earlier.
        pages: the same for pages.
        places: positions of its words, as `ingest.word_boxes` packs them.
        continues: True if the first block is the rest of the previous segment's last block.
    """

    start: int
    text: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()
    places: bytes = field(default=b"", repr=False)
    continues: bool = False

    @property
    def end(self) -> int:
        """Returns the offset in the document's text after the last character."""
        return self.start + len(self.text)


class Tally:
    """Accumulates totals over the segments of a document.

    Args:
        warnings: the document's warnings.
        most: the size limits of its segments.

    Attributes:
        size: memory that the document takes, in characters; output limits apply to it.
        characters: characters of text.
        blank: True if no block has text.
        opening: the first characters of the text.
    """

    def __init__(self, warnings: Iterable[str] = (), most: SegmentSize = SEGMENT_SIZE) -> None:
        self._most = most
        self.size = sum(WARNING + len(one) for one in warnings)
        self.characters = 0
        self.blank = True
        self.opening = ""
        self._segments = 0
        self._has_blocks = False  # in the last segment
        self._last_page = 0
        self._read = {"text": 0, "ocr": 0, "empty": 0}
        self._tables = 0
        self._confidences = 0.0  # sum over `_rated` pages
        self._rated = 0

    def add(self, segment: Segment) -> None:
        """Counts the next segment.

        Raises:
            ValueError: it does not follow the previous segment, or there are more segments than `cut` makes.
        """
        pages = [page for page in segment.pages if page.number > self._last_page]
        expected = range(self._last_page + 1, self._last_page + 1 + len(pages))
        carried = len(segment.pages) - len(pages)
        follows = segment.start == self.characters and (self._has_blocks or not segment.continues)
        if not follows or [page.number for page in pages] != list(expected) or carried > 1:
            raise ValueError("a segment does not follow the previous one")
        self._has_blocks = bool(segment.blocks)
        blocks = segment.blocks[1:] if segment.continues else segment.blocks
        self.characters = segment.end
        self.size += len(segment.text) + sum(BLOCK + len(block.title) for block in blocks)
        self.size += sum(PAGE + len(page.label) for page in pages) + WORD * count_words(segment.places)
        self._segments += 1
        if self._segments - 1 > self.size / (self._most.characters * FULL_ENOUGH):
            raise ValueError("there are too many segments")
        self.opening = self.opening or segment.text[:OPENING]
        self.blank = self.blank and not any(segment.text[b.start : b.end].strip() for b in segment.blocks)
        self._tables += sum(block.kind == "table" for block in blocks)
        self._count_pages(pages)

    def _count_pages(self, pages: list[Page]) -> None:
        for page in pages:
            self._read[page.read] += 1
            self._last_page = page.number
            if page.confidence is not None:
                self._confidences += page.confidence
                self._rated += 1

    @property
    def pages(self) -> int | None:
        """Returns the number of pages; None for formats without pages."""
        return self._last_page or None

    def reading(self, seconds: float) -> Reading:
        """Summarises how the document was read in the given number of seconds."""
        return Reading(
            pages_text=self._read["text"],
            pages_ocr=self._read["ocr"],
            pages_empty=self._read["empty"],
            tables=self._tables,
            characters=self.characters,
            seconds=round(seconds, 3),
            confidence=round(self._confidences / self._rated, 3) if self._rated else None,
        )


@dataclass(frozen=True, slots=True)
class SegmentedDocument:
    """A document that can be iterated segment by segment, repeatedly.

    `title` and `warnings` are those of `Document`; `tally` counts all segments.
    """

    title: str
    warnings: tuple[str, ...]
    segments: Iterable[Segment] = field(repr=False)
    tally: Tally = field(repr=False, compare=False)

    @classmethod
    def of(cls, document: Document, most: SegmentSize = SEGMENT_SIZE) -> SegmentedDocument:
        """Divides a document that is in memory into segments no longer than `most`."""
        segments, tally = tuple(cut(document, most)), Tally(document.warnings, most)
        for segment in segments:
            tally.add(segment)
        return cls(document.title, document.warnings, segments, tally)

    def whole(self) -> Document:
        """Joins the segments into one document, which takes memory for all of it."""
        blocks, pages, segments = list[Block](), list[Page](), list(self.segments)
        for segment in segments:
            own = [replace(b, start=b.start + segment.start, end=b.end + segment.start) for b in segment.blocks]
            if segment.continues:
                blocks[-1] = replace(blocks[-1], end=own.pop(0).end)
            blocks += own
            add_pages(pages, segment.start, segment.pages)
        text = "".join(segment.text for segment in segments)
        places = joined((segment.start, segment.places) for segment in segments)
        return Document(text, self.title, tuple(blocks), tuple(pages), self.warnings, places)


def add_pages(pages: list[Page], start: int, more: Iterable[Page]) -> None:
    """Appends the pages of a segment that begins at `start`, converting offsets to those of the document."""
    for page in more:
        moved = replace(page, start=page.start + start, end=page.end + start)
        if pages and pages[-1].number == page.number:
            pages[-1] = replace(pages[-1], end=moved.end)
        else:
            pages.append(moved)


@dataclass(frozen=True, slots=True)
class _Place:
    """A position in a document: an offset, and the indexes of the first block and page at or after it."""

    offset: int
    block: int
    page: int
    pieces: int = 0
    opens: bool = False


def cut(document: Document, most: SegmentSize = SEGMENT_SIZE) -> Iterator[Segment]:
    """Divides a document before headings and pages, or if there are none, between blocks, lines or words."""
    ends = list(_cuts(document, most))
    bounds = [(0, 0, 0), *((end.offset, end.block, end.page) for end in ends)]
    places = divided(document.places, [end.offset for end in ends])
    for ((start, block, page), (end, next_block, next_page)), packed in zip(pairwise(bounds), places, strict=True):
        blocks, pages = document.blocks[block:next_block], document.pages[page:next_page]
        continues = block > 0 and document.blocks[block - 1].end > start
        if continues:
            blocks = (_rest(document.blocks[block - 1]), *blocks)
        if page > 0 and document.pages[page - 1].end > start:
            pages = (document.pages[page - 1], *pages)
        yield Segment(
            start,
            document.text[start:end],
            tuple(_clipped(one, start, end) for one in blocks),
            tuple(_clipped(one, start, end) for one in pages),
            packed,
            continues,
        )


def _rest(block: Block) -> Block:
    """Returns a block as it continues in later segments: a heading becomes a paragraph."""
    return replace(block, kind="paragraph", level=0, title="") if block.kind == "heading" else block


def _clipped(piece: Piece, start: int, end: int) -> Piece:
    if not start and piece.end <= end:
        return piece
    return replace(piece, start=max(piece.start, start) - start, end=min(piece.end, end) - start)


def _cuts(document: Document, most: SegmentSize) -> Iterator[_Place]:
    """Yields the ends of segments, the last one at the end of the text."""
    end = _Place(len(document.text), len(document.blocks), len(document.pages))
    at = last = _Place(0, 0, 0)
    pieces = 0
    enough = int(most.characters * FULL_ENOUGH)
    for place in chain(_places(document), [end]):
        while place.offset - at.offset > most.characters:
            if last.offset - at.offset < enough:
                last = replace(place, offset=_break(document.text, at.offset + enough, at.offset + most.characters))
            yield last
            at, pieces = last, 0
        full = pieces + place.pieces > most.pieces
        full_enough = place.offset - at.offset >= enough or pieces >= most.pieces * FULL_ENOUGH
        if place is not end and (full or (place.opens and full_enough)):
            yield place
            at, pieces = place, 0
        pieces += place.pieces
        last = place
    yield end


def _places(document: Document) -> Iterator[_Place]:
    """Yields the starts of blocks and pages in order; a page before the blocks on it."""
    starts = merge(
        ((page.start, 0, number) for number, page in enumerate(document.pages)),
        ((block.start, 1, number) for number, block in enumerate(document.blocks)),
    )
    next_block = next_page = 0
    after_heading = False
    for offset, is_block, number in starts:
        if is_block:
            block = document.blocks[number]
            is_heading = block.kind == "heading"
            yield _Place(offset, number, next_page, 1 + len(block.title) // BLOCK, is_heading and not after_heading)
            next_block, after_heading = number + 1, is_heading
        else:
            weight = 1 + len(document.pages[number].label) // PAGE
            yield _Place(offset, next_block, number, weight, opens=True)
            next_page, after_heading = number + 1, False


def _break(text: str, first: int, last: int) -> int:
    """Returns an offset in (first, last], after a line break or before white space if there is any."""
    line = text.rfind("\n", first, last)
    if line >= 0:
        return line + 1
    return next((at for at in range(last, first, -1) if text[at].isspace()), last)
