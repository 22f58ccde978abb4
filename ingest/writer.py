"""The write path of one collection, of which every step may be repeated.

A version is stored as pending, then its chunks go into the text index, then into Chroma, then one transaction makes
it the active version, then what it replaced is collected. A crash anywhere leaves the old version or the new one;
what is left over is removed by the next writer.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.errors import Cancelled
from ingest.index import Index
from ingest.jobs import Turn
from ingest.lexical import LexicalEntry, LexicalWriter
from ingest.models import Chunk, Document, FileStatus, Reading
from ingest.rows import ChunkRow, VersionRow

# Texts embedded between two looks at progress and cancellation.
EMBED_BATCH = 128


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that was read and split, ready to be written. `pipeline` fingerprints the loader and the chunker."""

    source: str
    content_sha: str
    pipeline: str
    size: int
    document: Document
    chunks: Sequence[Chunk]
    reading: Reading


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did: a status for each file in order, and how many texts the model had to embed."""

    statuses: tuple[FileStatus, ...]
    embedded: int


@dataclass(frozen=True, slots=True)
class _Staged:
    """A version on its way into the stores."""

    version: VersionRow
    chunks: Sequence[Chunk]
    rows: Sequence[ChunkRow]


@contextmanager
def writing(
    index: Index,
    what: str,
    on_wait: Callable[[str], None] | None = None,
    cancel: threading.Event | None = None,
) -> Iterator[IndexWriter]:
    """The right to change a collection; waits for whoever has it. See `WriterQueue.turn`."""
    with index.queue.turn(what, on_wait, cancel) as turn:
        writer = IndexWriter(index, turn)
        try:
            yield writer
        finally:
            writer.close()


class IndexWriter:
    """Changes to one collection, while the right to write is held."""

    def __init__(self, index: Index, turn: Turn) -> None:
        self._index = index
        self._turn = turn
        self._context = index.lexical.writing()
        self._lexical: LexicalWriter | None = None

    def put(
        self,
        batch: Sequence[Prepared],
        on_embedded: Callable[[int], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Written:
        """Writes versions of documents and makes them active together.

        Args:
            batch: the files, each source once.
            on_embedded: told, as it goes, how many chunks more have their vector.
            cancel: stops between two parts; what was active before stays so, and the rest is taken up again later.

        Returns:
            "added" or "updated" for each file, "unchanged" where another process wrote the same meanwhile; and the
            number of texts embedded: vectors of equal text that are there already are taken over.

        Raises:
            Cancelled: `cancel` was set.
        """
        all_staged = [self._stage(prepared) for prepared in batch]
        statuses = tuple(self._status(one.version) for one in all_staged)
        staged = [one for one, status in zip(all_staged, statuses, strict=True) if status != "unchanged"]
        if not staged:
            return Written(statuses, 0)
        for one in staged:
            self._index.docstore.add_pending(self._index.collection.id, one.version, one.rows)
        self._write_lexical(staged)
        embedded = self._write_vectors(staged, on_embedded, cancel)
        self._index.docstore.activate([one.version.id for one in staged])
        self.collect("stale")
        return Written(statuses, embedded)

    def remove(self, sources: Sequence[str]) -> None:
        """Removes documents: found no more at once, then deleted from every store."""
        self._index.docstore.remove(self._index.collection.id, sources)
        self.collect("stale")

    def collect(self, status: str) -> None:
        """Deletes all versions with `status` ("stale", or "pending" when no write is under way) from every store."""
        docstore, collection = self._index.docstore, self._index.collection
        leftovers = docstore.leftovers(collection.id, status)
        if not leftovers:
            return
        lexical = self._lexical_writer()
        lexical.delete(set(leftovers))
        lexical.commit()
        if self._index.collection_row().fingerprint:
            self._index.vectors.delete([chunk_id for ids in leftovers.values() for chunk_id in ids])
        docstore.delete_versions(leftovers)

    def give_way(self) -> None:
        """Lets another process that waits write first. Call between two puts."""
        if self._turn.others_wait():
            self.close()
            self._turn.give_way()
            self._context = self._index.lexical.writing()

    def progress(self, files_done: int, files_total: int) -> None:
        """Tells processes that wait how far this one is."""
        self._turn.progress(files_done, files_total)

    def close(self) -> None:
        """Lets go of the text index."""
        if self._lexical is not None:
            self._lexical = None
            self._context.__exit__(None, None, None)

    def _lexical_writer(self) -> LexicalWriter:
        if self._lexical is None:
            self._lexical = self._context.__enter__()
        return self._lexical

    def _status(self, version: VersionRow) -> FileStatus:
        known = self._index.docstore.known_version(self._index.collection.id, version.source)
        if known is None:
            return "added"
        return "unchanged" if known.id == version.id else "updated"

    def _stage(self, prepared: Prepared) -> _Staged:
        document_id = _digest(self._index.collection.uid, prepared.source)
        version_id = _digest(document_id, prepared.content_sha, prepared.pipeline)
        version = VersionRow(
            id=version_id,
            document_id=document_id,
            source=prepared.source,
            content_sha=prepared.content_sha,
            pipeline=prepared.pipeline,
            title=prepared.document.title,
            text=prepared.document.text,
            pages=len(prepared.document.pages) or None,
            warnings=prepared.document.warnings,
            size=prepared.size,
            reading=json.dumps(asdict(prepared.reading)),
            page_spans=json.dumps([asdict(page) for page in prepared.document.pages]),
            places=prepared.document.places,
        )
        return _Staged(version, prepared.chunks, [_chunk_row(version_id, chunk) for chunk in prepared.chunks])

    def _write_lexical(self, staged: Sequence[_Staged]) -> None:
        lexical = self._lexical_writer()
        lexical.add(
            [
                LexicalEntry(row.id, one.version.id, chunk.text, chunk.context, Path(one.version.source).name)
                for one in staged
                for row, chunk in zip(one.rows, one.chunks, strict=True)
            ]
        )
        lexical.commit()

    def _write_vectors(
        self, staged: Sequence[_Staged], on_embedded: Callable[[int], None] | None, cancel: threading.Event | None
    ) -> int:
        pieces = [piece for one in staged for piece in zip(one.rows, one.chunks, strict=True)]
        places = {row.id: _place(one.version, row) for one in staged for row in one.rows}
        known = self._known_vectors([row for row, _ in pieces])
        embedded = 0
        for i in range(0, len(pieces), EMBED_BATCH):
            if cancel and cancel.is_set():
                raise Cancelled("Stopped. What was finished is kept; the next run goes on from here.")
            part = pieces[i : i + EMBED_BATCH]
            missing = {row.embed_key: chunk.embedded_text for row, chunk in part if row.embed_key not in known}
            if missing:
                rows = self._index.embedder.encode_documents(list(missing.values()))
                known.update(zip(missing, rows, strict=True))
                embedded += len(missing)
            self._index.vectors.upsert(
                [row.id for row, _ in part],
                np.stack([known[row.embed_key] for row, _ in part]),
                [row.text for row, _ in part],
                [places[row.id] for row, _ in part],
            )
            if on_embedded:
                on_embedded(len(part))
        return embedded

    def _known_vectors(self, rows: Sequence[ChunkRow]) -> dict[bytes, NDArray[np.float32]]:
        """Vectors of equal text: from a write that was cut off, from another document, or from the old version."""
        keys = {row.embed_key for row in rows}
        elsewhere = self._index.docstore.chunks_by_embed_key(self._index.collection.id, list(keys))
        key_of = {chunk_id: key for key, chunk_id in elsewhere.items()} | {row.id: row.embed_key for row in rows}
        return {key_of[chunk_id]: vector for chunk_id, vector in self._index.vectors.vectors(list(key_of)).items()}


def _chunk_row(version_id: str, chunk: Chunk) -> ChunkRow:
    return ChunkRow(
        id=f"{version_id}-{chunk.position:06d}",
        position=chunk.position,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        page=chunk.page,
        heading=chunk.heading,
        embed_key=hashlib.sha256(chunk.embedded_text.encode("utf-8", "surrogatepass")).digest(),
        place=chunk.place,
    )


def _place(version: VersionRow, row: ChunkRow) -> dict[str, str | int]:
    place: dict[str, str | int] = {
        "document": version.source,
        "document_id": version.document_id,
        "version_id": version.id,
        "title": version.title,
        "heading": " > ".join(row.heading),
        "start": row.start,
        "end": row.end,
    }
    return place if row.page is None else {**place, "page": row.page, "place": row.place}


def _digest(*parts: str) -> str:
    """A short id made of its parts: 128 bits of SHA-256, hex."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
