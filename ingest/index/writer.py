"""The write path of one collection, of which every step may be repeated.

A version is stored as pending, then its chunks go into the text index, then into Chroma, then one transaction makes
it the active version, then what it replaced is collected. A crash anywhere leaves the old version or the new one;
what is left over is removed by the next writer.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ingest.docstore import EmbedderRole, KnownVersion, WritingTurn
from ingest.errors import Cancelled, EmbedderError, FootnoteError, VectorsDamaged
from ingest.host import check_cancelled, release_memory
from ingest.index.index import Index
from ingest.index.indexing import parts, write_text, write_vectors
from ingest.index.recovery import is_clean, recover, renew_text, tidy
from ingest.index.staging import Prepared, Staged, stage, version_id
from ingest.lexical import LexicalWriter
from ingest.models import FileStatus, IndexedChunk, chunk_id

logger = logging.getLogger(__name__)


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
            writer.tidy(cancel)
        except Cancelled:
            pass  # the next writer does it
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
        versions = [version_id(self._index, prepared) for prepared in batch]
        statuses = tuple(_status(version, before) for version, before in zip(versions, known, strict=True))
        counts = [before.chunks if before else 0 for before in known]
        same = [one.source for one, status in zip(batch, statuses, strict=True) if status == "unchanged"]
        if tags is not None and same:
            docstore.tags.put(collection, same, tags)
        changed = [i for i, status in enumerate(statuses) if status != "unchanged"]
        if not changed:
            return Written(statuses, tuple(counts), 0)
        self._index.settle_embedder()
        self.recover(cancel)
        staged = [stage(self._index, batch[i], cancel) for i in changed]
        for i, one in zip(changed, staged, strict=True):
            counts[i] = one.chunks
            self._delete_beyond(one, cancel)
        self._write_text(staged, cancel)
        embedded = self._write_vectors(staged, on_embedded, cancel)
        docstore.versions.activate([one.id for one in staged], tags)
        self.collect("stale", cancel)
        return Written(statuses, tuple(counts), embedded)

    def _parts(self, staged: Sequence[Staged], cancel: threading.Event | None) -> Iterator[list[IndexedChunk]]:
        """The chunks of versions in the order of their ids, so many at a time; looks at `cancel` before each."""
        in_order = sorted(staged, key=lambda version: version.id)
        ids = (chunk_id(version.id, position) for version in in_order for position in range(version.chunks))
        return parts(self._index.docstore, ids, cancel)

    def _delete_beyond(self, staged: Staged, cancel: threading.Event | None) -> None:
        """Deletes what an earlier try, cut off, stored past the end: a loader may read less the second time."""
        versions = self._index.docstore.versions
        for chunk_ids in versions.chunk_ids([staged.id], start=staged.chunks):
            check_cancelled(cancel)
            self._delete_vectors(chunk_ids)
            versions.delete_chunks(chunk_ids)
        versions.keep_segments(staged.id, staged.segments)

    def _write_text(self, staged: Sequence[Staged], cancel: threading.Event | None) -> None:
        lexical = self._lexical_writer()
        for part in self._parts(staged, cancel):
            write_text(lexical, part)
        lexical.commit()
        check_cancelled(cancel)

    def remove(self, sources: Sequence[str]) -> None:
        """Removes documents: found no more at once, then deleted from every store."""
        clean = is_clean(self._index)
        self._index.docstore.remove(self._index.collection.id, sources)
        self.recover(by_number=clean)
        self.collect("stale")

    def collect(self, status: str, cancel: threading.Event | None = None) -> None:
        """Deletes versions from every store, some chunks at a time.

        Args:
            status: "stale", or "pending" when no write is under way.
            cancel: stops it; what is left is deleted by the next writer.
        """
        docstore, collection = self._index.docstore, self._index.collection
        versions = docstore.versions.leftovers(collection.id, status)
        if not versions:
            return
        with suppress(Cancelled):
            self.recover(cancel)
            lexical = self._lexical_writer()
            lexical.delete(set(versions))
            lexical.commit()
            for chunk_ids in docstore.versions.chunk_ids(versions):
                check_cancelled(cancel)
                self._delete_vectors(chunk_ids)
                docstore.catalog.add_garbage(collection.id, len(chunk_ids))
            docstore.versions.delete(versions, cancel)
            self._deleted = True
            self.recover(cancel)

    def _delete_vectors(self, chunk_ids: Sequence[str]) -> None:
        for row in self._index.embedders().values():
            try:
                self._index.leg(row).store.delete(chunk_ids)
            except VectorsDamaged:  # lost since; nothing to delete there, but for a search something to put back
                self._recovered = False

    def recover(
        self, cancel: threading.Event | None = None, *, by_number: bool | None = None, thorough: bool = False
    ) -> None:
        """Puts back what the indexes have lost, once in a turn. See `ingest.index.recovery.recover`."""
        if thorough or not self._recovered:
            recover(self._index, cancel, by_number=by_number, thorough=thorough)
            self._recovered = True

    def tidy(self, cancel: threading.Event | None = None) -> None:
        """Renews a text index of an older Footnote, and gives back the room of deletions in this turn if it is much."""
        renew_text(self._index, cancel)
        if self._deleted:
            tidy(self._index, cancel)

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
        staged: Sequence[Staged],
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
        staged: Sequence[Staged],
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
            self.recover(cancel)
            return embed(None)


def _status(version_id: str, before: KnownVersion | None) -> FileStatus:
    if before is None:
        return "added"
    return "unchanged" if before.id == version_id else "updated"
