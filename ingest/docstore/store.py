"""SQLite: documents, versions and chunks; the record of what is true.

The vector and text indexes may hold more than this store calls active (a write that was cut off, a version that
was replaced); a chunk counts only when its version is active here.
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
from ingest.docstore.records import KnownFailure, KnownVersion
from ingest.docstore.schema import MIGRATIONS, SCHEMA, SCHEMA_VERSION
from ingest.docstore.statistics import Holdings
from ingest.docstore.tags import Tags
from ingest.docstore.vector_cache import KeptVectors
from ingest.docstore.versions import Versions
from ingest.docstore.writer_queue import WriterQueue
from ingest.models import Box, IndexedChunk, Page, StoredChunk
from ingest.segments import add_pages
from ingest.word_boxes import boxes

# Chunks read at once by whoever goes through all of them.
PART = 512
# Chunks looked at to see whether all is well.
SOME = 8
CHUNKS = "SELECT * FROM stored_chunks"


class DocStore:
    """The store in one SQLite file; safe between threads and processes.

    Args:
        database: the file, opened with `ingest.docstore.schema`.
        part: chunks that are read or written together by whoever goes through all of them.
    """

    def __init__(self, database: Database, part: int = PART) -> None:
        self.part = part
        self.catalog = Catalog(database)
        self.kept = KeptVectors(database)
        self.holdings = Holdings(database, self.catalog)
        self.selection = Selection(database)
        self.tags = Tags(database)
        self.versions = Versions(database)
        self.database = database
        self._query = database.query
        self._transaction = database.transaction

    @classmethod
    def open(cls, path: Path, part: int = PART) -> DocStore:
        """Opens the store at `path`, or makes it; `part` as of the class.

        Raises:
            DocumentStoreError: it cannot be opened, is damaged, or was written by a newer Footnote.
        """
        return cls(Database(path, SCHEMA, SCHEMA_VERSION, MIGRATIONS), part)

    def close(self) -> None:
        """Closes the file."""
        self.database.close()

    def writer_queue(self, collection: int, lock_path: Path) -> WriterQueue:
        """The queue of those who write to a collection; `lock_path` is the file whose lock is the right to."""
        return WriterQueue(self.database, collection, lock_path)

    # Failures and removals

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
            "SELECT id, content_sha, pipeline, pages, warnings,"
            " (SELECT count(*) FROM chunks WHERE version = v.id) AS chunks"
            " FROM stored_versions v WHERE collection = ? AND source = ? AND status = 'active'",
            collection,
            source,
        )
        return KnownVersion(**{**rows[0], "warnings": tuple(json.loads(rows[0]["warnings"]))}) if rows else None

    def known_failure(self, collection: int, source: str) -> KnownFailure | None:
        """Why a source failed last time, or None."""
        rows = self._query(
            "SELECT content_sha, pipeline, error, seconds FROM failures WHERE collection = ? AND source = ?",
            collection,
            source,
        )
        return KnownFailure(**rows[0]) if rows else None

    def sources(self, collection: int) -> list[str]:
        """Every source that has an active version or a remembered failure."""
        rows = self._query(
            "SELECT source FROM stored_versions WHERE collection = ?1 AND status = 'active'"
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
                f"{CHUNKS} WHERE collection = ? AND status = 'active' AND id IN ({marks})",
                collection,
                *ids,
            )
            found.update((row["id"], _stored_chunk(row)) for row in rows)
        return found

    def chunk_ids(self, collection: int, status: str = "active") -> list[str]:
        """Ids of all chunks of a collection whose version has a status, in order."""
        rows = self._query(
            "SELECT id FROM stored_chunks WHERE collection = ? AND status = ? ORDER BY version, position",
            collection,
            status,
        )
        return [row[0] for row in rows]

    def some_chunk_ids(self, collection: int) -> list[str]:
        """Ids of a few active chunks, of those written first and last."""
        found: set[str] = set()
        for order in ("ASC", "DESC"):
            rows = self._query(
                "SELECT id FROM stored_chunks WHERE collection = ? AND status = 'active'"  # noqa: S608 - ours
                f" ORDER BY written {order} LIMIT {SOME}",
                collection,
            )
            found.update(row[0] for row in rows)
        return sorted(found)

    def count_chunks(self, collection: int) -> int:
        """How many chunks a search may find."""
        rows = self._query(
            "SELECT count(*) FROM stored_chunks WHERE collection = ? AND status = 'active'",
            collection,
        )
        return int(rows[0][0])

    def indexed_chunks(self, chunk_ids: Sequence[str]) -> list[IndexedChunk]:
        """Those of `chunk_ids` that are stored, with what the indexes are made of."""
        found: list[IndexedChunk] = []
        for ids in batches(chunk_ids):
            marks = ",".join("?" * len(ids))
            found += map(
                _indexed_chunk, self._query(f"{CHUNKS} WHERE id IN ({marks}) ORDER BY version, position", *ids)
            )
        return found

    def longest_chunks(self, collection: int, n: int) -> list[IndexedChunk]:
        """The `n` active chunks with the longest texts, in characters."""
        rows = self._query(
            "SELECT id FROM stored_chunks WHERE collection = ? AND status = 'active'"
            " ORDER BY length(text) DESC LIMIT ?",
            collection,
            n,
        )
        return self.indexed_chunks([row[0] for row in rows])

    def in_parts(self, chunk_ids: Iterable[str]) -> Iterator[list[IndexedChunk]]:
        """The same for ids in order, as many at a time as memory takes easily: each version's stand together."""
        left = iter(chunk_ids)
        while ids := list(islice(left, self.part)):
            if part := self.indexed_chunks(ids):
                yield part

    def document_id(self, collection: int, source: str) -> str | None:
        """The id of a document that is stored, or None."""
        rows = self._query("SELECT id FROM documents WHERE collection = ? AND source = ?", collection, source)
        return str(rows[0][0]) if rows else None

    def has_source(self, collection: str, source: str) -> bool:
        """Whether a collection, by its name, holds a document, in whatever version."""
        rows = self._query(
            "SELECT 1 FROM stored_versions v JOIN collections c ON c.id = v.collection"
            " WHERE c.name = ? AND v.source = ? AND v.status = 'active'",
            collection,
            source,
        )
        return bool(rows)

    def excerpt(self, version_id: str, start: int, end: int) -> str:
        """Characters [start, end) of the text of an active version; "" where it is not in the index any more."""
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
        """Where on its pages characters [start, end) of a version's text stand; [] where it has no places."""
        rows = self._query(
            "SELECT start, places FROM segments WHERE version = ?1 AND start < ?3 AND stop > ?2 ORDER BY number",
            version_id,
            start,
            end,
        )
        return [box for at, places in rows for box in boxes(places, start - at, end - at)]

    def pages(self, version_id: str) -> list[Page]:
        """The pages of a version, with their offsets in its text."""
        rows = self._query("SELECT start, page_spans FROM segments WHERE version = ? ORDER BY number", version_id)
        pages: list[Page] = []
        for start, spans in rows:
            add_pages(pages, start, (Page(**page) for page in json.loads(spans)))
        return pages


def _indexed_chunk(row: sqlite3.Row) -> IndexedChunk:
    stored, context = _stored_chunk(row), row["context"]
    if context is None:  # written before contexts were kept: what most chunks had
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
