"""Stores a version of a document as pending: first its segments, then its chunks, in parts."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import islice

from ingest.docstore import ChunkRow, PendingVersion, SegmentRow, VersionRow
from ingest.host import check_cancelled
from ingest.index.index import Index
from ingest.models import Chunk, chunk_id
from ingest.segments import SegmentedDocument


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that was read and is ready to be written.

    `pipeline` fingerprints the loader and the chunker; `seconds` is the reading time. `chunks` is iterated once per
    write attempt; it may be generated lazily, so that a long document's chunks are never in memory all at once.
    """

    source: str
    content_sha: str
    pipeline: str
    size: int
    document: SegmentedDocument
    chunks: Iterable[Chunk]
    seconds: float


@dataclass(frozen=True, slots=True)
class Staged:
    """A version stored as pending, with its numbers of segments and chunks."""

    id: str
    segments: int
    chunks: int


def stage(index: Index, batch: Sequence[Prepared], cancel: threading.Event | None) -> list[Staged]:
    """Stores versions as pending; their first parts in one transaction, because each waits for the disk.

    Args:
        index: the collection; the caller holds write access.
        batch: takes memory for the first part of each: a segment, and `DocStore.part` chunks.
        cancel: stops it between two parts.

    Raises:
        Cancelled: `cancel` was set; the next attempt overwrites what is stored.
    """
    started = [_Started(index, prepared, cancel) for prepared in batch]
    check_cancelled(cancel)
    index.docstore.versions.add_pending(index.collection.id, [one.first for one in started])
    return [one.finish(cancel) for one in started]


class _Started:
    """A version whose first part is in memory, and the rest not yet made."""

    def __init__(self, index: Index, prepared: Prepared, cancel: threading.Event | None) -> None:
        row = _version(index, prepared)
        self._versions, self._at_once = index.docstore.versions, index.docstore.part
        self._segments = _segment_rows(prepared.document)
        self._chunks = _chunk_rows(row.id, prepared.chunks, cancel)
        segments, chunks = list(islice(self._segments, 1)), list(islice(self._chunks, self._at_once))
        self.first = PendingVersion(row, segments, chunks)

    def finish(self, cancel: threading.Event | None) -> Staged:
        """Stores the other parts, each in a transaction."""
        version, n_segments, n = self.first.row.id, len(self.first.segments), len(self.first.chunks)
        for segment in self._segments:
            check_cancelled(cancel)
            self._versions.add_segments(version, [segment])
            n_segments += 1
        while part := list(islice(self._chunks, self._at_once)):
            self._versions.add_chunks(version, part)
            n += len(part)
        return Staged(version, n_segments, n)


def version_id(index: Index, prepared: Prepared) -> str:
    """Returns the id of a file's current content; equal content read by the same pipeline has the same id."""
    return _id_of(_document_id(index, prepared), prepared)


def _id_of(document_id: str, prepared: Prepared) -> str:
    return _digest(document_id, prepared.content_sha, prepared.pipeline)


def _document_id(index: Index, prepared: Prepared) -> str:
    """Returns the document's id if it is known, else one derived from its source."""
    known = index.docstore.document_id(index.collection.id, prepared.source)
    return known or _digest(index.collection.uid, prepared.source)


def _version(index: Index, prepared: Prepared) -> VersionRow:
    document, document_id = prepared.document, _document_id(index, prepared)
    return VersionRow(
        id=_id_of(document_id, prepared),
        document_id=document_id,
        source=prepared.source,
        content_sha=prepared.content_sha,
        pipeline=prepared.pipeline,
        title=document.title,
        pages=document.tally.pages,
        warnings=document.warnings,
        size=prepared.size,
        reading=json.dumps(asdict(document.tally.reading(prepared.seconds))),
    )


def _segment_rows(document: SegmentedDocument) -> Iterator[SegmentRow]:
    for number, segment in enumerate(document.segments):
        spans = json.dumps([asdict(page) for page in segment.pages])
        yield SegmentRow(number, segment.start, segment.end, segment.text, spans, segment.places)


def _chunk_rows(version: str, chunks: Iterable[Chunk], cancel: threading.Event | None) -> Iterator[ChunkRow]:
    """Yields the rows of chunks. Checks `cancel` before each: chunking time grows with the chunk's tokens."""
    for chunk in chunks:
        check_cancelled(cancel)
        yield _chunk_row(version, chunk)


def _chunk_row(version: str, chunk: Chunk) -> ChunkRow:
    return ChunkRow(
        id=chunk_id(version, chunk.position),
        position=chunk.position,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        page=chunk.page,
        heading=chunk.heading,
        embed_key=hashlib.sha256(chunk.embedded_text.encode("utf-8", "surrogatepass")).digest(),
        place=chunk.place,
        context=chunk.context,
    )


def _digest(*parts: str) -> str:
    """Returns a short id of the parts: 128 bits of SHA-256, hex."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
