"""A SQLite file in WAL mode, written in transactions, with errors explained to the user."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from types import MappingProxyType
from typing import TypeVar

from ingest.errors import DocumentStoreError
from ingest.host import make_private_file, make_private_folder

T = TypeVar("T")
# A step of an upgrade: statements separated by semicolons, or a function that is called within its transaction.
Step = str | Callable[[sqlite3.Connection], None]
# Time a writer waits for another process's transaction; transactions here take milliseconds.
BUSY_SECONDS = 60.0
# Values bound per statement; SQLite's own limit is 32,766.
BATCH = 5_000
# Page cache. Reading the vectors of 4,000 of 100,000 chunks took 71 to 93 ms with SQLite's default of 2 MiB, and 20 to
# 44 ms with this size.
CACHE_KIB = 16 * 1024
# Free pages are returned to the disk if they are at least this fraction of the file and this many bytes.
FREE_SHARE = 0.2
FREE_BYTES = 1024 * 1024
INCREMENTAL = 2


class Database:
    """A SQLite file with a schema. Safe for threads (one connection, one lock) and processes (WAL).

    Deleted data is overwritten with zeros (secure_delete), so that it cannot be recovered from the file.

    Args:
        path: the file; created, with its folder, if missing.
        schema: statements that create the schema of this version in an empty file.
        version: the schema's number, stored in the file.
        migrations: for each version, the steps that upgrade a file of the previous version.

    Raises:
        DocumentStoreError: it cannot be opened, is damaged, or was written by a newer version.
    """

    def __init__(
        self, path: Path, schema: str, version: int, migrations: Mapping[int, Sequence[Step]] = MappingProxyType({})
    ) -> None:
        self.path = path
        self._lock = threading.RLock()
        with self._mapped("open"):
            make_private_folder(path.parent)
            make_private_file(path)  # its -wal and -shm get the same permissions
            self._db = sqlite3.connect(path, timeout=BUSY_SECONDS, check_same_thread=False, isolation_level=None)
            self._db.row_factory = sqlite3.Row
        try:
            with self._mapped("open"):
                self._check_version(self._pragma("user_version"), version)  # before anything is written
                self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")  # takes effect only while the file is empty
                self._db.execute("PRAGMA journal_mode = WAL")
                self._db.execute("PRAGMA synchronous = FULL")
                self._db.execute("PRAGMA foreign_keys = ON")
                self._db.execute("PRAGMA secure_delete = ON")
                self._db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
                self._bring_to(schema, version, migrations)
        except BaseException:
            self._db.close()
            raise

    def close(self) -> None:
        """Closes the file."""
        with self._lock:
            self._db.close()

    def query(self, sql: str, *values: object) -> list[sqlite3.Row]:
        """Runs a query and returns all rows, with named columns."""
        with self._lock, self._mapped("read"):
            return self._db.execute(sql, values).fetchall()

    def query_named(self, sql: str, values: Mapping[str, object]) -> list[sqlite3.Row]:
        """Runs a query with named parameters and returns all rows."""
        with self._lock, self._mapped("read"):
            return self._db.execute(sql, values).fetchall()

    @contextmanager
    def transaction(self) -> Iterator[sqlite3.Connection]:
        """Commits the statements executed on the connection at the end, or rolls them back on any error."""
        with self._lock, self._mapped("write"):
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise

    def reclaim(self, *, whole: bool = False) -> None:
        """Returns free pages to the disk if there are many, or with `whole`, all; truncates the write-ahead log."""
        with self._lock, self._mapped("shrink"):
            free, pages, size = (self._pragma(name) for name in ("freelist_count", "page_count", "page_size"))
            many = free * size >= FREE_BYTES and free >= pages * FREE_SHARE
            if free and (many or whole):
                if self._pragma("auto_vacuum") == INCREMENTAL:
                    self._db.executescript("PRAGMA incremental_vacuum")  # execute() stops after one page
                else:  # the file predates incremental auto-vacuum
                    self._db.execute("PRAGMA auto_vacuum = INCREMENTAL")
                    self._db.execute("VACUUM")
            # Not worth blocking readers: a later call, or the last process to close the file, truncates the log.
            self._db.execute("PRAGMA busy_timeout = 0")
            try:
                self._db.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            finally:
                self._db.execute(f"PRAGMA busy_timeout = {int(BUSY_SECONDS * 1000)}")

    def copy_to(self, path: Path) -> None:
        """Writes a consistent copy of the file while others read and write it.

        Raises:
            sqlite3.Error: this file cannot be read, or the copy cannot be written.
        """
        make_private_file(path)
        with self._lock, closing(sqlite3.connect(path)) as copy:
            self._db.backup(copy)
            copy.execute("PRAGMA journal_mode = DELETE")

    def _pragma(self, name: str) -> int:
        return int(self._db.execute(f"PRAGMA {name}").fetchone()[0])

    def _bring_to(self, schema: str, version: int, migrations: Mapping[int, Sequence[Step]]) -> None:
        if self._pragma("user_version") == version:
            return
        self._db.execute("BEGIN IMMEDIATE")  # another process may be upgrading too
        try:
            found = self._pragma("user_version")
            self._check_version(found, version)
            steps = [schema] if not found else [step for n in range(found + 1, version + 1) for step in migrations[n]]
            for step in steps:
                self._run(step)
            self._db.execute(f"PRAGMA user_version = {version}")
            self._db.execute("COMMIT")
        except BaseException:
            self._db.execute("ROLLBACK")
            raise

    def _run(self, step: Step) -> None:
        if callable(step):
            step(self._db)
            return
        for statement in filter(str.strip, step.split(";")):
            self._db.execute(statement)

    def _check_version(self, found: int, version: int) -> None:
        if found > version:
            raise DocumentStoreError(
                f"{self.path} was written by a newer Footnote (format {found}; this version reads {version}). "
                "Update Footnote, or choose another FOOTNOTE_DATA_DIR."
            )

    @contextmanager
    def _mapped(self, what: str) -> Iterator[None]:
        try:
            yield
        except (sqlite3.Error, OSError) as error:
            raise DocumentStoreError(f"Could not {what} {self.path}: {error}. {_advice(error)}") from error


def batches(items: Sequence[T]) -> Iterator[Sequence[T]]:
    """Yields `items` in parts that one statement can bind."""
    for i in range(0, len(items), BATCH):
        yield items[i : i + BATCH]


def _advice(error: sqlite3.Error | OSError) -> str:
    code = getattr(error, "sqlite_errorcode", None)
    if code is not None and code & 0xFF in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
        return (
            "The file is damaged. `footnote doctor --fix` tries to repair it. If it cannot, move the data folder away "
            "and restore a backup with `footnote restore FILE`, or ingest the documents again."
        )
    if code is not None and code & 0xFF in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
        return (
            "Another process has locked it for a minute. Nothing was changed; try again when that process has finished."
        )
    if code is not None and code & 0xFF == sqlite3.SQLITE_FULL:
        return "Nothing was changed. Free some disk space, then try again."
    return "Check that the folder is writable and the disk has space, then try again."
