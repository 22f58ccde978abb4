"""Writes versions of documents: pending, then active, then stale and deleted.

A version is written and deleted in parts of bounded size, so that memory use does not grow with it. A partial version
is never active, and therefore never visible.
"""

from __future__ import annotations

import json
import sqlite3
import threading
import time
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass

from ingest.docstore.database import Database
from ingest.docstore.periods import put_periods
from ingest.docstore.records import ChunkRow, SegmentRow, VersionRow
from ingest.docstore.tags import put_tags
from ingest.docstore.unembedded import add_unembedded
from ingest.docstore.vector_cache import ORPHANED
from ingest.filters import document_type
from ingest.host import check_cancelled
from ingest.text import document_periods

# Chunks and segments of a version deleted per transaction.
CHUNKS_AT_ONCE, SEGMENTS_AT_ONCE = 5_000, 16
CHANGED = """
UPDATE collections SET changes = changes + 1 WHERE id IN
    (SELECT collection FROM stored_versions WHERE id = ?)
"""
PENDING = """
INSERT INTO versions (id, document, status, content_sha, pipeline, title, pages, warnings, size, created, reading)
VALUES (:id, :document_id, 'pending', :content_sha, :pipeline, :title, :pages, :warnings, :size, :created, :reading)
ON CONFLICT (id) DO UPDATE SET status = 'pending', title = excluded.title, pages = excluded.pages,
    warnings = excluded.warnings, created = excluded.created, reading = excluded.reading, text_bytes = 0
"""
SEGMENT = """
INSERT INTO segments (version, number, start, stop, text, page_spans, places)
VALUES (?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (version, number) DO UPDATE SET start = excluded.start, stop = excluded.stop, text = excluded.text,
    page_spans = excluded.page_spans, places = excluded.places
"""
CHUNK = """
INSERT INTO chunks (id, version, position, start, stop, text, page, heading, embed_key, place, context)
VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
ON CONFLICT (id) DO UPDATE SET start = excluded.start, stop = excluded.stop, text = excluded.text,
    page = excluded.page, heading = excluded.heading, embed_key = excluded.embed_key, place = excluded.place,
    context = excluded.context
"""
KEYS_OF_CHUNKS = """
SELECT DISTINCT c.collection, c.embed_key FROM json_each(?) j JOIN stored_chunks c ON c.id = j.value
"""
SOME_SEGMENTS = """
DELETE FROM segments WHERE version = ?1 AND number IN (SELECT number FROM segments WHERE version = ?1 LIMIT ?2)
"""


@dataclass(frozen=True, slots=True)
class PendingVersion:
    """A version to be stored as pending, with its first segments and chunks; `add_segments` etc. add the rest."""

    row: VersionRow
    segments: Sequence[SegmentRow] = ()
    chunks: Sequence[ChunkRow] = ()

    @property
    def opening(self) -> str:
        """Returns the beginning of its text."""
        return self.segments[0].text if self.segments else ""


