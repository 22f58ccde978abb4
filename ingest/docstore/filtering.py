"""Finds the documents that match a filter, and the values that can be filtered by."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace

from ingest.docstore.database import Database
from ingest.docstore.records import CollectionRow
from ingest.errors import QuestionError
from ingest.filters import Filter, under
from ingest.text import matching_names, parts_of

# Most types and tags listed in a message.
MOST_NAMED = 20

# Each condition is served by an index: (collection, source), (collection, type), (collection, updated), (name),
# (period).
SOURCES = """d.id IN (
    SELECT id FROM documents WHERE collection = :collection AND source IN (SELECT value FROM json_each(:sources))
    UNION ALL
    SELECT x.id FROM json_each(:folders) f CROSS JOIN documents x
    ON x.collection = :collection AND x.source >= f.value ->> 0 AND x.source < f.value ->> 1
)"""
TYPES = "d.type IN (SELECT value FROM json_each(:types))"
TAGS = "d.id IN (SELECT t.document FROM tags t WHERE t.name IN (SELECT value FROM json_each(:tags)))"
# Periods that equal one or lie in it: "." follows "-", so "2023" includes "2023-Q3".
PERIODS = """v.id IN (
    SELECT p.version FROM json_each(:periods) f CROSS JOIN periods p
    ON p.role != 'other' AND p.period >= f.value AND p.period < f.value || '.'
)"""
ACTIVE = (
    "FROM documents d JOIN versions v ON v.document = d.id AND v.status = 'active' WHERE d.collection = :collection"
)
# The plus keeps SQLite from scanning the whole collection when names, tags or periods select a few documents.
ACTIVE_BY_ID = ACTIVE.replace("d.collection", "+d.collection")


@dataclass(frozen=True, slots=True)
class Choices:
    """The values that a collection's documents can be filtered by, each sorted. Periods are months or longer."""

    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()


class Selection:
    """Applies filters to the document store's database.

    Args:
        database: the database, opened with `ingest.docstore.schema`.
    """

    def __init__(self, database: Database) -> None:
        self._query = database.query_named

    def versions(self, collection: int, within: Filter) -> list[str]:
        """Returns the ids of the active versions of documents that match a filter."""
        sql, values = statement(collection, self._as_kept(collection, within))
        return [row[0] for row in self._query(f"SELECT v.id {sql}", values)]

    def count_chunks(self, version_ids: Sequence[str]) -> int:
        """Counts the chunks of versions."""
        rows = self._query(
            "SELECT count(*) FROM json_each(:versions) v CROSS JOIN chunks c ON c.version = v.value",
            {"versions": json.dumps(version_ids)},
        )
        return int(rows[0][0])

    def check(self, collection: CollectionRow, within: Filter) -> None:
        """Rejects a filter that matches no document.

        Raises:
            QuestionError: nothing matches; the message lists the available types, tags and periods.
        """
        sql, values = statement(collection.id, self._as_kept(collection.id, within))
        if self._query(f"SELECT 1 {sql} LIMIT 1", values):
            return
        choices = self.choices(collection.id)
        known = [
            f"Available {name}: {', '.join(some[:MOST_NAMED])}{' …' if len(some) > MOST_NAMED else ''}."
            for name, some in (("types", choices.types), ("tags", choices.tags), ("periods", choices.periods))
            if some
        ]
        said = [f"No document of the collection {collection.name!r} matches the filter: {within}.", *known]
        raise QuestionError(
            " ".join([*said, "`footnote report` lists the documents with their days, periods and tags."])
        )

    def _as_kept(self, collection: int, within: Filter) -> Filter:
        """Replaces typed sources by the stored forms of their names."""
        if all(source.isascii() and "\\" not in source for source in within.sources):
            return within
        rows = self._query(f"SELECT d.source {ACTIVE}", {"collection": collection})
        known = [row[0] for row in rows]
        found = dict.fromkeys(one for source in within.sources for one in matching_names(source, known) or [source])
        return replace(within, sources=tuple(found))

    def choices(self, collection: int) -> Choices:
        """Returns the values that can be filtered by."""
        values = {"collection": collection}
        rows = self._query(f"SELECT d.source, d.type {ACTIVE} ORDER BY d.source", values)
        tags = self._query(
            f"SELECT DISTINCT t.name {ACTIVE.replace('WHERE', 'JOIN tags t ON t.document = d.id WHERE')} ORDER BY 1",
            values,
        )
        reported = self._query(
            "SELECT DISTINCT substr(p.period, 1, 7)"  # a day's month
            f" {ACTIVE.replace('WHERE', 'JOIN periods p ON p.version = v.id WHERE')} AND p.role != 'other'",
            values,
        )
        periods = {part for (period,) in reported for part in (period, period[:4])}
        return Choices(
            sources=tuple(row[0] for row in rows),
            types=tuple(sorted({row[1] for row in rows} - {""})),
            tags=tuple(row[0] for row in tags),
            periods=tuple(sorted(periods)),
        )


def statement(collection: int, within: Filter) -> tuple[str, dict[str, object]]:
    """Returns the FROM and WHERE clauses of active versions (v) and documents (d) that match a filter, with values."""
    since, until = within.seconds()
    conditions = {
        SOURCES: bool(within.sources),
        TYPES: bool(within.types),
        TAGS: bool(within.tags),
        PERIODS: bool(within.periods),
        "d.updated >= :since": since is not None,
        "d.updated < :until": until is not None,
    }
    values = {
        "collection": collection,
        "sources": json.dumps(within.sources),
        "folders": json.dumps([under(source) for source in within.sources]),
        "types": json.dumps(within.types),
        "tags": json.dumps(within.tags),
        "periods": json.dumps([part for period in within.periods for part in parts_of(period)]),
        "since": since,
        "until": until,
    }
    first = ACTIVE_BY_ID if within.sources or within.tags or within.periods else ACTIVE
    return " AND ".join([first, *(sql for sql, wanted in conditions.items() if wanted)]), values
