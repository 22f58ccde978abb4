"""Rows of an archived database -> a new database of Footnote's own.

Whoever made an archive can put triggers, views and odd tables into its databases, which would run as soon as they are
written to or read. So nothing of an archived file is ever used but values of known columns: each is read from a plain
table, checked for its type and put into a table that Footnote has made.
"""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

from ingest import conversation_schema, schema
from ingest.database import Database
from ingest.settings import COLLECTION_PATTERN

# In the order in which rows refer to each other. Who was writing when the archive was made is not of interest.
DOCUMENT_TABLES = (
    "collections", "embedders", "documents", "tags", "versions", "chunks", "vectors", "token_vectors", "failures",
)  # fmt: skip
CONVERSATION_TABLES = ("conversations", "exchanges")
# What SQLite's declared types let through here; a column that may be empty lets through None as well.
TYPES: Mapping[str, tuple[type, ...]] = {"TEXT": (str,), "INTEGER": (int,), "REAL": (int, float), "BLOB": (bytes,)}
# Columns that are more than text: parts of file names, or JSON that begins so.
PATTERNS = {
    ("collections", "uid"): re.compile(r"[0-9a-f]{12,32}"),
    ("collections", "name"): re.compile(COLLECTION_PATTERN),
    ("embedders", "fingerprint"): re.compile(r"[0-9A-Za-z_.-]{1,128}"),
}
JSON = {
    ("versions", "warnings"): list,
    ("versions", "reading"): dict,
    ("versions", "page_spans"): list,
    ("chunks", "heading"): list,
    ("conversations", "filter"): dict,
    ("exchanges", "answer"): dict,
    ("exchanges", "earlier"): list,
}
# Columns of embedders that collections had themselves before format 3.
MODEL_BEFORE_3 = ("id", "embedding_model", "fingerprint", "dimensions", "created")
MOST_VALUE_BYTES = 512 * 1024 * 1024
BATCH = 500
READING = {sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ}
PRAGMAS = {"table_xinfo", "user_version", "trusted_schema", "cell_size_check"}

Change = Callable[[str, str, Any], Any]


class NotOurs(Exception):
    """An archived database has what Footnote would not have put there; the message says what."""


def copy_documents(source: Path, target: Path, change: Change) -> None:
    """Fills a new document store from an archived one.

    Args:
        source: the archived file, of any format up to today's.
        target: the new one; must not be there yet.
        change: table, column, value -> the value to keep.

    Raises:
        NotOurs: a value is none that Footnote writes, or a table is none.
        sqlite3.Error, OSError: the archived file is damaged, or the new one cannot be written.
    """
    with closing(_opened(source)) as old, closing(Database(target, schema.SCHEMA, schema.SCHEMA_VERSION)) as new:
        version = _version(old, schema.SCHEMA_VERSION)
        with new.transaction() as db:
            _copy(old, db, DOCUMENT_TABLES, change)
            if version < 3:  # noqa: PLR2004 - a format's number
                names = ", ".join(MODEL_BEFORE_3)
                for row in old.execute(f"SELECT {names} FROM collections NOT INDEXED WHERE fingerprint != ''"):  # noqa: S608 - ours
                    db.execute(
                        "INSERT INTO embedders (collection, role, model, fingerprint, dimensions, created, kept)"
                        " VALUES (?, 'current', ?, ?, ?, ?, 0)",
                        row,
                    )
                for statement in schema.RECKONED:
                    db.execute(statement)
        _check_references(new)


def copy_conversations(source: Path, target: Path, change: Change) -> None:
    """Fills a new file of conversations from an archived one. Arguments and errors as of `copy_documents`."""
    tables = conversation_schema
    with closing(_opened(source)) as old, closing(Database(target, tables.SCHEMA, tables.SCHEMA_VERSION)) as new:
        _version(old, tables.SCHEMA_VERSION)
        with new.transaction() as db:
            _copy(old, db, CONVERSATION_TABLES, change)
        _check_references(new)


def _opened(path: Path) -> sqlite3.Connection:
    """An archived file, of which known tables can be read and nothing else can be done."""
    db = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)
    db.setlimit(sqlite3.SQLITE_LIMIT_LENGTH, MOST_VALUE_BYTES)
    known = {*DOCUMENT_TABLES, *CONVERSATION_TABLES, "sqlite_master", "sqlite_schema"}

    def allowed(action: int, one: str | None, *_: str | None) -> int:
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
        raise NotOurs(f"its format is {found}, which is none of Footnote's")
    return found


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, tables: Sequence[str], change: Change) -> None:
    plain = {name for name, sql in old.execute("SELECT name, sql FROM sqlite_master WHERE type = 'table'")
             if str(sql).lstrip().upper().startswith("CREATE TABLE")}  # fmt: skip
    for table in tables:
        if table not in plain:
            continue  # an older format has fewer
        columns = _columns(old, new, table)
        names = ", ".join(columns)
        into = f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})"  # noqa: S608 - ours
        found = old.execute(f"SELECT {names} FROM {table} NOT INDEXED")  # noqa: S608 - ours
        found.arraysize = BATCH
        for rows in iter(found.fetchmany, []):
            try:
                new.executemany(into, [list(_checked(table, columns, row, change)) for row in rows])
            except sqlite3.IntegrityError as error:
                raise NotOurs(f"its rows do not fit together ({table}: {error})") from error


def _columns(old: sqlite3.Connection, new: sqlite3.Connection, table: str) -> dict[str, tuple[type, ...]]:
    """The columns that both have, with the types of their values. Generated ones would run what the archive says."""
    theirs = {name: hidden for _, name, _, _, _, _, hidden in old.execute(f"PRAGMA table_xinfo({table})")}
    if any(theirs.values()):
        raise NotOurs(f"its table {table} has columns that are none of Footnote's")
    return {
        name: TYPES[kind] + (() if needed or key else (type(None),))
        for _, name, kind, needed, _, key, _ in new.execute(f"PRAGMA table_xinfo({table})")
        if name in theirs
    }


def _checked(table: str, columns: Mapping[str, tuple[type, ...]], row: Sequence[Any], change: Change) -> Iterator[Any]:
    for (column, kinds), value in zip(columns.items(), row, strict=True):
        place = (table, column)
        if type(value) not in kinds:
            raise NotOurs(f"{table}.{column} holds a value of another type")
        if value is not None and place in PATTERNS and not PATTERNS[place].fullmatch(value):
            raise NotOurs(f"{table}.{column} holds what is no name of Footnote's")
        if value is not None and place in JSON:
            _check_json(place, value)
        yield change(table, column, value)


def _check_json(place: tuple[str, str], value: str) -> None:
    try:
        found = json.loads(value)
    except (ValueError, RecursionError) as error:
        raise NotOurs(f"{'.'.join(place)} holds no JSON") from error
    if not isinstance(found, JSON[place]):
        raise NotOurs(f"{'.'.join(place)} holds JSON of another form")


def _check_references(database: Database) -> None:
    if database.query("PRAGMA foreign_key_check"):
        raise NotOurs("its rows refer to others that are not there")
