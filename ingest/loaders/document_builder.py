"""Builds a document's text from pieces, recording the position of each."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from dataclasses import dataclass, replace

import numpy as np

from ingest.loaders.output_limits import Output, size_of_table
from ingest.models import Block, BlockKind, Document, HowRead, Page
from ingest.segments import BLOCK, PAGE, WORD
from ingest.word_boxes import pack, unpack

GAP = "\n\n"
DEEPEST_HEADING = 6
# A word is searched for within this many characters after the previous one.
WORD_WINDOW = 120


@dataclass(frozen=True, slots=True)
class PlacedWord:
    """A word of the page, and its box in fractions of the page: left, top, right, bottom."""

    text: str
    box: tuple[float, float, float, float]


class Builder:
    """Collects pieces in reading order, separated by blank lines.

    Every adding method raises OversizedDocument if the file's limit is exceeded.

    Args:
        output: counts what is added, over all content of one file on disk.
    """

    def __init__(self, output: Output | None = None) -> None:
        self.output = output or Output()
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._pages: list[Page] = []
        self._places = array("d")  # rows of `ingest.word_boxes`
        self._page: Page | None = None
        self._page_start: int | None = None

    def add(self, kind: BlockKind, text: str, words: Sequence[PlacedWord] = ()) -> None:
        """Adds a piece without surrounding white space; ignores one that is only white space.

        Args:
            kind: the kind of block.
            text: in Markdown's form, for lists, tables and code.
            words: words of the page in the order of the text; words that are not in the text are ignored.
        """
        self._add(kind, text.strip(), 0, "", words)

    def add_table(self, rows: Sequence[Sequence[str]]) -> None:
        """Adds rows of cells as a table whose first row is the header; see `markdown_table`."""
        self.output.check(size_of_table(rows))
        self.add("table", markdown_table(rows))

    def add_heading(self, level: int, title: str, words: Sequence[PlacedWord] = ()) -> None:
        """Adds a heading of `level` 1 to 6 in Markdown's form."""
        title = " ".join(title.split())
        if title:
            self._add("heading", f"{'#' * level} {title}", level, title, words)

    def begin_page(self, label: str = "", read: HowRead = "text", confidence: float | None = None) -> None:
        """Begins a page; `label` defaults to "page 3"."""
        self._end_page()
        number = len(self._pages) + 1
        label = label or f"page {number}"
        self.output.book(PAGE + len(label))
        self._page = Page(number, self._length, self._length, label, read, confidence)

    def recognised(self) -> None:
        """Marks the current page as read by OCR."""
        if self._page is not None:
            self._page = replace(self._page, read="ocr")

    def include(self, document: Document, name: str) -> None:
        """Adds a whole inner document under a heading `name`, its pages labelled with that name."""
        pages = document.pages or (Page(1, 0, len(document.text)),)
        first = len(self._pages) + (self._page is not None)
        starts = []
        at = -1
        for block in document.blocks:
            while at + 1 < len(pages) and (at < 0 or pages[at + 1].start <= block.start):
                at += 1
                self._begin_inner(pages[at], name)
                if at == 0:
                    self.add_heading(1, name)
            level = min(block.level + 1, DEEPEST_HEADING) if block.level else 0
            self._add(block.kind, document.text[block.start : block.end], level, block.title)
            starts.append((block.start, self._blocks[-1].start - block.start))
        for page in pages[at + 1 :]:
            self._begin_inner(page, name)
        self._include_places(document, starts, first)

    def _begin_inner(self, page: Page, name: str) -> None:
        self.begin_page(f"{name}, {page.label}" if page.label else name, page.read, page.confidence)

    def insert(self, document: Document) -> None:
        """Adds the blocks of a document that is part of this one, unchanged."""
        for block in document.blocks:
            self._add(block.kind, document.text[block.start : block.end], block.level, block.title)

    def first_heading(self) -> str:
        """Returns the first heading of the highest level; "" if there is none."""
        headings = [block for block in self._blocks if block.kind == "heading"]
        return min(headings, key=lambda block: block.level).title if headings else ""

    def build(self, title: str = "", warnings: Sequence[str] = ()) -> Document:
        """Returns the finished document."""
        self._end_page()
        text = "".join(self._parts)
        places = pack(np.array(self._places))
        return Document(text, title, tuple(self._blocks), tuple(self._pages), tuple(warnings), places)

    def _add(self, kind: BlockKind, text: str, level: int, title: str, words: Sequence[PlacedWord] = ()) -> None:
        if not text:
            return
        if self._length:
            self._append(GAP)
        start = self._length
        self._append(text)
        self.output.book(BLOCK + len(title))
        self._blocks.append(Block(kind, start, self._length, level, title))
        if self._page_start is None:
            self._page_start = start
        self._place(text, start, words)

    def _place(self, text: str, start: int, words: Sequence[PlacedWord]) -> None:
        """Records the position of each of `words` in the text; a word divided at a line's end is joined there."""
        page = len(self._pages) + 1
        at = 0
        for word in words:
            for form in (word.text, word.text.rstrip("-\u00ad"), word.text.replace("|", "\\|")):
                found = text.find(form, at, at + WORD_WINDOW + len(form)) if form else -1
                if found >= 0:
                    at = found + len(form)
                    self.output.book(WORD)
                    self._places.extend((start + found, start + at, page, *word.box))
                    break

    def _include_places(self, document: Document, moved: Sequence[tuple[int, int]], pages: int) -> None:
        """Copies the word positions of an included document, shifting each block by its offset in `moved`."""
        rows = unpack(document.places)
        if not len(rows):
            return
        self.output.book(WORD * len(rows))
        starts, shifts = np.array(moved).T
        shift = shifts[np.searchsorted(starts, rows[:, 0], side="right") - 1]
        rows[:, 0] += shift
        rows[:, 1] += shift
        rows[:, 2] += pages
        self._places.frombytes(rows.tobytes())

    def _append(self, text: str) -> None:
        self.output.book(len(text))
        self._parts.append(text)
        self._length += len(text)

    def _end_page(self) -> None:
        if self._page is not None:
            start = self._length if self._page_start is None else self._page_start
            read: HowRead = "empty" if start == self._length else self._page.read
            self._pages.append(replace(self._page, start=start, end=self._length, read=read))
        self._page = self._page_start = None


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Formats rows of cells as a Markdown table, the first row as its header; "" if no cell has text.

    Empty columns are removed, and short rows are padded.
    """
    cleaned = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(row)]
    width = max((len(row) for row in cleaned), default=0)
    filled = [row + [""] * (width - len(row)) for row in cleaned]
    used = [i for i in range(width) if any(row[i] for row in filled)]
    lines = ["| " + " | ".join(row[i] for i in used) + " |" for row in filled]
    if not lines:
        return ""
    return "\n".join([lines[0], "|" + " --- |" * len(used), *lines[1:]])
