"""One SQLite file: opened in WAL mode, written in transactions, its errors put in the user's words."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import Any

from ingest.errors import DocumentStoreError

# A writer waits this long for another process's transaction; ours take milliseconds.
BUSY_SECONDS = 60.0


class Database:
    """A SQLite file with a schema. Safe between threads (one connection, one lock) and processes (WAL).

    Args:
        path: the file; made, with its folder, when missing.
        schema: statements that bring an empty file to this version.
        version: the schema's number, kept in the file.
        migrations: statements that bring a file of the version before to each version.

    Raises:
        DocumentStoreError: it cannot be opened, is damaged, or was written by a newer Footnote.
    """

    def __init__(
        self, path: Path, schema: str, version: int, migrations: Mapping[int, str] = MappingProxyType({})
    ) -> None:
        self._path = path
        self._lock = threading.RLock()
        with self._mapped("open"):
            path.parent.mkdir(parents=True, exist_ok=True)
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
            self._db.execute("PRAGMA journal_mode = WAL")
            self._db.execute("PRAGMA synchronous = FULL")
            self._db.execute("PRAGMA foreign_keys = ON")
            self._bring_to(schema, version, migrations)

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    def query(self, sql: str, *values: object) -> list[tuple[Any, ...]]:
        """All rows of a statement that reads."""
        with self._lock, self._mapped("read"):
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """All or nothing: what is executed on the connection is committed at the end, or undone on any error."""
        with self._lock, self._mapped("write"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def _bring_to(self, schema: str, version: int, migrations: Mapping[int, str]) -> None:
        if self._found_version() == version:
            return
        self._db.execute("BEGIN IMMEDIATE")  # another process may be at the same
        try:
            found = self._found_version()
            self._check_version(found, version)
            steps = [schema] if not found else [migrations[n] for n in range(found + 1, version + 1)]
            for statement in (part for step in steps for part in step.split(";") if part.strip()):
                self._db.execute(statement)
            self._db.execute(f"PRAGMA user_version = {version}")
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def _found_version(self) -> int:
        return int(self._db.execute("PRAGMA user_version").fetchone()[0])

    def _check_version(self, found: int, version: int) -> None:
        if found > version:
            raise DocumentStoreError(
                f"{self._path} was written by a newer Footnote (format {found}; this one reads {version}). "
                "Update Footnote, or choose another FOOTNOTE_DATA_DIR."
            )

    @contextmanager
    def _mapped(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise DocumentStoreError(
                f"Could not {what} {self._path}: {error}. Check that the folder is writable, the disk has space, "
                "and the file is not damaged."
            ) from error
