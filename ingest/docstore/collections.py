"""Collections in the document store, and their embedding models."""

from __future__ import annotations

import time
from dataclasses import replace

from ingest.docstore.database import Database
from ingest.docstore.records import CollectionRow, EmbedderRole, EmbedderRow
from ingest.docstore.unembedded import forget_unembedded
from ingest.text import storable

EMBEDDER_COLUMNS = "SELECT id, role, model, fingerprint, dimensions, kept, generation, garbage FROM embedders"
# Each step frees the role that the next one assigns.
SWITCH = (
    "DELETE FROM embedders WHERE collection = ?1 AND role = 'previous'",
    "UPDATE embedders SET role = 'previous' WHERE collection = ?1 AND role = 'current'",
    "UPDATE embedders SET role = 'current' WHERE collection = ?1 AND role = 'next'",
)
SWITCH_BACK = (
    "DELETE FROM embedders WHERE collection = ?1 AND role = 'next'",
    "UPDATE embedders SET role = 'next' WHERE collection = ?1 AND role = 'current'",
    "UPDATE embedders SET role = 'current' WHERE collection = ?1 AND role = 'previous'",
    "UPDATE embedders SET role = 'previous' WHERE collection = ?1 AND role = 'next'",
)


class Catalog:
    """Collections and embedders in the document store's database.

    Args:
        database: the database, opened with `ingest.docstore.schema`.
    """

    def __init__(self, database: Database) -> None:
        self._query = database.query
        self._transaction = database.transaction

    def collection(self, name: str) -> CollectionRow | None:
        """Returns the collection called `name`, or None."""
        rows = self._query("SELECT id, uid, name FROM collections WHERE name = ?", storable(name))
        return CollectionRow(*rows[0]) if rows else None

    def create_collection(self, name: str, uid: str) -> CollectionRow:
        """Returns the collection called `name`; creates it with `uid` if it does not exist."""
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO collections (uid, name, created) VALUES (?, ?, ?)", (uid, name, time.time())
            )
        found = self.collection(name)
        assert found is not None
        return found

    def collections(self) -> list[CollectionRow]:
        """Returns all collections, ordered by name."""
        return [CollectionRow(*row) for row in self._query("SELECT id, uid, name FROM collections ORDER BY name")]

    def changes(self, collection: int) -> int:
        """Returns a counter that increases whenever search results may have changed."""
        rows = self._query("SELECT changes FROM collections WHERE id = ?", collection)
        return int(rows[0][0]) if rows else 0

    def embedders(self, collection: int) -> dict[EmbedderRole, EmbedderRow]:
        """Returns a collection's embedding models by role; {} if nothing has been ingested yet."""
        rows = self._query(f"{EMBEDDER_COLUMNS} WHERE collection = ?", collection)
        found = [EmbedderRow(*row) for row in rows]
        return {row.role: replace(row, kept=bool(row.kept)) for row in found}

    def add_embedder(
        self, collection: int, role: EmbedderRole, model: str, fingerprint: str, dimensions: int
    ) -> EmbedderRow:
        """Adds an embedder to a collection, if the role is free.

        Returns:
            The embedder that now has the role; another process may have added it first.
        """
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO embedders (collection, role, model, fingerprint, dimensions, created)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (collection, role, model, fingerprint, dimensions, time.time()),
            )
        return self.embedders(collection)[role]

    def forget_embedder(self, embedder: int) -> None:
        """Deletes an embedder and its stored vectors."""
        with self._transaction() as db:
            db.execute("DELETE FROM embedders WHERE id = ?", (embedder,))

    def add_garbage(self, collection: int, chunks: int) -> None:
        """Adds to the count of chunks deleted from the collection's vectors."""
        with self._transaction() as db:
            db.execute("UPDATE embedders SET garbage = garbage + ? WHERE collection = ?", (chunks, collection))

    def next_generation(self, embedder: int) -> None:
        """Switches an embedder to its rebuilt Chroma collection."""
        with self._transaction() as db:
            db.execute("UPDATE embedders SET generation = generation + 1, garbage = 0 WHERE id = ?", (embedder,))
            db.execute(
                "UPDATE collections SET changes = changes + 1"
                " WHERE id = (SELECT collection FROM embedders WHERE id = ?)",
                (embedder,),
            )

    def switch(self, collection: int) -> None:
        """Makes the next embedder the current one, and the current one the previous, in one transaction.

        The next one must have embedded all chunks.
        """
        self._reassign(collection, SWITCH)

    def switch_back(self, collection: int) -> None:
        """Swaps the previous and the current embedder in one transaction; the previous one must have embedded all."""
        self._reassign(collection, SWITCH_BACK)

    def _reassign(self, collection: int, steps: tuple[str, ...]) -> None:
        with self._transaction() as db:
            for step in steps:
                db.execute(step, (collection,))
            forget_unembedded(db, collection)
            db.execute("UPDATE collections SET changes = changes + 1 WHERE id = ?", (collection,))
