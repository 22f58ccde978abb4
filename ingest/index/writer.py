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
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from itertools import islice

from ingest.docstore import PART, ChunkRow, EmbedderRole, KnownVersion, VersionRow, WritingTurn
from ingest.errors import Cancelled, EmbedderError, FootnoteError, VectorsDamaged
from ingest.host import release_memory
from ingest.index.index import Index
from ingest.index.indexing import STOPPED, write_text, write_vectors
from ingest.index.recovery import is_clean, recover, renew_text, tidy
from ingest.lexical import LexicalWriter
from ingest.models import Chunk, Document, FileStatus, IndexedChunk, Reading, chunk_id

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Prepared:
    """A file that was read, ready to be written.

    `pipeline` fingerprints the loader and the chunker. `chunks` are gone through once, or again where writing is tried
    again; they may be made as they are asked for, so that a long document's are never in memory all together.
    """

    source: str
    content_sha: str
    pipeline: str
    size: int
    document: Document
    chunks: Iterable[Chunk]
    reading: Reading


@dataclass(frozen=True, slots=True)
class _Staged:
    """A version that is stored as pending, with so many chunks."""

    id: str
    chunks: int


@dataclass(frozen=True, slots=True)
class Written:
    """What a write did: for each file in order a status and its chunks, and how many texts the model had to embed."""

    statuses: tuple[FileStatus, ...]
    chunks: tuple[int, ...]
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
        release_memory()


class IndexWriter:
    """Changes to one collection, while the right to write is held."""

    def __init__(self, index: Index, turn: WritingTurn) -> None:
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
        docstore, collection = self._index.docstore, self._index.collection.id
        known = [docstore.known_version(collection, prepared.source) for prepared in batch]
        versions = [self._version_id(prepared) for prepared in batch]
        statuses = tuple(_status(version, before) for version, before in zip(versions, known, strict=True))
        counts = [before.chunks if before else 0 for before in known]
        same = [one.source for one, status in zip(batch, statuses, strict=True) if status == "unchanged"]
        if tags is not None and same:
            docstore.tags.put(collection, same, tags)
        changed = [i for i, status in enumerate(statuses) if status != "unchanged"]
        if not changed:
            return Written(statuses, tuple(counts), 0)
        self._index.settle_embedder()
        self.recover()
        staged = [self._stage(batch[i], cancel) for i in changed]
        for i, one in zip(changed, staged, strict=True):
            counts[i] = one.chunks
        self._write_text(staged, cancel)
        embedded = self._write_vectors(staged, on_embedded, cancel)
        docstore.activate([one.id for one in staged], tags)
        self.collect("stale")
        return Written(statuses, tuple(counts), embedded)

    def _stage(self, prepared: Prepared, cancel: threading.Event | None) -> _Staged:
        """Stores a version as pending, and its chunks so many at a time."""
        docstore, version = self._index.docstore, self._version(prepared)
        rows = (_chunk_row(version.id, chunk) for chunk in prepared.chunks)
        first = list(islice(rows, PART))
        _check(cancel)
        docstore.add_pending(self._index.collection.id, version, first)
        n = len(first)
        while part := list(islice(rows, PART)):
            _check(cancel)
            docstore.add_chunks(version.id, part)
            n += len(part)
        return _Staged(version.id, n)

    def _parts(self, staged: Sequence[_Staged], cancel: threading.Event | None) -> Iterator[list[IndexedChunk]]:
        """The chunks of versions in the order of their ids, so many at a time; looks at `cancel` before each."""
        in_order = sorted(staged, key=lambda version: version.id)
        ids = (chunk_id(version.id, position) for version in in_order for position in range(version.chunks))
        for part in self._index.docstore.in_parts(ids):
            _check(cancel)
            yield part

    def _write_text(self, staged: Sequence[_Staged], cancel: threading.Event | None) -> None:
        lexical = self._lexical_writer()
        for part in self._parts(staged, cancel):
            write_text(lexical, part)
        lexical.commit()
        _check(cancel)

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
        """Puts back what the indexes have lost, once in a turn. See `ingest.index.recovery.recover`."""
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
        staged: Sequence[_Staged],
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
                embedded += self._write_leg(role, staged, told, cancel)
            except EmbedderError as error:
                if role == "current":
                    raise
                logger.warning("%s That model is filled later, or given up with: footnote reembed --drop", error)
        return embedded

    def _write_leg(
        self,
        role: EmbedderRole,
        staged: Sequence[_Staged],
        told: Callable[[int], None] | None,
        cancel: threading.Event | None,
    ) -> int:
        def embed(told: Callable[[int], None] | None) -> int:
            docstore, leg = self._index.docstore, self._index.leg(self._index.embedders()[role])
            return sum(write_vectors(docstore, leg, part, told, cancel) for part in self._parts(staged, cancel))

        try:
            return embed(told)
        except VectorsDamaged:  # Chroma was killed while it wrote
            self._recovered = False
            self.recover()
            return embed(None)

    def _document_id(self, prepared: Prepared) -> str:
        """The id of the document where it is known, else one made of its source."""
        collection = self._index.collection
        known = self._index.docstore.document_id(collection.id, prepared.source)
        return known or _digest(collection.uid, prepared.source)

    def _version_id(self, prepared: Prepared) -> str:
        return _digest(self._document_id(prepared), prepared.content_sha, prepared.pipeline)

    def _version(self, prepared: Prepared) -> VersionRow:
        document = prepared.document
        return VersionRow(
            id=self._version_id(prepared),
            document_id=self._document_id(prepared),
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


def _status(version_id: str, before: KnownVersion | None) -> FileStatus:
    if before is None:
        return "added"
    return "unchanged" if before.id == version_id else "updated"


def _check(cancel: threading.Event | None) -> None:
    if cancel and cancel.is_set():
        raise Cancelled(STOPPED)


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
