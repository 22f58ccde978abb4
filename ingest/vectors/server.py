"""Uses the local Chroma server: the first process that needs it starts it, and the last one stops it.

Chroma does not support two processes on one folder, so `ingest.vectors.supervisor` runs one server for all of them.
`ingest.vectors.run_folder` describes how they find each other.
"""

from __future__ import annotations

import fcntl
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil

from ingest.errors import VectorStoreError
from ingest.host import private_opener, without_keys
from ingest.vectors.compaction import compact
from ingest.vectors.run_folder import RunFolder, ServerState

START_SECONDS = 60.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.05


class ChromaServer:
    """This process's use of the server of one folder. Thread-safe.

    Args:
        folder: Chroma's data folder.
        run_dir: the folder of locks, port and log.
    """

    def __init__(self, folder: Path, run_dir: Path) -> None:
        self.folder = folder
        self.run_dir = run_dir
        self._run = RunFolder(run_dir)
        self._users: IO[bytes] | None = None
        self._lock = threading.Lock()

    def ensure(self) -> ServerState:
        """Starts the server if none answers, and registers this process as a user of it.

        Returns:
            The state of the answering server.

        Raises:
            VectorStoreError: it does not start.
        """
        with self._lock, self._usable():
            if self._users is None:
                self._users = self._run.open_lock("users")
                fcntl.flock(self._users, fcntl.LOCK_SH)
            with self._run.locked("start"):
                return self._answering() or self._start()

    def close(self) -> None:
        """Ends this process's use of the server; the last user stops it."""
        with self._lock:
            if self._users is not None:
                self._users.close()
                self._users = None

    def add_deleted(self, chunks: int) -> None:
        """Records the number of deleted chunks; their space is reclaimed when the server stops."""
        with self._usable():
            self._run.add_deleted(chunks)

    def compaction_error(self) -> str:
        """Returns why deleted data is still in Chroma's files; "" if nothing failed."""
        with self._usable():
            return self._run.compaction_error()

    def open_reason(self) -> str:
        """Returns why other users of the machine can reach the server; "" if they cannot, or it has not run yet."""
        return self._run.open_reason()

    def compact(self) -> None:
        """Stops the server and removes deleted data from Chroma's files.

        Raises:
            VectorStoreError: the server does not stop, or the files cannot be changed.
        """
        with self.stopped():
            compact(self.folder, self._run.deleted())
            self._run.forget_deleted()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stops the server for all users, and keeps it stopped for the duration of the block.

        Raises:
            VectorStoreError: it does not stop.
        """
        with self._lock, self._run.locked("start"):
            deadline = time.monotonic() + STOP_SECONDS
            while self._run.is_held("owner"):
                state = self._run.state()
                with suppress(OSError):
                    if state is not None:
                        os.kill(state.supervisor, signal.SIGTERM)
                if time.monotonic() > deadline:
                    raise VectorStoreError(
                        f"The Chroma server of {self.folder} does not stop. Stop all Footnote processes, then retry."
                    )
                time.sleep(POLL_SECONDS)
            yield

    @contextmanager
    def _usable(self) -> Iterator[None]:
        try:
            yield
        except OSError as error:
            raise VectorStoreError(
                f"The folder {self._run.path} cannot be used: {error.strerror}. Check that it is writable and the disk "
                "has space, then try again."
            ) from error

    def _answering(self) -> ServerState | None:
        """Returns the server that owns the folder; waits for one that its supervisor is restarting."""
        deadline = time.monotonic() + STOP_SECONDS
        while self._run.is_held("owner"):
            if state := self._reached():
                return state
            if self._is_busy():
                deadline = time.monotonic() + STOP_SECONDS
            if time.monotonic() > deadline:
                return None
            time.sleep(POLL_SECONDS)
        return None

    def _start(self) -> ServerState:
        with open(self._run.log, "wb", opener=private_opener) as log:
            supervisor = subprocess.Popen(  # noqa: S603 - our own module, paths as arguments
                [sys.executable, "-m", "ingest.vectors.supervisor", str(self.folder), str(self._run.path)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=Path(__file__).resolve().parents[2],
                env=without_keys(),
                start_new_session=True,
            )
        # Waited for in the background, so that an ended supervisor does not remain a zombie of a long-running chat.
        threading.Thread(target=supervisor.wait, name="chroma-supervisor", daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and supervisor.poll() is None:
            if self._run.is_held("owner"):
                if state := self._reached():
                    return state
                if self._is_busy():
                    deadline = time.monotonic() + START_SECONDS
            time.sleep(POLL_SECONDS)
        raise VectorStoreError(
            f"The Chroma server for {self.folder} did not start: {self._run.last_words()} See {self._run.log}; check "
            "that the folder is writable and the disk has space. `footnote doctor` reports what is broken."
        )

    def _reached(self) -> ServerState | None:
        """Returns the state of the server, if it answers."""
        state = self._run.state()
        return state if state and state.port and self._run.answers(state) else None

    def _is_busy(self) -> bool:
        state = self._run.state()
        return state is not None and bool(state.busy) and psutil.pid_exists(state.supervisor)
