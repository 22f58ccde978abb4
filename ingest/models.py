"""The data that travels between the parts: plain, frozen, with no behaviour that needs a store."""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass, field
from typing import Literal

BlockKind = Literal["heading", "paragraph", "list", "table", "code", "metadata"]
HowRead = Literal["text", "ocr", "empty"]
FileStatus = Literal["added", "updated", "unchanged", "removed", "failed"]
# Why text in pictures was not read, as it stands in warnings and errors.
OCR_OFF = "to be read by recognising it (OCR), which is turned off"


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
    page each word stands, for formats that have places; `ingest.places` reads it.
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
    return pages[max(0, bisect_right([page.start for page in pages], offset) - 1)]


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
        """What the embedder reads: the context, a blank line, the chunk's own words."""
        return f"{self.context}\n\n{self.text}" if self.context else self.text


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

    @classmethod
    def of(cls, document: Document, seconds: float) -> Reading:
        """How `document` was read, which took so many seconds."""
        how = [page.read for page in document.pages]
        known = [page.confidence for page in document.pages if page.confidence is not None]
        return cls(
            pages_text=how.count("text"),
            pages_ocr=how.count("ocr"),
            pages_empty=how.count("empty"),
            tables=sum(block.kind == "table" for block in document.blocks),
            characters=len(document.text),
            seconds=round(seconds, 3),
            confidence=round(sum(known) / len(known), 3) if known else None,
        )


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
        cancelled: the user stopped it; what is in `documents` was finished.
    """

    documents: tuple[FileOutcome, ...] = ()
    chunks: int = 0
    embedded: int = 0
    seconds: float = 0.0
    skipped: tuple[str, ...] = ()
    cancelled: bool = False

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


@dataclass(frozen=True, slots=True)
class CollectionStatus:
    """What a collection holds. Sizes in bytes; `failures` maps a source to why it could not be read."""

    name: str
    documents: int
    chunks: int
    embedding_model: str
    dimensions: int
    bytes_text: int
    pending: int = 0
    failures: dict[str, str] = field(default_factory=dict)
