"""Active versions whose vectors are not written yet: found by their words until they are embedded."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Collection, Iterable, Sequence
from typing import NamedTuple

from ingest.docstore.database import Database

ADD = """
INSERT OR IGNORE INTO unembedded (version, chunks) SELECT ?1, count(*) FROM chunks WHERE version = ?1
"""
# Only active versions: one that is stale is about to be deleted. CROSS JOIN forces this join order: SQLite would
# otherwise look up all documents of the collection, at each search, although nearly none is unembedded.
COUNT = """
SELECT coalesce(sum(u.chunks - u.written), 0) FROM unembedded u CROSS JOIN stored_versions v ON v.id = u.version
WHERE v.collection = ?1 AND v.status = 'active' AND (?2 IS NULL OR u.version IN (SELECT value FROM json_each(?2)))
"""
IN_ORDER = """
SELECT u.version, u.written, u.chunks FROM unembedded u CROSS JOIN stored_versions v ON v.id = u.version
WHERE v.collection = ? AND v.status = 'active' ORDER BY u.asked DESC, v.updated DESC, u.version LIMIT ?
"""
OF_COLLECTION = """
DELETE FROM unembedded WHERE version IN (SELECT id FROM stored_versions WHERE collection = ?)
"""


class Span(NamedTuple):
    """Chunks of a version, by their positions [start, stop)."""

    version: str
    start: int
    stop: int


class Unembedded:
    """The versions without vectors, in the document store's database.

    Args:
        database: the database, opened with `ingest.docstore.schema`.
    """

    def __init__(self, database: Database) -> None:
        self._query = database.query
        self._transaction = database.transaction

    def count(self, collection: int, versions: Iterable[str] | None = None) -> int:
        """Counts the chunks of versions without vectors: all of a collection, or those of some versions."""
        chosen = None if versions is None else json.dumps(sorted(versions))
        return int(self._query(COUNT, collection, chosen)[0][0])

    def versions(self) -> dict[str, int]:
        """Returns the versions of all collections that lack vectors, with the number of first chunks that have one."""
        return dict(map(tuple, self._query("SELECT version, written FROM unembedded")))

    def first(self, collection: int, chunks: int, without: Collection[str] = ()) -> list[Span]:
        """Returns the chunks to embed next, of the versions asked for most and then of the newest.

        Args:
            collection: its id.
            chunks: the number of chunks; fewer if fewer are left.
            without: versions to leave out.
        """
        found: list[Span] = []
        for version, start, stop in self._query(IN_ORDER, collection, chunks + len(without)):
            if version in without:
                continue
            found.append(Span(version, start, min(stop, start + chunks)))
            chunks -= stop - start
            if chunks <= 0:
                break
        return found

    def ask_for(self, versions: Iterable[str]) -> None:
        """Counts a search that found versions, so that those found often are embedded first."""
        with self._transaction() as db:
            db.executemany("UPDATE unembedded SET asked = asked + 1 WHERE version = ?", [(one,) for one in versions])

    def done(self, collection: int, spans: Sequence[Span]) -> None:
        """Records that the vectors of chunks are written: results of searches change."""
        with self._transaction() as db:
            db.executemany("UPDATE unembedded SET written = ? WHERE version = ?", [(o.stop, o.version) for o in spans])
            db.executemany(
                "DELETE FROM unembedded WHERE version = ? AND written >= chunks", [(one.version,) for one in spans]
            )
            db.execute("UPDATE collections SET changes = changes + 1 WHERE id = ?", (collection,))


def add_unembedded(db: sqlite3.Connection, version: str) -> None:
    """Adds a version that becomes active."""
    db.execute(ADD, (version,))


def forget_unembedded(db: sqlite3.Connection, collection: int) -> None:
    """Forgets all versions of a collection: another model, which becomes the current one, has embedded all."""
    db.execute(OF_COLLECTION, (collection,))
