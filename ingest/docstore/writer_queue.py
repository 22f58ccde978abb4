"""Who writes to a collection: one process at a time, the others wait their turn in the document store.

The right to write is a file lock, which the kernel takes back from a process that dies. The `jobs` table says who
waits, in which order, and how far the writer is, so that those who wait can tell their users.
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
        database: the document store's file.
        collection: the collection's id.
        lock_path: the file whose lock is the right to write.
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
        """The right to write, held until the end of the `with` block.

        Args:
            what: what the writer does, for those who wait ("ingest of /papers").
            on_wait: told again and again, while waiting, who is writing and how far they are.
            cancel: stops the waiting.

        Raises:
            Cancelled: `cancel` was set while waiting.
        """
        make_private_folder(self._lock_path.parent)
        job = self._enqueue(what)
        with open(self._lock_path, "ab", opener=private_opener) as lock:
            try:
                self._wait(job, lock, on_wait, cancel)
                yield WritingTurn(self, job, lock, on_wait, cancel)
            finally:
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
            if cancel and cancel.is_set():
                raise Cancelled("Stopped while waiting for another process to finish writing. Nothing was changed.")
            time.sleep(POLL_SECONDS)

    def _first_in_line(self, job: int) -> bool:
        """Whether nobody alive waits with an earlier ticket; those who died are struck off."""
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
        """Who is writing, in words for the one who waits."""
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
            db.execute(f"UPDATE jobs SET {assignment} WHERE id = ?", (*values, job))  # noqa: S608 - our own words


class WritingTurn:
    """The right to write, while it is held."""

    def __init__(
        self,
        queue: WriterQueue,
        job: int,
        lock: IO[bytes],
        on_wait: Callable[[str], None] | None,
        cancel: threading.Event | None,
    ) -> None:
        self._queue = queue
        self._job = job
        self._lock = lock
        self._on_wait = on_wait
        self._cancel = cancel

    def progress(self, files_done: int, files_total: int) -> None:
        """Tells those who wait how far this writer is."""
        self._queue._update(self._job, "files_done = ?, files_total = ?", files_done, files_total)  # noqa: SLF001 - one module

    def others_wait(self) -> bool:
        """Whether another process waits for this turn to end."""
        return self._queue._others_wait(self._job)  # noqa: SLF001 - one module

    def give_way(self) -> None:
        """Lets those who wait write first, then takes the right back. Nothing of the caller's may be pending."""
        assignment = "state = 'waiting', ticket = (SELECT max(ticket) + 1 FROM jobs)"
        self._queue._update(self._job, assignment)  # noqa: SLF001 - one module
        fcntl.flock(self._lock, fcntl.LOCK_UN)
        self._queue._wait(self._job, self._lock, self._on_wait, self._cancel)  # noqa: SLF001 - one module


def _is_alive(pid: int, started: float) -> bool:
    """Whether the very process is alive that had `pid` then, not another that got its number since."""
    with suppress(psutil.Error):
        return abs(psutil.Process(pid).create_time() - started) < 1.0
    return False
