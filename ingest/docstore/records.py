"""What the document store keeps, row by row."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EmbedderRole = Literal["current", "next", "previous"]


@dataclass(frozen=True, slots=True)
class CollectionRow:
    """A collection. `uid` is random, so that its Chroma collections never meet another data folder's on one server."""

    id: int
    uid: str
    name: str


@dataclass(frozen=True, slots=True)
class EmbedderRow:
    """An embedding model of a collection.

    `role`: "current" is the one that is searched, "next" the one being filled, "previous" the one to go back to.
    `kept`: whether all its vectors are in the document store. `generation`: how often its Chroma collection was made
    anew. `garbage`: chunks deleted from that since.
    """

    id: int
    role: EmbedderRole
    model: str
    fingerprint: str
    dimensions: int
    kept: bool = True
    generation: int = 0
    garbage: int = 0


@dataclass(frozen=True, slots=True)
class VersionRow:
    """One content of a document. `pipeline` is the fingerprint of loader and chunker, `size` the file's bytes.

    `reading` is JSON: a `Reading`.
    """

    id: str
    document_id: str
    source: str
    content_sha: str
    pipeline: str
    title: str
    pages: int | None
    warnings: tuple[str, ...]
    size: int
    reading: str


@dataclass(frozen=True, slots=True)
class SegmentRow:
    """A segment of a version, characters [start, stop) of its text.

    `page_spans` is JSON: the pages; `places` is `ingest.word_boxes`'. Their offsets count from `start`.
    """

    number: int
    start: int
    stop: int
    text: str
    page_spans: str
    places: bytes


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk to be stored. `embed_key` is the SHA-256 of what the embedder reads: `context`, then `text`."""

    id: str
    position: int
    start: int
    end: int
    text: str
    page: int | None
    heading: tuple[str, ...]
    embed_key: bytes
    place: str
    context: str


@dataclass(frozen=True, slots=True)
class KnownVersion:
    """What the store knows of a source's active version, enough to tell that a file is unchanged."""

    id: str
    content_sha: str
    pipeline: str
    pages: int | None
    chunks: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """Why the last try to read a source failed, and of which bytes."""

    content_sha: str
    pipeline: str
    error: str
    seconds: float = 0.0
