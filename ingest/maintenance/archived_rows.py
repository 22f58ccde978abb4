"""Copies rows of an archived database into a new database.

An archive's author can add triggers, views and unusual tables to its databases, which would run on reads or writes. So
only values of known columns are used: each is read from a plain table, validated, and inserted into a table that
Footnote has created.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ingest import conversation_schema
from ingest.docstore import DOCUMENT_TYPES, SCHEMA, SCHEMA_VERSION, TEXT_BYTES, Database, fill_periods
from ingest.maintenance.archived_values import Checks, NotOurs

# Ordered so that referenced rows come first. Jobs of writers are not restored.
DOCUMENT_TABLES = (
    "collections", "embedders", "documents", "tags", "versions", "periods", "segments", "chunks", "unembedded",
    "vectors", "token_vectors", "failures",
)  # fmt: skip
CONVERSATION_TABLES = ("conversations", "exchanges")
# Python types for SQLite's declared types; a nullable column also accepts None.
TYPES: Mapping[str, tuple[type, ...]] = {"TEXT": (str,), "INTEGER": (int,), "REAL": (int, float), "BLOB": (bytes,)}
# Before format 3, columns of `collections` described embedders; keyed by the current columns.
EMBEDDERS_BEFORE_3 = {
    "collection": "id", "role": "'current'", "model": "embedding_model", "fingerprint": "fingerprint",
    "dimensions": "dimensions", "created": "created", "kept": "0",
}  # fmt: skip
# Before format 5, `versions` held the text (in format 1, with fewer columns); keyed by the columns of segments.
SEGMENTS_BEFORE_5 = {
    "version": "id", "number": "0", "start": "0", "stop": "length(text)", "text": "text", "page_spans": "page_spans",
    "places": "places",
}  # fmt: skip
SEGMENTS_BEFORE_2 = SEGMENTS_BEFORE_5 | {"page_spans": "'[]'", "places": "x''"}
FIRST_WITH_PAGES, FIRST_WITH_EMBEDDERS, FIRST_WITH_SEGMENTS, FIRST_WITH_PERIODS = 2, 3, 5, 6
MOST_VALUE_BYTES = 512 * 1024 * 1024
BATCH = 500
READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}
PRAGMAS = {"table_xinfo", "user_version", "trusted_schema", "cell_size_check"}

Change = Callable[[str, Any], Any]


def copy_documents(source: Path, target: Path, change: Change) -> None:
    """Fills a new document store from an archived one.

    Args:
        source: the archived file, of any format up to the current one.
        target: the new file; must not exist.
        change: maps (column, value) to the value to store.

    Raises:
        NotOurs: Footnote would not have written a value or a table.
        sqlite3.Error, OSError: the archived file is damaged, or the new one cannot be written.
    """
    with closing(_opened(source)) as old, closing(Database(target, SCHEMA, SCHEMA_VERSION)) as new:
        version = _version(old, SCHEMA_VERSION)
        with new.transaction() as db:
            copy = _Copy(old, db, change)
            before = DOCUMENT_TABLES.index("segments")
            copy.tables(DOCUMENT_TABLES[:before])
            if version < FIRST_WITH_SEGMENTS:
                columns = SEGMENTS_BEFORE_2 if version < FIRST_WITH_PAGES else SEGMENTS_BEFORE_5
                copy.rows("segments", columns, "versions")
            copy.tables(DOCUMENT_TABLES[before:])
            if version < FIRST_WITH_EMBEDDERS:
                copy.rows("embedders", EMBEDDERS_BEFORE_3, "collections", "WHERE fingerprint != ''")
                db.execute(TEXT_BYTES)
                db.execute(DOCUMENT_TYPES)
            if version < FIRST_WITH_PERIODS:
                fill_periods(db)
        _check_references(new)


def copy_conversations(source: Path, target: Path, change: Change) -> None:
    """Fills a new conversations file from an archived one. Arguments and errors as for `copy_documents`."""
    tables = conversation_schema
    with closing(_opened(source)) as old, closing(Database(target, tables.SCHEMA, tables.SCHEMA_VERSION)) as new:
        _version(old, tables.SCHEMA_VERSION)
        with new.transaction() as db:
            _Copy(old, db, change).tables(CONVERSATION_TABLES)
        _check_references(new)


def _opened(path: Path) -> sqlite3.Connection:
    """Opens an archived file so that only reads of known tables are permitted."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_VALUE_BYTES)
    known = {*DOCUMENT_TABLES, *CONVERSATION_TABLES, "sqlite_master", "sqlite_schema"}

    def allowed(action: int, one: str | None, two: str | None, *_: str | None) -> int:
        if action == sqlite3.SQLITE_FUNCTION and two == "length":
            return sqlite3.SQLITE_OK
        is_read = action in READING and (action == sqlite3.SQLITE_SELECT or one in known)
        is_pragma = action == sqlite3.SQLITE_PRAGMA and one in PRAGMAS
        return sqlite3.SQLITE_OK if is_read or is_pragma else sqlite3.SQLITE_DENY

    db.set_authorizer(allowed)
    db.execute("PRAGMA trusted_schema = OFF")
    db.execute("PRAGMA cell_size_check = ON")
    return db


