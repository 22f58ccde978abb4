"""SQLite: collections, documents, versions and chunks; the record of what is true.

The vector and text indexes may hold more than this store calls active (a write that was cut off, a version that
was replaced); a chunk counts only when its version is active here.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import asdict, astuple
from pathlib import Path
from typing import Any, TypeVar

from ingest.database import Database
from ingest.jobs import WriterQueue
from ingest.models import Box, CollectionStatus, DocumentRow, Page, Reading, StoredChunk
from ingest.places import boxes
from ingest.rows import ChunkRow, CollectionRow, KnownFailure, KnownVersion, VersionRow
from ingest.schema import MIGRATIONS, SCHEMA, SCHEMA_VERSION

T = TypeVar("T")
# Values bound in one statement; SQLite's own limit is 32,766.
BATCH = 5_000
COLLECTION_COLUMNS = "SELECT id, uid, name, embedding_model, fingerprint, dimensions FROM collections"
CHUNK_COLUMNS = """
    SELECT c.id, v.id, d.id, d.source, v.title, c.position, c.start, c.stop, c.text, c.page, c.place, c.heading
    FROM chunks c JOIN versions v ON v.id = c.version JOIN documents d ON d.id = v.document
"""

EMBED_KEYS = """
SELECT c.embed_key, c.id FROM chunks c JOIN versions v ON v.id = c.version JOIN documents d ON d.id = v.document
WHERE d.collection = ? AND v.status != 'pending'
"""


class DocStore:
    """The store in one SQLite file; safe between threads and processes.

    Args:
        database: the file, opened with `ingest.schema`.
    """

    def __init__(self, database: Database) -> None:
        self._database = database
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
        self._database.close()

    def writer_queue(self, collection: int, lock_path: Path) -> WriterQueue:
        """The queue of those who write to a collection; `lock_path` is the file whose lock is the right to."""
        return WriterQueue(self._database, collection, lock_path)

    # Collections

    def collection(self, name: str) -> CollectionRow | None:
        """The collection called `name`, or None."""
        rows = self._query(f"{COLLECTION_COLUMNS} WHERE name = ?", name)
        return CollectionRow(*rows[0]) if rows else None

    def create_collection(self, name: str, uid: str) -> CollectionRow:
        """The collection called `name`, made with `uid` where there is none."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO collections (uid, name, created) VALUES (?, ?, ?)", (uid, name, time.time())
            )
        found = self.collection(name)
        assert found is not None
        return found

    def collections(self) -> list[CollectionRow]:
        """All collections, by name."""
        return [CollectionRow(*row) for row in self._query(f"{COLLECTION_COLUMNS} ORDER BY name")]

    def set_embedder(self, collection: int, model: str, fingerprint: str, dimensions: int) -> None:
        """Records the embedder of a collection that has none yet."""
        with self._transaction() as db:
            db.execute(
                "UPDATE collections SET embedding_model = ?, fingerprint = ?, dimensions = ?"
                " WHERE id = ? AND fingerprint = ''",
                (model, fingerprint, dimensions, collection),
            )

    # Writing versions

    def add_pending(self, collection: int, version: VersionRow, chunks: Sequence[ChunkRow]) -> None:
        """Stores a version and its chunks, not yet to be found; one that is there already is replaced."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO documents (id, collection, source, updated) VALUES (?, ?, ?, ?)",
                (version.document_id, collection, version.source, time.time()),
            )
            db.execute("DELETE FROM versions WHERE id = ?", (version.id,))
            db.execute(
                "INSERT INTO versions (id, document, status, content_sha, pipeline, title, text, pages, warnings,"
                " size, created, reading, page_spans, places) VALUES (:id, :document_id, 'pending', :content_sha,"
                " :pipeline, :title, :text, :pages, :warnings, :size, :created, :reading, :page_spans, :places)",
                {**asdict(version), "warnings": json.dumps(version.warnings), "created": time.time()},
            )
            db.executemany(
                "INSERT INTO chunks (id, version, position, start, stop, text, page, heading, embed_key, place)"
                " VALUES (:id, :version, :position, :start, :end, :text, :page, :heading, :embed_key, :place)",
                ({**asdict(c), "version": version.id, "heading": json.dumps(c.heading)} for c in chunks),
            )

    def activate(self, version_ids: Sequence[str]) -> None:
        """In one transaction: each version becomes its document's active one, the one before it stale."""
        with self._transaction() as db:
            for version_id in version_ids:
                db.execute(
                    "UPDATE versions SET status = 'stale' WHERE status = 'active' AND id != ?1"
                    " AND document = (SELECT document FROM versions WHERE id = ?1)",
                    (version_id,),
                )
                db.execute("UPDATE versions SET status = 'active' WHERE id = ?", (version_id,))
                db.execute(
                    "UPDATE documents SET updated = ?1 WHERE id = (SELECT document FROM versions WHERE id = ?2)",
                    (time.time(), version_id),
                )
                db.execute(
                    "DELETE FROM failures WHERE (collection, source) IN (SELECT d.collection, d.source"
                    " FROM documents d JOIN versions v ON v.document = d.id WHERE v.id = ?)",
                    (version_id,),
                )

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

    def leftovers(self, collection: int, status: str) -> dict[str, list[str]]:
        """Versions of a collection with `status` ("pending" or "stale"), each with its chunks' ids."""
        versions = self._query(
            "SELECT v.id FROM versions v JOIN documents d ON d.id = v.document WHERE d.collection = ? AND v.status = ?",
            collection,
            status,
        )
        return {
            version: [row[0] for row in self._query("SELECT id FROM chunks WHERE version = ?", version)]
            for (version,) in versions
        }

    def delete_versions(self, version_ids: Iterable[str]) -> None:
        """Deletes versions with their text and chunks, and the documents left without any."""
        with self._transaction() as db:
            for version_id in version_ids:
                found = db.execute("DELETE FROM versions WHERE id = ? RETURNING document", (version_id,)).fetchall()
                db.executemany(
                    "DELETE FROM documents WHERE id = ?1 AND NOT EXISTS (SELECT 1 FROM versions WHERE document = ?1)",
                    found,
                )

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
        for ids in _batches(chunk_ids):
            marks = ",".join("?" * len(ids))
            rows = self._query(
                f"{CHUNK_COLUMNS} WHERE d.collection = ? AND v.status = 'active' AND c.id IN ({marks})",
                collection,
                *ids,
            )
            found.update((row[0], _stored_chunk(row)) for row in rows)
        return found

    def active_chunk_ids(self, collection: int) -> set[str]:
        """Ids of all chunks that a search may find."""
        rows = self._query(
            "SELECT c.id FROM chunks c JOIN versions v ON v.id = c.version JOIN documents d ON d.id = v.document"
            " WHERE d.collection = ? AND v.status = 'active'",
            collection,
        )
        return {row[0] for row in rows}

    def chunks_by_embed_key(self, collection: int, keys: Sequence[bytes]) -> dict[bytes, str]:
        """For each of `keys` that some chunk of the collection has, the id of one such chunk."""
        found: dict[bytes, str] = {}
        for some in _batches(keys):
            marks = ",".join("?" * len(some))
            rows = self._query(f"{EMBED_KEYS} AND c.embed_key IN ({marks})", collection, *some)
            found.update(rows)
        return found

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

    def documents(self, collection: int) -> list[DocumentRow]:
        """Every document and every failed source of a collection, by source."""
        active = self._query(
            "SELECT d.source, v.title, v.pages, (SELECT count(*) FROM chunks WHERE version = v.id),"
            " length(CAST(v.text AS BLOB)), d.updated, 'active', coalesce(f.error, ''), v.reading, v.warnings"
            " FROM documents d JOIN versions v ON v.document = d.id AND v.status = 'active'"
            " LEFT JOIN failures f ON f.collection = d.collection AND f.source = d.source WHERE d.collection = ?",
            collection,
        )
        failed = self._query(
            "SELECT f.source, '', NULL, 0, 0, f.at, 'failed', f.error,"
            " json_object('seconds', round(f.seconds, 3)), '[]' FROM failures f WHERE f.collection = ?1"
            " AND f.source NOT IN (SELECT d.source FROM documents d JOIN versions v ON v.document = d.id"
            " WHERE d.collection = ?1 AND v.status = 'active')",
            collection,
        )
        rows = sorted([*active, *failed], key=lambda row: str(row[0]))
        return [_document_row(row) for row in rows]

    def status(self, collection: CollectionRow) -> CollectionStatus:
        """Counts and sizes of a collection."""
        documents, text_bytes, chunks = self._query(
            "SELECT count(*), coalesce(sum(length(CAST(v.text AS BLOB))), 0),"
            " coalesce(sum((SELECT count(*) FROM chunks WHERE version = v.id)), 0)"
            " FROM versions v JOIN documents d ON d.id = v.document WHERE d.collection = ? AND v.status = 'active'",
            collection.id,
        )[0]
        failures = self._query("SELECT source, error FROM failures WHERE collection = ?", collection.id)
        return CollectionStatus(
            name=collection.name,
            documents=documents,
            chunks=chunks,
            embedding_model=collection.embedding_model,
            dimensions=collection.dimensions,
            bytes_text=text_bytes,
            pending=len(self.leftovers(collection.id, "pending")),
            failures=dict(failures),
        )


def _stored_chunk(row: Sequence[Any]) -> StoredChunk:
    values = [*row[:-2], tuple(json.loads(row[-1])), row[-2]]
    return StoredChunk(*values)


def _document_row(row: Sequence[Any]) -> DocumentRow:
    values = [*row[:-2], Reading(**json.loads(row[-2])), tuple(json.loads(row[-1]))]
    return DocumentRow(*values)


def _with_tuple_last(row: Sequence[Any]) -> list[Any]:
    """A row whose last column is a JSON list, as the values of a dataclass that ends in a tuple."""
    return [*row[:-1], tuple(json.loads(row[-1]))]


def _batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    for i in range(0, len(items), BATCH):
        yield items[i : i + BATCH]
