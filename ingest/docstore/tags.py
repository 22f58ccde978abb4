"""Stores tags: the user's labels of documents, to filter by."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence

from ingest.docstore.database import Database

CHANGED = "UPDATE collections SET changes = changes + 1 WHERE id = ?"
OF_SOURCES = "SELECT id FROM documents WHERE collection = ? AND source IN (SELECT value FROM json_each(?))"
NOT_AMONG = "document IN (SELECT value FROM json_each(?1)) AND name NOT IN (SELECT value FROM json_each(?2))"
EACH = (
    "INSERT OR IGNORE INTO tags (document, name)"
    " SELECT d.value, n.value FROM json_each(?1) d JOIN json_each(?2) n WHERE true"
)


class Tags:
    """Tags of documents, in the document store's database.

    Args:
        database: the database, opened with `ingest.docstore.schema`.
    """

    def __init__(self, database: Database) -> None:
        self._transaction = database.transaction

    def put(self, collection: int, sources: Sequence[str], names: Sequence[str]) -> None:
        """Replaces the tags of documents in one transaction. Ignores sources that are not documents."""
        with self._transaction() as db:
            put_tags(db, _documents(db, collection, sources), names)
            db.execute(CHANGED, (collection,))

    def change(self, collection: int, sources: Sequence[str], add: Sequence[str], remove: Sequence[str]) -> None:
        """Adds tags to documents and removes others, in one transaction."""
        with self._transaction() as db:
            documents = json.dumps(_documents(db, collection, sources))
            db.execute(
                "DELETE FROM tags WHERE document IN (SELECT value FROM json_each(?))"
                " AND name IN (SELECT value FROM json_each(?))",
                (documents, json.dumps(remove)),
            )
            db.execute(EACH, (documents, json.dumps(add)))
            db.execute(CHANGED, (collection,))


def put_tags(db: sqlite3.Connection, documents: Sequence[str], names: Sequence[str]) -> None:
    """Replaces the tags of documents, given by id, within a transaction."""
    values = (json.dumps(documents), json.dumps(names))
    db.execute(f"DELETE FROM tags WHERE {NOT_AMONG}", values)  # noqa: S608 - constants
    db.execute(EACH, values)


def _documents(db: sqlite3.Connection, collection: int, sources: Sequence[str]) -> list[str]:
    return [row[0] for row in db.execute(OF_SOURCES, (collection, json.dumps(sources)))]
