"""Stores the periods that versions of documents report on, to show, to filter and to rank by."""

from __future__ import annotations

import sqlite3

from ingest.docstore.database import Database
from ingest.text import OPENING_CHARACTERS, DocumentPeriods, document_periods

OPENINGS = f"""
SELECT v.id, d.source, v.title, coalesce(substr(s.text, 1, {OPENING_CHARACTERS}), '') FROM versions v
JOIN documents d ON d.id = v.document LEFT JOIN segments s ON s.version = v.id AND s.number = 0
"""  # noqa: S608 - a constant


class Periods:
    """Periods of versions, in the document store's database.

    Args:
        database: the database, opened with `ingest.docstore.schema`.
    """

    def __init__(self, database: Database) -> None:
        self._query = database.query

    def of(self, version_id: str) -> DocumentPeriods:
        """Returns the periods of a version; none if it is no longer in the index."""
        rows = self._query("SELECT role, period FROM periods WHERE version = ?", version_id)
        return DocumentPeriods(
            frozenset(period for role, period in rows if role == "named"),
            next((period for role, period in rows if role == "day"), ""),
            frozenset(period for role, period in rows if role != "named"),
        )


def put_periods(db: sqlite3.Connection, version_id: str, found: DocumentPeriods) -> None:
    """Replaces the periods of a version within a transaction."""
    rows = [("named", period) for period in found.named]
    rows += [("day" if period == found.day else "other", period) for period in found.days]
    db.execute("DELETE FROM periods WHERE version = ?", (version_id,))
    db.executemany("INSERT INTO periods (version, role, period) VALUES (?, ?, ?)", [(version_id, *row) for row in rows])


def fill_periods(db: sqlite3.Connection) -> None:
    """Finds the periods of all versions in their stored text, within a transaction; one opening at a time."""
    for version_id, source, title, opening in db.execute(OPENINGS):
        put_periods(db, version_id, document_periods(source, title, opening))
