"""SQLite: documents, versions and chunks; the record of what is true.

The vector and text indexes may hold more than this store calls active (a write that was cut off, a version that
was replaced); a chunk counts only when its version is active here.
"""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple
from itertools import islice
from pathlib import Path
from typing import Any

from ingest.docstore.collections import Catalog
from ingest.docstore.database import Database, batches
from ingest.docstore.filtering import Selection
from ingest.docstore.records import ChunkRow, KnownFailure, KnownVersion, VersionRow
from ingest.docstore.schema import MIGRATIONS, SCHEMA, SCHEMA_VERSION
from ingest.docstore.statistics import Holdings
from ingest.docstore.tags import Tags, put_tags
from ingest.docstore.vector_cache import ORPHANED, KeptVectors
from ingest.docstore.writer_queue import WriterQueue
from ingest.filters import document_type
from ingest.models import Box, IndexedChunk, Page, StoredChunk
from ingest.word_boxes import boxes

# Chunks read at once by whoever goes through all of them.
PART = 512
# Chunks looked at to see whether all is well.
SOME = 8
CHUNK_COLUMNS = """
    SELECT c.id, v.id, d.id, d.source, v.title, c.position, c.start, c.stop, c.text, c.page, c.place, c.heading
    FROM chunks c JOIN versions v ON v.id = c.version JOIN documents d ON d.id = v.document
"""

# Chunks that the indexes must hold, with what they are made of.
INDEXED_COLUMNS = CHUNK_COLUMNS.replace("SELECT", "SELECT c.context, c.embed_key,", 1)
KEYS_OF_VERSION = """
SELECT d.collection, c.embed_key FROM chunks c JOIN versions v ON v.id = c.version JOIN documents d ON d.id = v.document
WHERE v.id = ?
"""
CHANGED = """
UPDATE collections SET changes = changes + 1 WHERE id IN
    (SELECT d.collection FROM documents d JOIN versions v ON v.document = d.id WHERE v.id = ?)
"""


