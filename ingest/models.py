"""The data that travels between the parts: plain, frozen, with no behaviour that needs a store."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal["heading", "paragraph", "list", "table", "code", "metadata"]
HowRead = Literal["text", "ocr", "empty"]
FileStatus = Literal["added", "updated", "unchanged", "removed", "failed"]
UNKNOWN_SCRIPT = "The embedding model does not know the script of this text: it is found by keywords alone."


@dataclass(frozen=True, slots=True)
class Page:
    """A page, or the page-like unit of a format, over a document's text.

    Attributes:
        number: 1-based position among the document's pages.
        start: offset in characters of its first character in `Document.text`.
        end: offset after its last character.
        label: what a reader calls it: "page 3", "slide 4", "sheet Q3", "report.pdf, page 2".
        read: how its text was come by: from the file's own text, by recognising it in a picture, or not at all.
        confidence: of the recognition, 0 to 1; None where nothing was recognised.
    """

    number: int
    start: int
    end: int
    label: str = ""
    read: HowRead = "text"
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class Box:
    """A rectangle on a page, in shares (0 to 1) of the page's width and height, from its upper left corner."""

    page: int
    left: float
    top: float
    right: float
    bottom: float


@dataclass(frozen=True, slots=True)
class Block:
    """One structural piece of a document: `Document.text[start:end]`.

    Blocks are in reading order and do not overlap; what lies between two of them is white space only.
    `level` is 1 to 6 for a heading and 0 for all else. `title` is a heading's text without its markup.
    """

    kind: BlockKind
    start: int
    end: int
    level: int = 0
    title: str = ""


@dataclass(frozen=True, slots=True)
class Document:
    """What a loader returns: the normalised text of one file and the structure over it.

    `text` is the single string that every offset in Footnote refers to. For plain text and Markdown it is the
    file's own text with line feeds as line ends. `title` comes from the content alone, never from the file's name
    ("" where the content has none), so that equal content gives an equal Document. `pages` is empty for
    formats without pages. `warnings` say what was not read, in words for the user. `places` tells where on its
    page each word stands, for formats that have places; `ingest.word_boxes` reads it.
    """

    text: str
    title: str
    blocks: tuple[Block, ...]
    pages: tuple[Page, ...] = ()
    warnings: tuple[str, ...] = ()
    places: bytes = field(default=b"", repr=False)

    def page_at(self, offset: int) -> Page | None:
        """The page that holds the character at `offset`, or the last one begun before it."""
        return page_at(self.pages, offset)


def page_at(pages: tuple[Page, ...], offset: int) -> Page | None:
    """The page among `pages` (in order of start) that holds `offset`; None where there are no pages."""
    if not pages:
        return None
    return pages[max(0, bisect_right(pages, offset, key=_start) - 1)]


def _start(page: Page) -> int:
    return page.start


@dataclass(frozen=True, slots=True)
class Chunk:
    """A piece of a document small enough for the embedder to read whole.

    `text == Document.text[start:end]`, always. `context` (title and heading path) is put before the text in
    what is embedded, and is not part of it. `place` is the label of its page ("slide 4"). `tokens` counts
    `embedded_text` with the embedder's own tokenizer, special tokens included.
    """

    position: int
    start: int
    end: int
    text: str
    page: int | None
    heading: tuple[str, ...]
    context: str
    tokens: int
    place: str = ""

    @property
    def embedded_text(self) -> str:
        """What the embedder reads."""
        return embedded_text(self.context, self.text)


def embedded_text(context: str, text: str) -> str:
    """What the embedder reads of a chunk: the context, a blank line, the chunk's own words."""
    return f"{context}\n\n{text}" if context else text


def chunk_id(version_id: str, position: int) -> str:
    """The id of the chunk at a position (from 0) of a version; below a million, ids sort in reading order."""
    return f"{version_id}-{position:06d}"


def position_of(chunk: str) -> int:
    """The position in its version of the chunk with an id."""
    return int(chunk.rpartition("-")[2])


def neighbours(chunk: str) -> list[str]:
    """The ids before and after a chunk's id; the one after the last chunk of a version is of no chunk."""
    version_id, _, position = chunk.rpartition("-")
    return [chunk_id(version_id, at) for at in (int(position) - 1, int(position) + 1) if at >= 0]


@dataclass(frozen=True, slots=True)
class StoredChunk:
    """A chunk as the docstore knows it: with its ids and the source it came from."""

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
    """A stored chunk with all that the text index and the vectors are made of.

    `embed_key` is the SHA-256 of what the embedder reads of it: chunks with equal keys have equal vectors.
    """

    chunk: StoredChunk
    context: str
    embed_key: bytes

    @property
    def embedded_text(self) -> str:
        """What the embedder reads."""
        return embedded_text(self.context, self.chunk.text)

    @property
    def table_header(self) -> str:
        """The header row of the table whose rows the chunk goes on with; "" where it begins with none."""
        path, line_break, above = self.context.rpartition("\n")
        alone = not (path or self.chunk.title or self.chunk.heading)
        return above if (line_break or alone) and above.startswith("|") and self.chunk.text.startswith("|") else ""


