"""Serialises writers of a collection: one process at a time, the others wait their turn.

Write access is a file lock, which the kernel releases when a process dies. The `jobs` table records the waiting
processes, their order and the writer's progress, so that waiting processes can report it.
"""

from __future__ import annotations

import fcntl
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil

from ingest.docstore.database import Database
from ingest.errors import Cancelled
from ingest.host import make_private_folder, private_opener
from ingest.text import storable
from ingest.urls import masked

POLL_SECONDS = 0.1


class WriterQueue:
    """The queue of one collection's writers.

    Args:
        database: the document store's database.
        collection: the collection's id.
        lock_path: the file whose lock grants write access.
    """

    def __init__(self, database: Database, collection: int, lock_path: Path) -> None:
        self._database = database
        self._collection = collection
        self._lock_path = lock_path

    @contextmanager
    def turn(
        self,
        what: str,
        on_wait: Callable[[str], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> Iterator[WritingTurn]:
        """Grants write access until the end of the `with` block.

        Args:
            what: description of the work, shown to waiting processes ("ingest of /papers").
            on_wait: called repeatedly while waiting, with the current writer and its progress.
            cancel: stops the waiting.

        Raises:
            Cancelled: `cancel` was set while waiting.
        """
        make_private_folder(self._lock_path.parent)
        with open(self._lock_path, "ab", opener=private_opener) as lock:
            turn = WritingTurn(self, what, lock, on_wait, cancel)
            try:
                turn.begin()
                yield turn
            finally:
                turn.end()

    def busy(self) -> bool:
        """Returns True if a live process writes or waits to write."""
        jobs = self._database.query("SELECT pid, process_started FROM jobs WHERE collection = ?", self._collection)
        return any(_is_alive(pid, started) for pid, started in jobs)

    def _delete(self, job: int) -> None:
        with self._database.transaction() as db:
            db.execute("DELETE FROM jobs WHERE id = ?", (job,))

    def _enqueue(self, what: str) -> int:
        with self._database.transaction() as db:
            row = db.execute(
                "INSERT INTO jobs (collection, ticket, state, what, pid, process_started)"
                " SELECT ?, coalesce(max(ticket), 0) + 1, 'waiting', ?, ?, ? FROM jobs RETURNING id",
                (self._collection, masked(storable(what)), os.getpid(), psutil.Process().create_time()),
            ).fetchone()
            return int(row[0])

    def _wait(
        self,
        job: int,
        lock: IO[bytes],
        on_wait: Callable[[str], None] | None,
        cancel: threading.Event | None,
    ) -> None:
        while True:
            if self._first_in_line(job):
                with suppress(BlockingIOError):
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                    self._update(job, "state = 'writing'")
                    return
            if on_wait:
                on_wait(self._writer())
            _pause(cancel)

    def _first_in_line(self, job: int) -> bool:
        """Returns True if no live process waits with an earlier ticket; deletes the tickets of dead ones."""
        earlier = self._database.query(
            "SELECT id, pid, process_started FROM jobs WHERE collection = ? AND state = 'waiting'"
            " AND ticket < (SELECT ticket FROM jobs WHERE id = ?)",
            self._collection,
            job,
        )
        dead = [number for number, pid, started in earlier if not _is_alive(pid, started)]
        if dead:
            with self._database.transaction() as db:
                db.executemany("DELETE FROM jobs WHERE id = ?", [(number,) for number in dead])
        return len(dead) == len(earlier)

    def _writer(self) -> str:
        """Describes the current writer for a waiting process."""
        rows = self._database.query(
            "SELECT what, pid, files_done, files_total, process_started FROM jobs"
            " WHERE collection = ? AND state = 'writing' ORDER BY ticket DESC",
            self._collection,
        )
        for what, pid, done, total, started in rows:
            if _is_alive(pid, started):
                return f"{what} (process {pid}): {done} of {total} files"
        return "another process"

    def _others_wait(self, job: int) -> bool:
        rows = self._database.query(
            "SELECT pid, process_started FROM jobs WHERE collection = ? AND state = 'waiting' AND id != ?",
            self._collection,
            job,
        )
        return any(_is_alive(pid, started) for pid, started in rows)

    def _update(self, job: int, assignment: str, *values: object) -> None:
        with self._database.transaction() as db:
            db.execute(f"UPDATE jobs SET {assignment} WHERE id = ?", (*values, job))  # noqa: S608 - constants


class WritingTurn:
    """Write access while it is held."""

    def __init__(
        self,
        queue: WriterQueue,
        what: str,
        lock: IO[bytes],
        on_wait: Callable[[str], None] | None,
        cancel: threading.Event | None,
    ) -> None:
        self._queue = queue
        self._what = what
        self._job = 0
        self._lock = lock
        self._on_wait = on_wait
        self._cancel = cancel

    def begin(self) -> None:
        """Waits in line, then acquires write access."""
        self._job = self._queue._enqueue(self._what)  # noqa: SLF001 - one module
        self._queue._wait(self._job, self._lock, self._on_wait, self._cancel)  # noqa: SLF001 - one module

    def end(self) -> None:
        """Leaves the line, and releases write access if it was acquired."""
        self._queue._delete(self._job)  # noqa: SLF001 - one module
        fcntl.flock(self._lock, fcntl.LOCK_UN)

    def progress(self, files_done: int, files_total: int) -> None:
        """Publishes this writer's progress to waiting processes."""
        self._queue._update(self._job, "files_done = ?, files_total = ?", files_done, files_total)  # noqa: SLF001 - one module

    def others_wait(self) -> bool:
        """Returns True if another process waits for this turn to end."""
        return self._queue._others_wait(self._job)  # noqa: SLF001 - one module

    def give_way(self) -> None:
        """Lets waiting processes write first, then reacquires write access. The caller may have no pending writes."""
        assignment = "state = 'waiting', ticket = (SELECT max(ticket) + 1 FROM jobs)"
        self._queue._update(self._job, assignment)  # noqa: SLF001 - one module
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        self._queue._wait(self._job, self._lock, self._on_wait, self._cancel)  # noqa: SLF001 - one module

    def stand_back(self) -> None:
        """Lets all others write first, also those that come meanwhile, then reacquires write access.

        The caller may have no pending writes.
        """
        self.end()
        while self._queue.busy():
            if self._on_wait:
                self._on_wait(self._queue._writer())  # noqa: SLF001 - one module
            _pause(self._cancel)
        self.begin()


def _pause(cancel: threading.Event | None) -> None:
    if cancel and cancel.is_set():
        raise Cancelled("Stopped while waiting for another process to finish writing.")
    time.sleep(POLL_SECONDS)


def _is_alive(pid: int, started: float) -> bool:
    """Returns True if the process that had `pid` at `started` is alive, and not a later one with the same number."""
    with suppress(psutil.Error):
        return abs(psutil.Process(pid).create_time() - started) < 1.0
    return False
