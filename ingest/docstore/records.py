"""Rows of the document store."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

EmbedderRole = Literal["current", "next", "previous"]


@dataclass(frozen=True, slots=True)
class CollectionRow:
    """A collection. `uid` is random, so that data folders sharing a Chroma server do not collide."""

    id: int
    uid: str
    name: str


@dataclass(frozen=True, slots=True)
class EmbedderRow:
    """An embedding model of a collection.

    `role`: "current" is searched, "next" is being filled, "previous" is kept for a rollback. `kept`: True if all its
    vectors are in the document store. `generation`: number of rebuilds of its Chroma collection. `garbage`: chunks
    deleted from that collection since the last rebuild.
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

    `reading` is a `Reading` as JSON.
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

    `page_spans` is the pages as JSON; `places` is packed by `ingest.word_boxes`. Their offsets count from `start`.
    """

    number: int
    start: int
    stop: int
    text: str
    page_spans: str
    places: bytes


@dataclass(frozen=True, slots=True)
class ChunkRow:
    """A chunk to be stored. `embed_key` is the SHA-256 of the embedder's input: `context`, then `text`."""

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
    """Facts about a source's active version, sufficient to detect that a file is unchanged."""

    id: str
    content_sha: str
    pipeline: str
    pages: int | None
    chunks: int
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class KnownFailure:
    """The reason why the last attempt to read a source failed, and the fingerprint of its content."""

    content_sha: str
    pipeline: str
    error: str
    seconds: float = 0.0