@dataclass(frozen=True, slots=True)
class Query:
    """What is searched for: a question, and with less weight what was asked before it.

    `earlier` are questions with their weights, from 0 to 1 where `text` has 1. `stated` is the question in words that
    are understood alone, for whoever reads it; "" where `text` is.
    """

    text: str
    earlier: tuple[tuple[str, float], ...] = ()
    stated: str = ""

    @property
    def alone(self) -> str:
        """The question in words that are understood alone."""
        return self.stated or self.text

    def weighted(self, terms: Callable[[str], Iterable[str]]) -> dict[str, float]:
        """Each term once, with the greatest weight that it has in any of the questions; the last question's first.

        Args:
            terms: gives those of a text.
        """
        weights = dict.fromkeys(terms(self.text), 1.0)
        for text, weight in self.earlier:
            for term in terms(text):
                weights[term] = max(weight, weights.get(term, 0.0))
        return weights


def as_query(question: str | Query) -> Query:
    """A question alone as a `Query`."""
    return question if isinstance(question, Query) else Query(question)


@dataclass(frozen=True, slots=True)
class SearchHit:
    """One chunk that a search found. `score` is comparable within one result list only."""

    rank: int
    score: float
    chunk: StoredChunk


@dataclass(frozen=True, slots=True)
class Reading:
    """How a file was read.

    Attributes:
        pages_text: pages whose own text was read; all three counts are 0 for formats without pages.
        pages_ocr: pages whose text was recognised in a picture.
        pages_empty: pages of which no text was had; the document's warnings say why.
        tables: that were found.
        characters: of text.
        seconds: that reading took.
        confidence: of the recognition, the mean of its pages, 0 to 1; None where nothing was recognised.
    """

    pages_text: int = 0
    pages_ocr: int = 0
    pages_empty: int = 0
    tables: int = 0
    characters: int = 0
    seconds: float = 0.0
    confidence: float | None = None


@dataclass(frozen=True, slots=True)
class FileOutcome:
    """What an ingest did with one file. `error` is "" unless status is "failed"; `reading` is of a file just read."""

    path: str
    status: FileStatus
    pages: int | None = None
    chunks: int = 0
    error: str = ""
    warnings: tuple[str, ...] = ()
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class IngestReport:
    """What an ingest did, file by file.

    Attributes:
        documents: one outcome a file, in the order of the scan.
        chunks: chunks written, of the added and updated documents.
        embedded: texts given to the model.
        seconds: wall-clock time.
        skipped: files inside folders that are of no kind that can be read.
        unfollowed: symbolic links inside folders that were not followed, as asked.
        cancelled: the user stopped it; what is in `documents` was finished.
        unconfined: what does not hold the processes that read files, each with its reason.
    """

    documents: tuple[FileOutcome, ...] = ()
    chunks: int = 0
    embedded: int = 0
    seconds: float = 0.0
    skipped: tuple[str, ...] = ()
    unfollowed: tuple[str, ...] = ()
    cancelled: bool = False
    unconfined: tuple[str, ...] = ()

    def count(self, status: FileStatus) -> int:
        """How many files ended with `status`."""
        return sum(outcome.status == status for outcome in self.documents)


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """A moment in an ingest. `files_total` grows until `scanning` is False; `current` is the file last finished."""

    files_done: int
    files_total: int
    chunks_done: int
    seconds: float
    current: str = ""
    scanning: bool = False
    waiting_for: str = ""
    outcome: FileOutcome | None = None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """One document of a collection, for lists. `bytes` is the size of its text, `updated` seconds since the epoch."""

    source: str
    title: str
    pages: int | None
    chunks: int
    bytes: int
    updated: float
    status: Literal["active", "failed"] = "active"
    error: str = ""
    reading: Reading = field(default_factory=Reading)
    warnings: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CollectionStatus:
    """What a collection holds. Sizes in bytes; `failures` maps a source to why it could not be read.

    `next_model` is the embedding model that is being filled to replace the one in use; "" where there is none.
    """

    name: str
    documents: int
    chunks: int
    embedding_model: str
    dimensions: int
    bytes_text: int
    pending: int = 0
    next_model: str = ""
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something broken in a data folder.

    Attributes:
        kind: of what: "disk", "documents", "conversations", "leftovers", "text-index", "vectors", "tokens",
            "vector-store", "orphans", "privacy", "reranker", "llm" or "entailment".
        what: what is the matter, in words for the user.
        fix: what `footnote doctor --fix` does about it, or what the user must do.
    """

    kind: str
    what: str
    fix: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """What the doctor found, what of it is mended now, and what is not; `facts` are worth knowing, and no problems."""

    problems: tuple[Problem, ...] = ()
    mended: tuple[Problem, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Whether nothing is broken (any more)."""
        return not self.problems