class DocStore:
    """The store in one SQLite file; safe between threads and processes.

    Args:
        database: the file, opened with `ingest.docstore.schema`.
    """

    def __init__(self, database: Database) -> None:
        self.catalog = Catalog(database)
        self.kept = KeptVectors(database)
        self.holdings = Holdings(database, self.catalog)
        self.selection = Selection(database)
        self.tags = Tags(database)
        self.database = database
        self._query = database.query
        self._transaction = database.transaction

    @classmethod
    def open(cls, path: Path) -> DocStore:
        """Opens the store at `path`, or makes it.

        Raises:
            DocumentStoreError: it cannot be opened, is damaged, or was written by a newer Footnote.
        """
        return cls(Database(path, SCHEMA, SCHEMA_VERSION, MIGRATIONS))

    def close(self) -> None:
        """Closes the file."""
        self.database.close()

    def writer_queue(self, collection: int, lock_path: Path) -> WriterQueue:
        """The queue of those who write to a collection; `lock_path` is the file whose lock is the right to."""
        return WriterQueue(self.database, collection, lock_path)

    # Writing versions

    def add_pending(self, collection: int, version: VersionRow, chunks: Sequence[ChunkRow]) -> None:
        """Stores a version and its first chunks, not yet to be found; one that is there already is replaced."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO documents (id, collection, source, updated, type) VALUES (?, ?, ?, ?, ?)",
                (version.document_id, collection, version.source, time.time(), document_type(version.source)),
            )
            db.execute("DELETE FROM versions WHERE id = ?", (version.id,))
            db.execute(
                "INSERT INTO versions (id, document, status, content_sha, pipeline, title, text, pages, warnings,"
                " size, created, reading, page_spans, places, text_bytes) VALUES (:id, :document_id, 'pending',"
                " :content_sha, :pipeline, :title, :text, :pages, :warnings, :size, :created, :reading, :page_spans,"
                " :places, length(CAST(:text AS BLOB)))",
                {**asdict(version), "warnings": json.dumps(version.warnings), "created": time.time()},
            )
            _add_chunks(db, version.id, chunks)

    def add_chunks(self, version_id: str, chunks: Sequence[ChunkRow]) -> None:
        """Stores more chunks of a version that is pending."""
        with self._transaction() as db:
            _add_chunks(db, version_id, chunks)

    def activate(self, version_ids: Sequence[str], tags: Sequence[str] | None = None) -> None:
        """In one transaction: each version becomes its document's active one, the one before it stale.

        Args:
            version_ids: of pending versions.
            tags: that their documents have from now on; None leaves them as they are.
        """
        with self._transaction() as db:
            for version_id in version_ids:
                db.execute(
                    "UPDATE versions SET status = 'stale' WHERE status = 'active' AND id != ?1"
                    " AND document = (SELECT document FROM versions WHERE id = ?1)",
                    (version_id,),
                )
                db.execute("UPDATE versions SET status = 'active' WHERE id = ?", (version_id,))
                documents = db.execute(
                    "UPDATE documents SET updated = ?1 WHERE id = (SELECT document FROM versions WHERE id = ?2)"
                    " RETURNING id",
                    (time.time(), version_id),
                ).fetchall()
                if tags is not None:
                    put_tags(db, [row[0] for row in documents], tags)
                db.execute(
                    "DELETE FROM failures WHERE (collection, source) IN (SELECT d.collection, d.source"
                    " FROM documents d JOIN versions v ON v.document = d.id WHERE v.id = ?)",
                    (version_id,),
                )
                db.execute(CHANGED, (version_id,))

    def remove(self, collection: int, sources: Sequence[str]) -> None:
        """In one transaction: the sources' versions are stale (found no more) and their failures forgotten."""
        with self._transaction() as db:
            for source in sources:
                db.execute(
                    "UPDATE versions SET status = 'stale' WHERE document IN"
                    " (SELECT id FROM documents WHERE collection = ? AND source = ?)",
                    (collection, source),
                )
                db.execute("DELETE FROM failures WHERE collection = ? AND source = ?", (collection, source))
            db.execute("UPDATE collections SET changes = changes + 1 WHERE id = ?", (collection,))

    def leftovers(self, collection: int, status: str) -> dict[str, list[str]]:
        """Versions of a collection with `status` ("pending" or "stale"), each with its chunks' ids."""
        versions = self._query(
            "SELECT v.id FROM versions v JOIN documents d ON d.id = v.document WHERE d.collection = ? AND v.status = ?"
            " AND v.status != 'active'",  # said twice, for the index of those few
            collection,
            status,
        )
        return {
            version: [row[0] for row in self._query("SELECT id FROM chunks WHERE version = ?", version)]
            for (version,) in versions
        }

    def delete_versions(self, version_ids: Iterable[str]) -> None:
        """Deletes versions with their text, chunks and vectors, and the documents left without any."""
        version_ids = list(version_ids)
        keys: dict[int, set[bytes]] = {}
        for version_id in version_ids:
            for collection, key in self._query(KEYS_OF_VERSION, version_id):
                keys.setdefault(collection, set()).add(key)
        with self._transaction() as db:
            for version_id in version_ids:
                found = db.execute("DELETE FROM versions WHERE id = ? RETURNING document", (version_id,)).fetchall()
                db.executemany(
                    "DELETE FROM documents WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM versions WHERE document = ?1)",
                    found,
                )
            for collection, unused in keys.items():
                db.executemany(ORPHANED, ((collection, key) for key in unused))

    def record_failure(self, collection: int, source: str, failure: KnownFailure) -> None:
        """Remembers why a source could not be read, so that the same bytes are not tried for ever."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR REPLACE INTO failures (collection, source, content_sha, pipeline, error, seconds, at)"
                " VALUES (?, ?, ?, ?, ?, ?, ?)",
                (collection, source, *astuple(failure), time.time()),
            )

    def forget_failure(self, collection: int, source: str) -> None:
        """The source is well again."""
        if self.known_failure(collection, source):
            with self._transaction() as db:
                db.execute("DELETE FROM failures WHERE collection = ? AND source = ?", (collection, source))

    # Reading

    def known_version(self, collection: int, source: str) -> KnownVersion | None:
        """The active version of a source, or None."""
        rows = self._query(
            "SELECT v.id, v.content_sha, v.pipeline, v.pages, (SELECT count(*) FROM chunks WHERE version = v.id),"
            " v.warnings FROM versions v JOIN documents d ON d.id = v.document"
            " WHERE d.collection = ? AND d.source = ? AND v.status = 'active'",
            collection,
            source,
        )
        return KnownVersion(*_with_tuple_last(rows[0])) if rows else None

    def known_failure(self, collection: int, source: str) -> KnownFailure | None:
        """Why a source failed last time, or None."""
        rows = self._query(
            "SELECT content_sha, pipeline, error, seconds FROM failures WHERE collection = ? AND source = ?",
            collection,
            source,
        )
        return KnownFailure(*rows[0]) if rows else None

    def sources(self, collection: int) -> list[str]:
        """Every source that has an active version or a remembered failure."""
        rows = self._query(
            "SELECT d.source FROM documents d JOIN versions v ON v.document = d.id"
            " WHERE d.collection = ?1 AND v.status = 'active'"
            " UNION SELECT source FROM failures WHERE collection = ?1 ORDER BY 1",
            collection,
        )
        return [row[0] for row in rows]

    def active_chunks(self, collection: int, chunk_ids: Sequence[str]) -> dict[str, StoredChunk]:
        """Those of `chunk_ids` that belong to an active version, by id."""
        found: dict[str, StoredChunk] = {}
        for ids in batches(chunk_ids):
            marks = ",".join("?" * len(ids))
            rows = self._query(
                f"{CHUNK_COLUMNS} WHERE d.collection = ? AND v.status = 'active' AND c.id IN ({marks})",
                collection,
                *ids,
            )
            found.update((row[0], _stored_chunk(row)) for row in rows)
        return found

    def chunk_ids(self, collection: int, status: str = "active") -> list[str]:
        """Ids of all chunks of a collection whose version has a status, in order."""
        rows = self._query(
            "SELECT c.id FROM chunks c JOIN versions v ON v.id = c.version JOIN documents d ON d.id = v.document"
            " WHERE d.collection = ? AND v.status = ? ORDER BY c.id",
            collection,
            status,
        )
        return [row[0] for row in rows]

    def some_chunk_ids(self, collection: int) -> list[str]:
        """Ids of a few active chunks, of those written first and last."""
        found: set[str] = set()
        for order in ("ASC", "DESC"):
            rows = self._query(
                "SELECT c.id FROM chunks c JOIN versions v ON v.id = c.version JOIN documents d ON d.id = v.document"  # noqa: S608 - ours
                f" WHERE d.collection = ? AND v.status = 'active' ORDER BY c.rowid {order} LIMIT {SOME}",
                collection,
            )
            found.update(row[0] for row in rows)
        return sorted(found)

    def count_chunks(self, collection: int) -> int:
        """How many chunks a search may find."""
        rows = self._query(
            "SELECT count(*) FROM chunks c JOIN versions v ON v.id = c.version JOIN documents d ON d.id = v.document"
            " WHERE d.collection = ? AND v.status = 'active'",
            collection,
        )
        return int(rows[0][0])

    def indexed_chunks(self, chunk_ids: Sequence[str]) -> list[IndexedChunk]:
        """Those of `chunk_ids` that are stored, with what the indexes are made of."""
        found: list[IndexedChunk] = []
        for ids in batches(chunk_ids):
            marks = ",".join("?" * len(ids))
            found += map(_indexed_chunk, self._query(f"{INDEXED_COLUMNS} WHERE c.id IN ({marks}) ORDER BY c.id", *ids))
        return found

    def longest_chunks(self, collection: int, n: int) -> list[IndexedChunk]:
        """The `n` active chunks with the longest texts, in characters."""
        rows = self._query(
            "SELECT c.id FROM chunks c JOIN versions v ON v.id = c.version JOIN documents d ON d.id = v.document"
            " WHERE d.collection = ? AND v.status = 'active' ORDER BY length(c.text) DESC LIMIT ?",
            collection,
            n,
        )
        return self.indexed_chunks([row[0] for row in rows])

    def in_parts(self, chunk_ids: Iterable[str]) -> Iterator[list[IndexedChunk]]:
        """The same for ids in order, as many at a time as memory takes easily: each version's stand together."""
        left = iter(chunk_ids)
        while ids := list(islice(left, PART)):
            if part := self.indexed_chunks(ids):
                yield part

    def document_id(self, collection: int, source: str) -> str | None:
        """The id of a document that is stored, or None."""
        rows = self._query("SELECT id FROM documents WHERE collection = ? AND source = ?", collection, source)
        return str(rows[0][0]) if rows else None

    def has_source(self, collection: str, source: str) -> bool:
        """Whether a collection, by its name, holds a document, in whatever version."""
        rows = self._query(
            "SELECT 1 FROM documents d JOIN collections c ON c.id = d.collection JOIN versions v ON v.document = d.id"
            " WHERE c.name = ? AND d.source = ? AND v.status = 'active'",
            collection,
            source,
        )
        return bool(rows)

    def excerpt(self, version_id: str, start: int, end: int) -> str:
        """Characters [start, end) of the text of an active version; "" where it is not in the index any more."""
        rows = self._query(
            "SELECT substr(text, ? + 1, ? - ?) FROM versions WHERE id = ? AND status = 'active'",
            start,
            end,
            start,
            version_id,
        )
        return str(rows[0][0]) if rows else ""

    def boxes(self, version_id: str, start: int, end: int) -> list[Box]:
        """Where on its pages characters [start, end) of a version's text stand; [] where it has no places."""
        rows = self._query("SELECT places FROM versions WHERE id = ?", version_id)
        return boxes(rows[0][0], start, end) if rows else []

    def pages(self, version_id: str) -> list[Page]:
        """The pages of a version, with their offsets in its text."""
        rows = self._query("SELECT page_spans FROM versions WHERE id = ?", version_id)
        return [Page(**page) for page in json.loads(rows[0][0])] if rows else []


def _add_chunks(db: sqlite3.Connection, version_id: str, chunks: Sequence[ChunkRow]) -> None:
    db.executemany(
        "INSERT INTO chunks (id, version, position, start, stop, text, page, heading, embed_key, place, context)"
        " VALUES (:id, :version, :position, :start, :end, :text, :page, :heading, :embed_key, :place, :context)",
        ({**asdict(c), "version": version_id, "heading": json.dumps(c.heading)} for c in chunks),
    )


def _indexed_chunk(row: Sequence[Any]) -> IndexedChunk:
    context, embed_key, *chunk = row
    stored = _stored_chunk(chunk)
    if context is None:  # written before contexts were kept: what most chunks had
        context = " > ".join(dict.fromkeys(part for part in (stored.title, *stored.heading) if part))
    return IndexedChunk(stored, context, embed_key)


def _stored_chunk(row: Sequence[Any]) -> StoredChunk:
    values = [*row[:-2], tuple(json.loads(row[-1])), row[-2]]
    return StoredChunk(*values)


def _with_tuple_last(row: Sequence[Any]) -> list[Any]:
    """A row whose last column is a JSON list, as the values of a dataclass that ends in a tuple."""
    return [*row[:-1], tuple(json.loads(row[-1]))]