class Versions:
    """Versions of documents, in the document store's database.

    Args:
        database: the database, opened with `ingest.docstore.schema`.
    """

    def __init__(self, database: Database) -> None:
        self._query = database.query
        self._transaction = database.transaction

    def add_pending(self, collection: int, pending: Sequence[PendingVersion]) -> None:
        """Stores versions as pending, with their periods and their first segments and chunks, in one transaction.

        Overwrites data left by an interrupted attempt part by part: it may be too much to delete in one transaction.
        """
        periods = [document_periods(one.row.source, one.row.title, one.opening) for one in pending]
        with self._transaction() as db:
            for one, found in zip(pending, periods, strict=True):
                row = one.row
                db.execute(
                    "INSERT OR IGNORE INTO documents (id, collection, source, updated, type) VALUES (?, ?, ?, ?, ?)",
                    (row.document_id, collection, row.source, time.time(), document_type(row.source)),
                )
                db.execute(PENDING, {**asdict(row), "warnings": json.dumps(row.warnings), "created": time.time()})
                put_periods(db, row.id, found)
                _add_segments(db, row.id, one.segments)
                _add_chunks(db, row.id, one.chunks)

    def add_segments(self, version_id: str, segments: Sequence[SegmentRow]) -> None:
        """Stores more segments of a pending version."""
        with self._transaction() as db:
            _add_segments(db, version_id, segments)

    def add_chunks(self, version_id: str, chunks: Sequence[ChunkRow]) -> None:
        """Stores more chunks of a pending version."""
        with self._transaction() as db:
            _add_chunks(db, version_id, chunks)

    def activate(self, version_ids: Sequence[str], tags: Sequence[str] | None = None) -> None:
        """Makes each version its document's active one, and the version before it stale, in one transaction.

        Their vectors are not written yet: see `Unembedded`.

        Args:
            version_ids: ids of pending versions.
            tags: the documents' new tags; None leaves them unchanged.
        """
        with self._transaction() as db:
            for version_id in version_ids:
                db.execute(
                    "UPDATE versions SET status = 'stale' WHERE status = 'active' AND id != ?1"
                    " AND document = (SELECT document FROM versions WHERE id = ?1)",
                    (version_id,),
                )
                db.execute("UPDATE versions SET status = 'active' WHERE id = ?", (version_id,))
                add_unembedded(db, version_id)
                documents = db.execute(
                    "UPDATE documents SET updated = ?1 WHERE id = (SELECT document FROM versions WHERE id = ?2)"
                    " RETURNING id",
                    (time.time(), version_id),
                ).fetchall()
                if tags is not None:
                    put_tags(db, [row[0] for row in documents], tags)
                db.execute(
                    "DELETE FROM failures WHERE (collection, source) IN"
                    " (SELECT collection, source FROM stored_versions WHERE id = ?)",
                    (version_id,),
                )
                db.execute(CHANGED, (version_id,))

    def leftovers(self, collection: int, status: str) -> list[str]:
        """Returns the versions of a collection with `status` ("pending" or "stale")."""
        rows = self._query(
            "SELECT id FROM stored_versions WHERE collection = ? AND status = ?"
            " AND status != 'active'",  # redundant, but lets SQLite use the partial index
            collection,
            status,
        )
        return [row[0] for row in rows]

    def chunk_ids(self, version_ids: Sequence[str], start: int = 0) -> Iterator[list[str]]:
        """Yields the ids of the chunks of versions, from a position onwards in each, in parts."""
        part: list[str] = []
        for version_id in version_ids:
            last = start - 1
            while rows := self._query(
                "SELECT id, position FROM chunks WHERE version = ? AND position > ? ORDER BY position LIMIT ?",
                version_id,
                last,
                CHUNKS_AT_ONCE - len(part),
            ):
                part += [row[0] for row in rows]
                last = rows[-1][1]
                if len(part) >= CHUNKS_AT_ONCE:
                    yield part
                    part = []
        if part:
            yield part

    def delete(self, version_ids: Sequence[str], cancel: threading.Event | None = None) -> None:
        """Deletes versions with their text, chunks and vectors, and documents left without a version.

        Raises:
            Cancelled: `cancel` was set between two parts; the next call deletes the rest.
        """
        for ids in self.chunk_ids(version_ids):
            check_cancelled(cancel)
            self.delete_chunks(ids)
        for version_id in version_ids:
            while self._delete_segments(version_id) == SEGMENTS_AT_ONCE:
                check_cancelled(cancel)
        with self._transaction() as db:
            for version_id in version_ids:
                found = db.execute("DELETE FROM versions WHERE id = ? RETURNING document", (version_id,)).fetchall()
                db.executemany(
                    "DELETE FROM documents WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM versions WHERE document = ?1)",
                    found,
                )

    def delete_chunks(self, chunk_ids: Sequence[str]) -> None:
        """Deletes chunks, and the vectors of texts that no other chunk of their collection has."""
        ids = json.dumps(chunk_ids)
        with self._transaction() as db:
            keys = db.execute(KEYS_OF_CHUNKS, (ids,)).fetchall()
            db.execute("DELETE FROM chunks WHERE id IN (SELECT value FROM json_each(?))", (ids,))
            db.executemany(ORPHANED, keys)

    def keep_segments(self, version_id: str, keep: int) -> None:
        """Deletes all segments of a version after the first `keep`."""
        with self._transaction() as db:
            db.execute("DELETE FROM segments WHERE version = ? AND number >= ?", (version_id, keep))

    def _delete_segments(self, version_id: str) -> int:
        """Deletes some segments if there are many; a few are deleted with their version. Returns the number deleted."""
        ((n,),) = self._query("SELECT count(*) FROM segments WHERE version = ?", version_id)
        if n <= SEGMENTS_AT_ONCE:
            return 0
        with self._transaction() as db:
            return db.execute(SOME_SEGMENTS, (version_id, SEGMENTS_AT_ONCE)).rowcount


def _add_segments(db: sqlite3.Connection, version_id: str, segments: Sequence[SegmentRow]) -> None:
    for one in segments:
        values = (version_id, one.number, one.start, one.stop, one.text, one.page_spans, one.places)
        db.execute(SEGMENT, values)
        db.execute(
            "UPDATE versions SET text_bytes = text_bytes + length(CAST(? AS BLOB)) WHERE id = ?",
            (one.text, version_id),
        )


def _add_chunks(db: sqlite3.Connection, version_id: str, chunks: Sequence[ChunkRow]) -> None:
    written_over = db.execute(KEYS_OF_CHUNKS, (json.dumps([c.id for c in chunks]),)).fetchall()
    db.executemany(CHUNK, [_values(version_id, chunk) for chunk in chunks])
    db.executemany(ORPHANED, written_over)


def _values(version_id: str, chunk: ChunkRow) -> tuple[object, ...]:
    """Returns the values of CHUNK; `dataclasses.asdict`, which copies deeply, took half the time of storing a file."""
    place = (chunk.id, version_id, chunk.position, chunk.start, chunk.end, chunk.text, chunk.page)
    return (*place, json.dumps(chunk.heading), chunk.embed_key, chunk.place, chunk.context)
