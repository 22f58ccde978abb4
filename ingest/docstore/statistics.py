"""Lists and counts the contents of collections."""

from __future__ import annotations

import json
import sqlite3

from ingest.docstore.collections import Catalog
from ingest.docstore.database import Database
from ingest.docstore.records import CollectionRow
from ingest.docstore.unembedded import Unembedded
from ingest.reports import CollectionStatus, DocumentRow, Reading
from ingest.text import in_order


class Holdings:
    """Documents and counts of collections, from the document store's database.

    Args:
        database: the database, opened with `ingest.docstore.schema`.
        catalog: the collections in it.
    """

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._query = database.query
        self._catalog = catalog
        self._unembedded = Unembedded(database)

    def documents(self, collection: int) -> list[DocumentRow]:
        """Returns all documents and failed sources of a collection, ordered by source."""
        active = self._query(
            "SELECT v.source, v.title, v.pages, (SELECT count(*) FROM chunks WHERE version = v.id) AS chunks,"
            " v.text_bytes AS bytes, v.updated, 'active' AS status, coalesce(f.error, '') AS error, v.reading,"
            " v.warnings, (SELECT json_group_array(name) FROM tags WHERE document = v.document) AS tags,"
            " (SELECT json_group_array(period) FROM periods WHERE version = v.id AND role != 'other') AS periods"
            " FROM stored_versions v LEFT JOIN failures f ON f.collection = v.collection AND f.source = v.source"
            " WHERE v.collection = ? AND v.status = 'active'",
            collection,
        )
        failed = self._query(
            "SELECT f.source, '' AS title, NULL AS pages, 0 AS chunks, 0 AS bytes, f.at AS updated,"
            " 'failed' AS status, f.error, json_object('seconds', round(f.seconds, 3)) AS reading,"
            " '[]' AS warnings, '[]' AS tags, '[]' AS periods FROM failures f WHERE f.collection = ?1"
            " AND f.source NOT IN (SELECT source FROM stored_versions WHERE collection = ?1 AND status = 'active')",
            collection,
        )
        return sorted(map(_document_row, [*active, *failed]), key=lambda row: row.source)

    def counts(self, collection: int) -> tuple[int, int]:
        """Returns the number of searchable documents and of failed sources."""
        (row,) = self._query(
            "SELECT (SELECT count(*) FROM stored_versions WHERE collection = ?1 AND status = 'active'),"
            " (SELECT count(*) FROM failures WHERE collection = ?1)",
            collection,
        )
        return int(row[0]), int(row[1])

    def status(self, collection: CollectionRow) -> CollectionStatus:
        """Returns counts and sizes of a collection."""
        (held,) = self._query(
            "SELECT count(*) AS documents, coalesce(sum(text_bytes), 0) AS text_bytes,"
            " coalesce(sum((SELECT count(*) FROM chunks WHERE version = v.id)), 0) AS chunks"
            " FROM stored_versions v WHERE collection = ? AND status = 'active'",
            collection.id,
        )
        failures = self._query("SELECT source, error FROM failures WHERE collection = ?", collection.id)
        ((pending,),) = self._query(
            "SELECT count(*) FROM stored_versions WHERE collection = ? AND status = 'pending'",
            collection.id,
        )
        embedders = self._catalog.embedders(collection.id)
        current, following = embedders.get("current"), embedders.get("next")
        return CollectionStatus(
            name=collection.name,
            documents=held["documents"],
            chunks=held["chunks"],
            embedding_model=current.model if current else "",
            dimensions=current.dimensions if current else 0,
            bytes_text=held["text_bytes"],
            pending=int(pending),
            unembedded=self._unembedded.count(collection.id),
            failures={row["source"]: row["error"] for row in failures},
            next_model=following.model if following else "",
        )


def _document_row(row: sqlite3.Row) -> DocumentRow:
    values = dict(row) | {
        "reading": Reading(**json.loads(row["reading"])),
        "warnings": tuple(json.loads(row["warnings"])),
        "tags": tuple(json.loads(row["tags"])),
        "periods": in_order(json.loads(row["periods"])),
    }
    return DocumentRow(**values)
