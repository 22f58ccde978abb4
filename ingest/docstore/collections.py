"""The collections of the document store, and the embedding models of each."""

from __future__ import annotations

import time
from dataclasses import replace

from ingest.docstore.database import Database
from ingest.docstore.records import CollectionRow, EmbedderRole, EmbedderRow
from ingest.text import storable

EMBEDDER_COLUMNS = "SELECT id, role, model, fingerprint, dimensions, kept, generation, garbage FROM embedders"
# Each step frees the role that the next one takes.
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
    """Collections and embedders, in the document store's file.

    Args:
        database: the file, opened with `ingest.docstore.schema`.
    """

    def __init__(self, database: Database) -> None:
        self._query = database.query
        self._transaction = database.transaction

    def collection(self, name: str) -> CollectionRow | None:
        """The collection called `name`, or None."""
        rows = self._query("SELECT id, uid, name FROM collections WHERE name = ?", storable(name))
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
        return [CollectionRow(*row) for row in self._query("SELECT id, uid, name FROM collections ORDER BY name")]

    def changes(self, collection: int) -> int:
        """A number that grows whenever what searches may find has changed."""
        rows = self._query("SELECT changes FROM collections WHERE id = ?", collection)
        return int(rows[0][0]) if rows else 0

    def embedders(self, collection: int) -> dict[EmbedderRole, EmbedderRow]:
        """The embedding models of a collection by role; {} until something is in it."""
        rows = self._query(f"{EMBEDDER_COLUMNS} WHERE collection = ?", collection)
        found = [EmbedderRow(*row) for row in rows]
        return {row.role: replace(row, kept=bool(row.kept)) for row in found}

    def add_embedder(
        self, collection: int, role: EmbedderRole, model: str, fingerprint: str, dimensions: int
    ) -> EmbedderRow:
        """Gives a collection an embedder in a role that is free.

        Returns:
            The embedder that has the role now; another process may have been first.
        """
        with self._transaction() as db:
            db.execute(
                "INSERT OR IGNORE INTO embedders (collection, role, model, fingerprint, dimensions, created)"
                " VALUES (?, ?, ?, ?, ?, ?)",
                (collection, role, model, fingerprint, dimensions, time.time()),
            )
        return self.embedders(collection)[role]

    def forget_embedder(self, embedder: int) -> None:
        """Deletes an embedder with the vectors that are kept of it."""
        with self._transaction() as db:
            db.execute("DELETE FROM embedders WHERE id = ?", (embedder,))

    def add_garbage(self, collection: int, chunks: int) -> None:
        """Remembers that so many chunks were deleted from the collection's vectors."""
        with self._transaction() as db:
            db.execute("UPDATE embedders SET garbage = garbage + ? WHERE collection = ?", (chunks, collection))

    def next_generation(self, embedder: int) -> None:
        """From here on the Chroma collection that was made anew is the embedder's."""
        with self._transaction() as db:
            db.execute("UPDATE embedders SET generation = generation + 1, garbage = 0 WHERE id = ?", (embedder,))
            db.execute(
                "UPDATE collections SET changes = changes + 1"
                " WHERE id = (SELECT collection FROM embedders WHERE id = ?)",
                (embedder,),
            )

    def switch(self, collection: int) -> None:
        """In one transaction: the next embedder is the current one, which becomes the previous one."""
        self._reassign(collection, SWITCH)

    def switch_back(self, collection: int) -> None:
        """In one transaction: the previous embedder and the current one change places."""
        self._reassign(collection, SWITCH_BACK)

    def _reassign(self, collection: int, steps: tuple[str, ...]) -> None:
        with self._transaction() as db:
            for step in steps:
                db.execute(step, (collection,))
            db.execute("UPDATE collections SET changes = changes + 1 WHERE id = ?", (collection,))
