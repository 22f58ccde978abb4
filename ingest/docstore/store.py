"""Document store in SQLite: documents, versions and chunks. It is the authoritative record.

The vector and text indexes may hold more than this store marks as active, after an interrupted write or a replaced
version. A chunk counts only if its version is active here.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import astuple
from itertools import islice
from pathlib import Path

from ingest.docstore.collections import Catalog
from ingest.docstore.database import Database, batches
from ingest.docstore.filtering import Selection
from ingest.docstore.periods import Periods
from ingest.docstore.records import KnownFailure, KnownVersion
from ingest.docstore.schema import MIGRATIONS, SCHEMA, SCHEMA_VERSION
from ingest.docstore.statistics import Holdings
from ingest.docstore.tags import Tags
from ingest.docstore.unembedded import Unembedded
from ingest.docstore.vector_cache import KeptVectors
from ingest.docstore.versions import Versions
from ingest.docstore.writer_queue import WriterQueue
from ingest.models import Box, IndexedChunk, Page, StoredChunk
from ingest.segments import add_pages
from ingest.word_boxes import boxes

# Chunks read at once when iterating over all of them.
PART = 512
# Chunks sampled by a quick consistency check.
SOME = 8
CHUNKS = "SELECT * FROM stored_chunks"
ACTIVE = "SELECT id FROM stored_chunks WHERE collection = ? AND status = 'active'"
# The plus keeps SQLite from scanning all chunks of the collection: it would for 150 ids or more.
ACTIVE_CHUNKS = f"{CHUNKS} WHERE +collection = ? AND status = 'active'"
EMBEDDED = """NOT EXISTS (
    SELECT 1 FROM unembedded u WHERE u.version = stored_chunks.version AND u.written <= stored_chunks.position)"""
# Sorts the versions of the collection, of which there are far fewer than chunks, then the chunks of a few of them.
SOME_CHUNKS = """
SELECT c.id FROM (
    SELECT id, created FROM stored_versions WHERE collection = ?1 AND status = 'active'
    AND id NOT IN (SELECT version FROM unembedded) ORDER BY created {order}, id {order} LIMIT ?2
) v JOIN chunks c ON c.version = v.id ORDER BY v.created {order}, v.id {order}, c.position {order} LIMIT ?2
"""


class DocStore:
    """The document store in one SQLite file; safe for threads and processes.

    Args:
        database: the database, opened with `ingest.docstore.schema`.
        part: the number of chunks read or written together in a pass over all of them.
    """

    def __init__(self, database: Database, part: int = PART) -> None:
        self.part = part
        self.catalog = Catalog(database)
        self.kept = KeptVectors(database)
        self.holdings = Holdings(database, self.catalog)
        self.periods = Periods(database)
        self.selection = Selection(database)
        self.tags = Tags(database)
        self.unembedded = Unembedded(database)
        self.versions = Versions(database)
        self.database = database
        self._query = database.query
        self._transaction = database.transaction

    @classmethod
    def open(cls, path: Path, part: int = PART) -> DocStore:
        """Opens the store at `path`, or creates it; `part` is passed to the class.

        Raises:
            DocumentStoreError: it cannot be opened, is damaged, or was written by a newer version.
        """
        return cls(Database(path, SCHEMA, SCHEMA_VERSION, MIGRATIONS), part)

    def close(self) -> None:
        """Closes the file."""
        self.database.close()

    def writer_queue(self, collection: int, lock_path: Path) -> WriterQueue:
        """Returns the queue of a collection's writers; holding the lock on `lock_path` grants write access."""
        return WriterQueue(self.database, collection, lock_path)

    # Failures and removals

    def remove(self, collection: int, sources: Sequence[str]) -> None:
        """Marks the sources' versions as stale (hidden from searches) and deletes their failures, in a transaction."""
        with self._transaction() as db:
            for source in sources:
                db.execute(
                    "UPDATE versions SET status = 'stale' WHERE document IN"
                    " (SELECT id FROM documents WHERE collection = ? AND source = ?)",
                    (collection, source),
                )
                db.execute("DELETE FROM failures WHERE collection = ? AND source = ?", (collection, source))
            db.execute("UPDATE collections SET changes = changes + 1 WHERE id = ?", (collection,))

    def record_failure(self, collection: int, source: str, failure: KnownFailure) -> None:
        """Records why a source could not be read, so that unchanged content is not tried again."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO failures (collection, source, content_sha, pipeline, error, seconds, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (collection, source, *astuple(failure), time.time()),
            )

    def forget_failure(self, collection: int, source: str) -> None:
        """Deletes the recorded failure of a source that was read successfully."""
        if self.known_failure(collection, source):
            with self._transaction() as db:
                db.execute("DELETE FROM failures WHERE collection = ? AND source = ?", (collection, source))

    # Reading

    def known_version(self, collection: int, source: str) -> KnownVersion | None:
        """Returns the active version of a source, or None."""
        rows = self._query(
            "SELECT id, content_sha, pipeline, pages, warnings,"
            " (SELECT count(*) FROM chunks WHERE version = v.id) AS chunks"
            " FROM stored_versions v WHERE collection = ? AND source = ? AND status = 'active'",
            collection,
            source,
        )
        return KnownVersion(**{**rows[0], "warnings": tuple(json.loads(rows[0]["warnings"]))}) if rows else None

    def known_failure(self, collection: int, source: str) -> KnownFailure | None:
        """Returns why a source failed last time, or None."""
        rows = self._query(
            "SELECT content_sha, pipeline, error, seconds FROM failures WHERE collection = ? AND source = ?",
            collection,
            source,
        )
        return KnownFailure(**rows[0]) if rows else None

    def sources(self, collection: int) -> list[str]:
        """Returns every source that has an active version or a recorded failure."""
        rows = self._query(
            "SELECT source FROM stored_versions WHERE collection = ?1 AND status = 'active'"
            " UNION SELECT source FROM failures WHERE collection = ?1 ORDER BY 1",
            collection,
        )
        return [row[0] for row in rows]

    def active_chunks(self, collection: int, chunk_ids: Sequence[str]) -> dict[str, StoredChunk]:
        """Returns those of `chunk_ids` that belong to an active version, by id."""
        found: dict[str, StoredChunk] = {}
        for ids in batches(chunk_ids):
            marks = ",".join("?" * len(ids))
            rows = self._query(f"{ACTIVE_CHUNKS} AND id IN ({marks})", collection, *ids)
            found.update((row["id"], _stored_chunk(row)) for row in rows)
        return found

    def texts(self, chunk_ids: Sequence[str]) -> dict[str, str]:
        """Returns the texts of those of `chunk_ids` that are stored, active or not, by id."""
        rows = self._query(
            "SELECT id, text FROM chunks WHERE id IN (SELECT value FROM json_each(?))", json.dumps(chunk_ids)
        )
        return dict(map(tuple, rows))

    def chunk_ids(self, collection: int) -> list[str]:
        """Returns the ids of all searchable chunks of a collection, in order."""
        rows = self._query(f"{ACTIVE} ORDER BY version, position", collection)
        return [row[0] for row in rows]

    def embedded_ids(self, collection: int) -> list[str]:
        """Returns the ids of those searchable chunks whose vectors are written, in order."""
        rows = self._query(f"{ACTIVE} AND {EMBEDDED} ORDER BY version, position", collection)
        return [row[0] for row in rows]

    def some_chunk_ids(self, collection: int) -> list[str]:
        """Returns the ids of a few chunks whose vectors are written: those of the oldest and of the newest versions."""
        found: set[str] = set()
        for order in ("ASC", "DESC"):
            rows = self._query(SOME_CHUNKS.format(order=order), collection, SOME)
            found.update(row[0] for row in rows)
        return sorted(found)

    def count_chunks(self, collection: int) -> int:
        """Counts the searchable chunks."""
        rows = self._query(
            "SELECT count(*) FROM stored_chunks WHERE collection = ? AND status = 'active'",
            collection,
        )
        return int(rows[0][0])

    def count_embedded(self, collection: int) -> int:
        """Counts the searchable chunks whose vectors are written, or fewer if some are written meanwhile."""
        return self.count_chunks(collection) - self.unembedded.count(collection)

    def chunk_counts(self, version_ids: Iterable[str]) -> dict[str, int]:
        """Counts the chunks of each of some versions; one without chunks is left out."""
        rows = self._query(
            "SELECT version, max(position) + 1 FROM chunks WHERE version IN (SELECT value FROM json_each(?))"
            " GROUP BY version",
            json.dumps(sorted(version_ids)),
        )
        return dict(map(tuple, rows))

    def indexed_chunks(self, chunk_ids: Sequence[str]) -> list[IndexedChunk]:
        """Returns those of `chunk_ids` that are stored, with the data for the indexes."""
        found: list[IndexedChunk] = []
        for ids in batches(chunk_ids):
            marks = ",".join("?" * len(ids))
            found += map(
                _indexed_chunk, self._query(f"{CHUNKS} WHERE id IN ({marks}) ORDER BY version, position", *ids)
            )
        return found

    def longest_chunks(self, collection: int, n: int) -> list[IndexedChunk]:
        """Returns the `n` active chunks with the longest texts, in characters."""
        rows = self._query(
            "SELECT id FROM stored_chunks WHERE collection = ? AND status = 'active'"
            " ORDER BY length(text) DESC LIMIT ?",
            collection,
            n,
        )
        return self.indexed_chunks([row[0] for row in rows])

    def in_parts(self, chunk_ids: Iterable[str]) -> Iterator[list[IndexedChunk]]:
        """Yields indexed chunks for ordered ids in parts that fit in memory, each version's chunks together."""
        left = iter(chunk_ids)
        while ids := list(islice(left, self.part)):
            if part := self.indexed_chunks(ids):
                yield part

    def document_id(self, collection: int, source: str) -> str | None:
        """Returns the id of a stored document, or None."""
        rows = self._query("SELECT id FROM documents WHERE collection = ? AND source = ?", collection, source)
        return str(rows[0][0]) if rows else None

    def has_source(self, collection: str, source: str) -> bool:
        """Returns True if a collection, given by name, holds an active version of a document."""
        rows = self._query(
            "SELECT 1 FROM stored_versions v JOIN collections c ON c.id = v.collection"
            " WHERE c.name = ? AND v.source = ? AND v.status = 'active'",
            collection,
            source,
        )
        return bool(rows)

    def excerpt(self, version_id: str, start: int, end: int) -> str:
        """Returns characters [start, end) of the text of an active version; "" if it is no longer in the index."""
        rows = self._query(
            "SELECT substr(s.text, max(?1 - s.start, 0) + 1, min(?2, s.stop) - max(?1, s.start))"
            " FROM segments s JOIN versions v ON v.id = s.version"
            " WHERE v.id = ?3 AND v.status = 'active' AND s.start < ?2 AND s.stop > ?1 ORDER BY s.number",
            start,
            end,
            version_id,
        )
        return "".join(row[0] for row in rows)

    def boxes(self, version_id: str, start: int, end: int) -> list[Box]:
        """Returns the page boxes of characters [start, end) of a version's text; [] if it has no word positions."""
        rows = self._query(
            "SELECT start, places FROM segments WHERE version = ?1 AND start < ?3 AND stop > ?2 ORDER BY number",
            version_id,
            start,
            end,
        )
        return [box for at, places in rows for box in boxes(places, start - at, end - at)]

    def pages(self, version_id: str) -> list[Page]:
        """Returns the pages of a version, with their offsets in its text."""
        rows = self._query("SELECT start, page_spans FROM segments WHERE version = ? ORDER BY number", version_id)
        pages: list[Page] = []
        for start, spans in rows:
            add_pages(pages, start, (Page(**page) for page in json.loads(spans)))
        return pages


def _indexed_chunk(row: sqlite3.Row) -> IndexedChunk:
    stored, context = _stored_chunk(row), row["context"]
    if context is None:  # stored before contexts were: rebuild the context that most chunks had
        context = " > ".join(dict.fromkeys(part for part in (stored.title, *stored.heading) if part))
    return IndexedChunk(stored, context, row["embed_key"])


def _stored_chunk(row: sqlite3.Row) -> StoredChunk:
    return StoredChunk(
        id=row["id"],
        version_id=row["version"],
        document_id=row["document"],
        source=row["source"],
        title=row["title"],
        position=row["position"],
        start=row["start"],
        end=row["stop"],
        text=row["text"],
        page=row["page"],
        heading=tuple(json.loads(row["heading"])),
        place=row["place"],
    )
