"""What a collection holds, for lists and counts."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ingest.docstore.collections import Catalog
from ingest.docstore.database import Database
from ingest.docstore.records import CollectionRow
from ingest.models import CollectionStatus, DocumentRow, Reading


class Holdings:
    """Documents and counts of collections, in the document store's file.

    Args:
        database: the file, opened with `ingest.docstore.schema`.
        catalog: the collections in it.
    """

    def __init__(self, database: Database, catalog: Catalog) -> None:
        self._query = database.query
        self._catalog = catalog

    def documents(self, collection: int) -> list[DocumentRow]:
        """Every document and every failed source of a collection, by source."""
        active = self._query(
            "SELECT d.source, v.title, v.pages, (SELECT count(*) FROM chunks WHERE version = v.id),"
            " v.text_bytes, d.updated, 'active', coalesce(f.error, ''), v.reading, v.warnings,"
            " (SELECT json_group_array(name) FROM tags WHERE document = d.id)"
            " FROM documents d JOIN versions v ON v.document = d.id AND v.status = 'active'"
            " LEFT JOIN failures f ON f.collection = d.collection AND f.source = d.source WHERE d.collection = ?",
            collection,
        )
        failed = self._query(
            "SELECT f.source, '', NULL, 0, 0, f.at, 'failed', f.error,"
            " json_object('seconds', round(f.seconds, 3)), '[]', '[]' FROM failures f WHERE f.collection = ?1"
            " AND f.source NOT IN (SELECT d.source FROM documents d JOIN versions v ON v.document = d.id"
            " WHERE d.collection = ?1 AND v.status = 'active')",
            collection,
        )
        rows = sorted([*active, *failed], key=lambda row: str(row[0]))
        return [_document_row(row) for row in rows]

    def counts(self, collection: int) -> tuple[int, int]:
        """How many documents a search may find, and how many sources failed."""
        (row,) = self._query(
            "SELECT (SELECT count(*) FROM documents d JOIN versions v ON v.document = d.id AND v.status = 'active'"
            " WHERE d.collection = ?1), (SELECT count(*) FROM failures WHERE collection = ?1)",
            collection,
        )
        return int(row[0]), int(row[1])

    def status(self, collection: CollectionRow) -> CollectionStatus:
        """Counts and sizes of a collection."""
        documents, text_bytes, chunks = self._query(
            "SELECT count(*), coalesce(sum(v.text_bytes), 0),"
            " coalesce(sum((SELECT count(*) FROM chunks WHERE version = v.id)), 0)"
            " FROM versions v JOIN documents d ON d.id = v.document WHERE d.collection = ? AND v.status = 'active'",
            collection.id,
        )[0]
        failures = self._query("SELECT source, error FROM failures WHERE collection = ?", collection.id)
        ((pending,),) = self._query(
            "SELECT count(*) FROM versions v JOIN documents d ON d.id = v.document"
            " WHERE d.collection = ? AND v.status = 'pending'",
            collection.id,
        )
        embedders = self._catalog.embedders(collection.id)
        current, following = embedders.get("current"), embedders.get("next")
        return CollectionStatus(
            name=collection.name,
            documents=documents,
            chunks=chunks,
            embedding_model=current.model if current else "",
            dimensions=current.dimensions if current else 0,
            bytes_text=text_bytes,
            pending=int(pending),
            failures=dict(failures),
            next_model=following.model if following else "",
        )


def _document_row(row: Sequence[Any]) -> DocumentRow:
    reading, warnings, tags = map(json.loads, row[-3:])
    values = [*row[:-3], Reading(**reading), tuple(warnings), tuple(tags)]
    return DocumentRow(*values)
