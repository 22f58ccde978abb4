"""The write path of one collection; every step can be repeated.

A version is stored as pending, then its chunks go into the text index. One transaction then makes it the active
version, which is found by its words, and the version it replaced is deleted. Its vectors follow. A crash at any point
leaves the old version or the new one active; the next writer removes leftovers and writes the missing vectors.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass

from ingest.docstore import KnownVersion, Span, WritingTurn
from ingest.errors import Cancelled, FootnoteError, VectorsDamaged
from ingest.host import check_cancelled, release_memory
from ingest.index.index import Index
from ingest.index.indexing import parts, write_text, write_vectors
from ingest.index.recovery import is_clean, recover, renew_text, tidy
from ingest.index.staging import Prepared, Staged, stage, version_id
from ingest.lexical import LexicalWriter
from ingest.models import chunk_id
from ingest.reports import FileStatus

logger = logging.getLogger(__name__)
# Chunks embedded before the next versions are chosen and waiting processes may write: ten seconds on two slow cores.
EMBEDDED_AT_ONCE = 512


@dataclass(frozen=True, slots=True)
class Written:
    """Result of a write: a status and chunks per file, in order."""

    statuses: tuple[FileStatus, ...]
    chunks: tuple[int, ...]


@contextmanager
def writing(
    index: Index,
    what: str,
    on_wait: Callable[[str], None] | None = None,
    cancel: threading.Event | None = None,
) -> Iterator[IndexWriter]:
    """Grants exclusive write access to a collection, waiting for the current writer. See `WriterQueue.turn`."""
    with index.queue.turn(what, on_wait, cancel) as turn:
        writer = IndexWriter(index, turn)
        try:
            yield writer
        finally:
            writer.close()
        try:
            writer.tidy(cancel)
        except Cancelled:
            pass  # the next writer does this
        except FootnoteError as error:  # the write itself succeeded
            logger.warning("Could not reclaim disk space yet: %s", error)
        release_memory()


class IndexWriter:
    """Changes one collection while write access is held."""

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
        cancel: threading.Event | None = None,
        tags: Sequence[str] | None = None,
    ) -> Written:
        """Writes versions of documents and activates them together, without their vectors: call `embed` afterwards.

        Args:
            batch: the files, each source once.
            cancel: stops between two parts; active versions stay active, and a later write resumes.
            tags: the documents' new tags; None leaves them unchanged.

        Returns:
            "added" or "updated" for each file, "unchanged" if another process wrote the same in the meantime.

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
            return Written(statuses, tuple(counts))
        self._index.settle_embedder()
        self.recover(cancel)
        staged = stage(self._index, [batch[i] for i in changed], cancel)
        for i, one in zip(changed, staged, strict=True):
            counts[i] = one.chunks
            self._delete_beyond(one, cancel)
        self._write_text(staged, cancel)
        docstore.versions.activate([one.id for one in staged], tags)
        self.collect("stale", cancel)
        return Written(statuses, tuple(counts))

    def embed(
        self, on_embedded: Callable[[int, int], None] | None = None, cancel: threading.Event | None = None
    ) -> None:
        """Writes the missing vectors of active versions, also of earlier runs. Other processes write their texts first.

        The versions that searches found most often come first, then the newest. One that the model cannot embed is
        logged and left out, to be tried again by the next call.

        Args:
            on_embedded: called with the numbers of further chunks whose vectors were written and of texts that the
                model embedded for them; texts whose vectors already existed do not count.
            cancel: stops between two texts; what is written stays, and the next call continues.

        Raises:
            Cancelled: `cancel` was set.
        """
        collection, unembedded = self._index.collection.id, self._index.docstore.unembedded
        failed: set[str] = set()
        while spans := unembedded.first(collection, EMBEDDED_AT_ONCE, failed):
            self.recover(cancel)
            failed |= self._embed_spans(spans, on_embedded, cancel)
            if unembedded.first(collection, 1, failed):
                self._let_others(self._turn.stand_back)  # texts first

    def _embed_spans(
        self, spans: Sequence[Span], told: Callable[[int, int], None] | None, cancel: threading.Event | None
    ) -> set[str]:
        """Writes the vectors of chunks. Returns the versions that the model could not embed."""
        try:
            self._write_vectors(spans, told, cancel)
        except FootnoteError:
            raise
        except Exception:  # of one text: the others are embedded without it
            if len(spans) > 1:
                return {one for span in spans for one in self._embed_spans([span], told, cancel)}
            (chunk,) = self._index.docstore.indexed_chunks([chunk_id(spans[0].version, spans[0].start)])
            logger.exception("%s cannot be embedded: it is found by its words only.", chunk.chunk.source)
            return {spans[0].version}
        self._index.docstore.unembedded.done(self._index.collection.id, spans)
        return set()

    def _write_vectors(
        self, spans: Sequence[Span], told: Callable[[int, int], None] | None, cancel: threading.Event | None
    ) -> None:
        docstore = self._index.docstore
        ids = [chunk_id(one.version, position) for one in spans for position in range(one.start, one.stop)]

        def write(told: Callable[[int, int], None] | None) -> None:
            leg = self._index.leg(self._index.embedders()["current"])
            write_vectors(docstore, leg, parts(docstore, ids, cancel), told, cancel)

        try:
            write(told)
        except VectorsDamaged:  # Chroma was killed during a write
            self._recovered = False
            self.recover(cancel)
            write(None)

    def _delete_beyond(self, staged: Staged, cancel: threading.Event | None) -> None:
        """Deletes chunks that an interrupted attempt stored past the end: a loader may read less the second time."""
        versions = self._index.docstore.versions
        for chunk_ids in versions.chunk_ids([staged.id], start=staged.chunks):
            check_cancelled(cancel)
            self._delete_vectors(chunk_ids)
            versions.delete_chunks(chunk_ids)
        versions.keep_segments(staged.id, staged.segments)

    def _write_text(self, staged: Sequence[Staged], cancel: threading.Event | None) -> None:
        lexical = self._lexical_writer()
        in_order = sorted(staged, key=lambda version: version.id)
        ids = (chunk_id(version.id, position) for version in in_order for position in range(version.chunks))
        for part in parts(self._index.docstore, ids, cancel):
            write_text(lexical, part)
        lexical.commit()
        check_cancelled(cancel)

    def remove(self, sources: Sequence[str]) -> None:
        """Removes documents: hides them from searches at once, then deletes them from every store."""
        clean = is_clean(self._index)
        self._index.docstore.remove(self._index.collection.id, sources)
        self.recover(by_number=clean)
        self.collect("stale")

    def collect(self, status: str, cancel: threading.Event | None = None) -> None:
        """Deletes versions from every store, in parts.

        Args:
            status: "stale", or "pending" when no write is in progress.
            cancel: stops it; the next writer deletes the rest.
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
            docstore.versions.delete(versions, cancel)
            self._deleted = True
            self.recover(cancel)

    def _delete_vectors(self, chunk_ids: Sequence[str]) -> None:
        """Deletes vectors, and counts them: Chroma keeps their space until its collection is rebuilt."""
        for row in self._index.embedders().values():
            try:
                self._index.leg(row).store.delete(chunk_ids)
            except VectorsDamaged:  # the vectors were lost: nothing to delete, and a search will restore the rest
                self._recovered = False
        self._index.docstore.catalog.add_garbage(self._index.collection.id, len(chunk_ids))

    def recover(
        self, cancel: threading.Event | None = None, *, by_number: bool | None = None, thorough: bool = False
    ) -> None:
        """Repairs the indexes, once per turn. See `ingest.index.recovery.recover`."""
        if thorough or not self._recovered:
            recover(self._index, cancel, by_number=by_number, thorough=thorough)
            self._recovered = True

    def tidy(self, cancel: threading.Event | None = None) -> None:
        """Rebuilds an outdated text index, and reclaims space if this turn deleted much."""
        renew_text(self._index, cancel)
        if self._deleted:
            tidy(self._index, cancel)

    def give_way(self) -> None:
        """Lets a waiting process write first. Call between two puts."""
        self._let_others(self._turn.give_way)

    def _let_others(self, wait: Callable[[], None]) -> None:
        if self._turn.others_wait():
            self.close()
            before = self._changes()
            wait()
            self._recovered = self._recovered and self._changes() == before
            self._context = self._index.lexical.writing()

    def progress(self, files_done: int, files_total: int) -> None:
        """Publishes this writer's progress to waiting processes."""
        self._turn.progress(files_done, files_total)

    def close(self) -> None:
        """Releases the text index."""
        if self._lexical is not None:
            self._lexical = None
            self._context.__exit__(None, None, None)

    def _changes(self) -> int:
        return self._index.docstore.catalog.changes(self._index.collection.id)

    def _lexical_writer(self) -> LexicalWriter:
        if self._lexical is None:
            self._lexical = self._context.__enter__()
        return self._lexical


def _status(version_id: str, before: KnownVersion | None) -> FileStatus:
    if before is None:
        return "added"
    return "unchanged" if before.id == version_id else "updated"
