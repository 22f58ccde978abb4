"""The write path of one collection, of which every step may be repeated.

A version is stored as pending, then its chunks go into the text index, then into Chroma, then one transaction makes
it the active version, then what it replaced is collected. A crash anywhere leaves the old version or the new one;
what is left over is removed by the next writer.
"""

from __future__ import annotations

import hashlib
import json
import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass

from ingest.errors import EmbedderError, FootnoteError, VectorsDamaged
from ingest.index import Index
from ingest.jobs import Turn
from ingest.legs import write_text, write_vectors
from ingest.lexical_writer import LexicalWriter
from ingest.memory import give_back
from ingest.models import Chunk, Document, FileStatus, IndexedChunk, Reading, chunk_id
from ingest.recovery import is_clean, recover, renew_text, tidy
from ingest.rows import ChunkRow, EmbedderRole, VersionRow

logger = logging.getLogger(__name__)


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
        try:
            writer.tidy()
        except FootnoteError as error:  # the work itself is done
            logger.warning("Room was not given back yet: %s", error)
        give_back()


class IndexWriter:
    """Changes to one collection, while the right to write is held."""

    def __init__(self, index: Index, turn: Turn) -> None:
        self._index = index
        self._turn = turn
        self._context = index.lexical.writing()
        self._lexical: LexicalWriter | None = None
        self._recovered = False
        self._deleted = False

    def put(
        self,
        batch: Sequence[Prepared],
        on_embedded: Callable[[int], None] | None = None,
        cancel: threading.Event | None = None,
        tags: Sequence[str] | None = None,
    ) -> Written:
        """Writes versions of documents and makes them active together.

        Args:
            batch: the files, each source once.
            on_embedded: told, as it goes, how many chunks more have their vector.
            cancel: stops between two parts; what was active before stays so, and the rest is taken up again later.
            tags: that the documents have from now on; None leaves them as they are.

        Returns:
            "added" or "updated" for each file, "unchanged" where another process wrote the same meanwhile; and the
            number of texts embedded: vectors of equal text that are there already are taken over.

        Raises:
            Cancelled: `cancel` was set.
        """
        versions = [self._version(prepared) for prepared in batch]
        statuses = tuple(self._status(version) for version in versions)
        staged = [
            (version, [_chunk_row(version.id, chunk) for chunk in prepared.chunks])
            for version, prepared, status in zip(versions, batch, statuses, strict=True)
            if status != "unchanged"
        ]
        same = [one.source for one, status in zip(batch, statuses, strict=True) if status == "unchanged"]
        if tags is not None and same:
            self._index.docstore.tags.put(self._index.collection.id, same, tags)
        if not staged:
            return Written(statuses, 0)
        self._index.settle_embedder()
        self.recover()
        docstore = self._index.docstore
        for version, rows in staged:
            docstore.add_pending(self._index.collection.id, version, rows)
        chunks = docstore.indexed_chunks([row.id for _, rows in staged for row in rows])
        lexical = self._lexical_writer()
        write_text(lexical, chunks)
        lexical.commit()
        embedded = self._write_vectors(chunks, on_embedded, cancel)
        docstore.activate([version.id for version, _ in staged], tags)
        self.collect("stale")
        return Written(statuses, embedded)

    def remove(self, sources: Sequence[str]) -> None:
        """Removes documents: found no more at once, then deleted from every store."""
        clean = is_clean(self._index)
        self._index.docstore.remove(self._index.collection.id, sources)
        self.recover(by_number=clean)
        self.collect("stale")

    def collect(self, status: str) -> None:
        """Deletes all versions with `status` ("stale", or "pending" when no write is under way) from every store."""
        docstore, collection = self._index.docstore, self._index.collection
        leftovers = docstore.leftovers(collection.id, status)
        if not leftovers:
            return
        self.recover()
        lexical = self._lexical_writer()
        lexical.delete(set(leftovers))
        lexical.commit()
        chunk_ids = [chunk_id for ids in leftovers.values() for chunk_id in ids]
        for row in self._index.embedders().values():
            try:
                self._index.leg(row).store.delete(chunk_ids)
            except VectorsDamaged:  # lost since; nothing to delete there, but for a search something to put back
                self._recovered = False
        docstore.catalog.add_garbage(collection.id, len(chunk_ids))
        docstore.delete_versions(leftovers)
        self._deleted = True
        self.recover()

    def recover(self, *, by_number: bool | None = None, thorough: bool = False) -> None:
        """Puts back what the indexes have lost, once in a turn. See `ingest.recovery.recover`."""
        if thorough or not self._recovered:
            recover(self._index, by_number=by_number, thorough=thorough)
            self._recovered = True

    def tidy(self) -> None:
        """Renews a text index of an older Footnote, and gives back the room of deletions in this turn if it is much."""
        renew_text(self._index)
        if self._deleted:
            tidy(self._index)

    def give_way(self) -> None:
        """Lets another process that waits write first. Call between two puts."""
        if self._turn.others_wait():
            self.close()
            before = self._changes()
            self._turn.give_way()
            self._recovered = self._recovered and self._changes() == before
            self._context = self._index.lexical.writing()

    def progress(self, files_done: int, files_total: int) -> None:
        """Tells processes that wait how far this one is."""
        self._turn.progress(files_done, files_total)

    def close(self) -> None:
        """Lets go of the text index."""
        if self._lexical is not None:
            self._lexical = None
            self._context.__exit__(None, None, None)

    def _changes(self) -> int:
        return self._index.docstore.catalog.changes(self._index.collection.id)

    def _lexical_writer(self) -> LexicalWriter:
        if self._lexical is None:
            self._lexical = self._context.__enter__()
        return self._lexical

    def _write_vectors(
        self,
        chunks: Sequence[IndexedChunk],
        on_embedded: Callable[[int], None] | None,
        cancel: threading.Event | None,
    ) -> int:
        """Into the collection of the model that is searched, and into that of the one that is to replace it."""
        embedded = 0
        for role in self._index.embedders():
            if role == "previous":
                continue
            told = on_embedded if role == "current" else None
            try:
                embedded += self._write_leg(role, chunks, told, cancel)
            except EmbedderError as error:
                if role == "current":
                    raise
                logger.warning("%s That model is filled later, or given up with: footnote reembed --drop", error)
        return embedded

    def _write_leg(
        self,
        role: EmbedderRole,
        chunks: Sequence[IndexedChunk],
        told: Callable[[int], None] | None,
        cancel: threading.Event | None,
    ) -> int:
        index = self._index
        try:
            return write_vectors(index.docstore, index.leg(index.embedders()[role]), chunks, told, cancel)
        except VectorsDamaged:  # Chroma was killed while it wrote
            self._recovered = False
            self.recover()
            return write_vectors(index.docstore, index.leg(index.embedders()[role]), chunks, None, cancel)

    def _status(self, version: VersionRow) -> FileStatus:
        known = self._index.docstore.known_version(self._index.collection.id, version.source)
        if known is None:
            return "added"
        return "unchanged" if known.id == version.id else "updated"

    def _version(self, prepared: Prepared) -> VersionRow:
        """The row of a version, under its document's id where that is known, else under one made of its source."""
        collection, document = self._index.collection, prepared.document
        known = self._index.docstore.document_id(collection.id, prepared.source)
        document_id = known or _digest(collection.uid, prepared.source)
        return VersionRow(
            id=_digest(document_id, prepared.content_sha, prepared.pipeline),
            document_id=document_id,
            source=prepared.source,
            content_sha=prepared.content_sha,
            pipeline=prepared.pipeline,
            title=document.title,
            text=document.text,
            pages=len(document.pages) or None,
            warnings=document.warnings,
            size=prepared.size,
            reading=json.dumps(asdict(prepared.reading)),
            page_spans=json.dumps([asdict(page) for page in document.pages]),
            places=document.places,
        )


def _chunk_row(version_id: str, chunk: Chunk) -> ChunkRow:
    return ChunkRow(
        id=chunk_id(version_id, chunk.position),
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
    """A short id made of its parts: 128 bits of SHA-256, hex."""
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]
