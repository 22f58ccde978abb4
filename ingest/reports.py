"""Results that are shown to users: of ingests, of lists of documents, and of the doctor. Plain and frozen."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

FileStatus = Literal["added", "updated", "unchanged", "removed", "failed"]


@dataclass(frozen=True, slots=True)
class Reading:
    """Statistics on how a file was read.

    Attributes:
        pages_text: pages read from the file's own text; all three counts are 0 for formats without pages.
        pages_ocr: pages read by OCR.
        pages_empty: pages that gave no text; the document's warnings say why.
        tables: number of tables found.
        characters: length of the text.
        seconds: time that reading took.
        confidence: mean OCR confidence of the pages, 0 to 1; None if OCR was not used.
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
    """Outcome of ingesting one file. `error` is "" unless status is "failed"; `reading` is set if it was just read."""

    path: str
    status: FileStatus
    pages: int | None = None
    chunks: int = 0
    error: str = ""
    warnings: tuple[str, ...] = ()
    reading: Reading | None = None


@dataclass(frozen=True, slots=True)
class IngestReport:
    """Result of an ingest, file by file.

    Attributes:
        documents: one outcome per file, in scan order.
        chunks: chunks written for added and updated documents.
        embedded: texts embedded by the model.
        seconds: wall-clock time.
        text_seconds: wall-clock time until all files could be found by their words; the rest embedded them.
        skipped: files inside folders whose type is not supported.
        unfollowed: symbolic links inside folders that were not followed, as requested.
        cancelled: the user cancelled it; everything in `documents` was finished.
        unembedded: chunks of the collection whose vectors are not written yet, so that only their words are searched.
        unconfined: sandbox mechanisms that are unavailable to the reading processes, each with its reason.
    """

    documents: tuple[FileOutcome, ...] = ()
    chunks: int = 0
    embedded: int = 0
    seconds: float = 0.0
    text_seconds: float = 0.0
    skipped: tuple[str, ...] = ()
    unfollowed: tuple[str, ...] = ()
    cancelled: bool = False
    unembedded: int = 0
    unconfined: tuple[str, ...] = ()

    def count(self, status: FileStatus) -> int:
        """Counts the files that ended with `status`."""
        return sum(outcome.status == status for outcome in self.documents)


@dataclass(frozen=True, slots=True)
class IngestProgress:
    """Progress of an ingest: first the texts of all files are written, then the vectors of their chunks.

    Attributes:
        files_done: files whose text is written, and can be found by its words.
        files_total: grows until `scanning` is False.
        chunks_done: chunks whose vectors are written.
        chunks_total: chunks whose vectors must be written; grows until `embedding` is True.
        seconds: since the start.
        current: the last file finished.
    """

    files_done: int
    files_total: int
    chunks_done: int
    seconds: float
    chunks_total: int = 0
    current: str = ""
    scanning: bool = False
    embedding: bool = False
    waiting_for: str = ""
    outcome: FileOutcome | None = None


@dataclass(frozen=True, slots=True)
class DocumentRow:
    """A document of a collection, for lists. `bytes` is the size of its text, `updated` in seconds since the epoch.

    `periods` are those it reports on, such as "2023-Q3" or "2022-12-31", in order.
    """

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
    periods: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class CollectionStatus:
    """Summary of a collection. Sizes in bytes; `failures` maps each unreadable source to the reason.

    `unembedded` counts the chunks whose vectors are not written yet.
    `next_model` is the embedding model being prepared to replace the current one; "" if there is none.
    """

    name: str
    documents: int
    chunks: int
    embedding_model: str
    dimensions: int
    bytes_text: int
    pending: int = 0
    unembedded: int = 0
    next_model: str = ""
    failures: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Problem:
    """Something broken in a data folder.

    Attributes:
        kind: one of "disk", "documents", "conversations", "leftovers", "text-index", "vectors", "tokens",
            "vector-store", "orphans", "privacy", "reranker", "llm" or "entailment".
            what: a description for the user.
            fix: the action of `footnote doctor --fix`, or the action that the user must take.
    """

    kind: str
    what: str
    fix: str


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """Problems that remain and problems that the doctor fixed; `facts` are information, not problems."""

    problems: tuple[Problem, ...] = ()
    mended: tuple[Problem, ...] = ()
    facts: tuple[str, ...] = ()

    @property
    def ok(self) -> bool:
        """Returns True if no problem remains."""
        return not self.problems


def not_confined(reason: str) -> str:
    """Returns a sentence about a missing mechanism."""
    return f"Not confined completely: a malicious file that takes control of its reading process {reason}."


def unembedded_words(chunks: int) -> str:
    """Says that chunks have no vectors yet, and what writes them."""
    return (
        f"{counted(chunks, 'chunk')} not embedded yet and found by words only. The next ingest into this collection or "
        "a running chat embeds the rest."
    )


def counted(n: int, what: str) -> str:
    """Returns "1 chunk is" or "2 chunks are"."""
    return f"{n:,} {what} is" if n == 1 else f"{n:,} {what}s are"
