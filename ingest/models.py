"""Immutable data classes shared by all packages; none needs a store."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal["heading", "paragraph", "list", "table", "code", "metadata"]
HowRead = Literal["text", "ocr", "empty"]
UNKNOWN_SCRIPT = "The embedding model does not know the script of this text: it is found by keywords alone."


@dataclass(frozen=True, slots=True)
class Page:
    """A page, or the page-like unit of a format, over a document's text.

    Attributes:
        number: 1-based position among the document's pages.
        start: offset in characters of its first character in `Document.text`.
        end: offset after its last character.
        label: what a reader calls it: "page 3", "slide 4", "sheet Q3", "report.pdf, page 2".
            read: how its text was obtained: from the file, by text recognition (OCR), or not at all.
        confidence: of the OCR, 0 to 1; None if OCR was not used.
    """

    number: int
    start: int
    end: int
    label: str = ""
    read: HowRead = "text"
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in fractions (0 to 1) of the page's width and height, from its upper left corner."""

    page: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Block:
    """One structural piece of a document: `Document.text[start:end]`.

    Blocks are in reading order and do not overlap; only white space lies between them.
    `level` is 1 to 6 for a heading and 0 otherwise. `title` is a heading's text without its markup.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """The output of a loader: a file's normalised text and its structure.

    `text` is the single string that every offset in Footnote refers to. For plain text and Markdown it is the
    file's own text with line feeds as line ends. `title` comes from the content alone, never from the file's name
    ("" if the content has none), so that equal content gives an equal Document. `pages` is empty for formats
    without pages. `warnings` tell the user what was not read. `places` holds the position of each word on its
    page, if the format has positions; `ingest.word_boxes` reads it.
    """

    text: str
    title: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()
    warnings: tuple[str, ...] = ()
    places: bytes = field(default=b"", repr=False)

    def page_at(self, offset: int) -> Page | None:
        """Returns the page that holds the character at `offset`, or the last page that begins before it."""
        return page_at(self.pages, offset)


def page_at(pages: tuple[Page, ...], offset: int) -> Page | None:
    """Returns the page among `pages` (ordered by start) that holds `offset`; None if there are no pages."""
    if not pages:
        return None
    return pages[max(0, bisect_right(pages, offset, key=_start) - 1)]


def _start(page: Page) -> int:
    return page.start


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document that fits the embedder's input.

    `text == Document.text[start:end]`, always. `context` (title and heading path) precedes the text in the
    embedder's input, and is not part of it. `place` is the label of its page ("slide 4").
    """

    position: int
    start: int
    end: int
    text: str
    page: int | None
    heading: tuple[str, ...]
    context: str
    place: str = ""

    @property
    def embedded_text(self) -> str:
        """Returns the embedder's input."""
        return embedded_text(self.context, self.text)


def embedded_text(context: str, text: str) -> str:
    """Joins a chunk's context and text, with a blank line between them, as the embedder reads them."""
    return f"{context}\n\n{text}" if context else text


def chunk_id(version_id: str, position: int) -> str:
    """Returns the id of the chunk at a 0-based position of a version; below a million, ids sort in reading order."""
    return f"{version_id}-{position:06d}"


def version_of(chunk: str) -> str:
    """Returns the id of a chunk's version."""
    return chunk.rpartition("-")[0]


def position_of(chunk: str) -> int:
    """Returns a chunk's position in its version."""
    return int(chunk.rpartition("-")[2])


def neighbours(chunk: str) -> list[str]:
    """Returns the ids before and after a chunk; the id after a version's last chunk does not exist."""
    version_id, _, position = chunk.rpartition("-")
    return [chunk_id(version_id, at) for at in (int(position) - 1, int(position) + 1) if at >= 0]


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as stored, with its ids and source."""

    id: str
    version_id: str
    document_id: str
    source: str
    title: str
    position: int
    start: int
    end: int
    text: str
    page: int | None
    heading: tuple[str, ...]
    place: str = ""


@dataclass(frozen=True, slots=True)
class IndexedChunk:
    """A stored chunk with the data needed for the text index and the vectors.

    `embed_key` is the SHA-256 of the embedder's input: chunks with equal keys have equal vectors.
    """

    chunk: StoredChunk
    context: str
    embed_key: bytes

    @property
    def embedded_text(self) -> str:
        """Returns the embedder's input."""
        return embedded_text(self.context, self.chunk.text)

    @property
    def table_header(self) -> str:
        """Returns the header row of the table that the chunk continues; "" if it does not begin with table rows."""
        path, line_break, above = self.context.rpartition("\n")
        alone = not (path or self.chunk.title or self.chunk.heading)
        return above if (line_break or alone) and above.startswith("|") and self.chunk.text.startswith("|") else ""


@dataclass(frozen=True, slots=True)
class Query:
    """A question, and earlier questions with lower weights.

    `earlier` are questions with their weights, from 0 to 1 where `text` has 1. `stated` is the question rephrased to
    be understood without the conversation; "" if `text` already is.
    """

    text: str
    earlier: tuple[tuple[str, float], ...] = ()
    stated: str = ""

    @property
    def alone(self) -> str:
        """Returns the question in its standalone form."""
        return self.stated or self.text

    def weighted(self, terms: Callable[[str], Iterable[str]]) -> dict[str, float]:
        """Returns the terms of all questions with their greatest weights, those of the last question first.

        Args:
            terms: returns the terms of a text.
        """
        weights = dict.fromkeys(terms(self.text), 1.0)
        for text, weight in self.earlier:
            for term in terms(text):
                weights[term] = max(weight, weights.get(term, 0.0))
        return weights


def as_query(question: str | Query) -> Query:
    """Wraps a plain question in a `Query`."""
    return question if isinstance(question, Query) else Query(question)


@dataclass(frozen=True, slots=True)
class SearchHit:
    """A chunk found by a search. `score` is comparable only within one list of results."""

    rank: int
    score: float
    chunk: StoredChunk