def _version(db: sqlite3.Connection, newest: int) -> int:
    found = int(db.execute("PRAGMA user_version").fetchone()[0])
    if not 1 <= found <= newest:
        raise NotOurs(f"its format {found} is unknown")
    return found


@dataclass(frozen=True, slots=True)
class _Copy:
    """Copies rows of an archived file into Footnote's own tables, validating each."""

    old: sqlite3.Connection
    new: sqlite3.Connection
    change: Change
    checks: Checks = field(default_factory=Checks)

    def tables(self, names: Sequence[str]) -> None:
        for table in names:
            self.rows(table, {name: name for name in self._shared(table)}, table)

    def rows(self, table: str, columns: Mapping[str, str], source: str, where: str = "") -> None:
        """Fills columns of a table from archived columns or constants; skips tables that an older format lacks."""
        if not self._is_plain(source):
            return
        kinds = {name: kind for name, kind in self._kinds(table).items() if name in columns}
        names, values = ", ".join(kinds), ", ".join(columns[name] for name in kinds)
        into = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(kinds))})"  # noqa: S608 - constants
        for rows in _fetched(self.old, f"SELECT {values} FROM {source} NOT INDEXED {where}"):  # noqa: S608 - constants
            try:
                self.new.executemany(into, [self._checked(table, kinds, row) for row in rows])
            except sqlite3.IntegrityError as error:
                raise NotOurs(f"its rows are inconsistent ({table}: {error})") from error

    def _is_plain(self, table: str) -> bool:
        """Returns True for a plain table of the archived file; a view or virtual table would run the archive's code."""
        found = self.old.execute("SELECT sql FROM sqlite_master WHERE type = 'table' AND name = ?", (table,))
        return any(str(sql).lstrip().upper().startswith("CREATE TABLE") for (sql,) in found)

    def _kinds(self, table: str) -> dict[str, tuple[type, ...]]:
        """Returns the columns of one of Footnote's tables, with their Python types."""
        return {
            name: TYPES[kind] + (() if needed or key else (type(None),))
            for _, name, kind, needed, _, key, _ in self.new.execute(f"PRAGMA table_xinfo({table})")
        }

    def _shared(self, table: str) -> list[str]:
        """Returns the columns that both files have. Rejects generated columns, which would run the archive's code."""
        theirs = {name: hidden for _, name, _, _, _, _, hidden in self.old.execute(f"PRAGMA table_xinfo({table})")}
        if any(theirs.values()):
            raise NotOurs(f"its table {table} has unknown columns")
        return [name for name in self._kinds(table) if name in theirs]

    def _checked(self, table: str, kinds: Mapping[str, tuple[type, ...]], row: Sequence[Any]) -> list[Any]:
        values = dict(zip(kinds, row, strict=True))
        for column, value in values.items():
            if type(value) not in kinds[column]:
                raise NotOurs(f"{table}.{column} contains a value of another type")
        self.checks.check(table, values)
        return [self.change(column, value) for column, value in values.items()]


def _fetched(db: sqlite3.Connection, statement: str) -> Iterator[list[tuple[Any, ...]]]:
    """Yields rows of an archived file in parts.

    Raises:
        NotOurs: they cannot be read, for example because a text is not UTF-8.
    """
    try:
        found = db.execute(statement)
        while rows := found.fetchmany(BATCH):
            yield rows
    except sqlite3.Error as error:
        raise NotOurs(f"its rows cannot be read ({error})") from error


def _check_references(database: Database) -> None:
    if database.query("PRAGMA foreign_key_check"):
        raise NotOurs("its rows refer to rows that do not exist")
