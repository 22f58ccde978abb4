"""This process's share in the local Chroma server: started by who needs it first, gone with its last user.

Chroma is not safe for two processes on one folder, so `ingest.vectors.supervisor` runs one server for all of them;
`ingest.vectors.run_folder` says how they find each other.
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
    """This process's share in the server of one folder. Thread-safe.

    Args:
        folder: the folder that Chroma keeps its data in.
        run_dir: where locks, port and log lie.
    """

    def __init__(self, folder: Path, run_dir: Path) -> None:
        self.folder = folder
        self.run_dir = run_dir
        self._run = RunFolder(run_dir)
        self._users: IO[bytes] | None = None
        self._lock = threading.Lock()

    def ensure(self) -> ServerState:
        """Starts the server where none answers; from now on this process counts as one of its users.

        Returns:
            The server, which answers.

        Raises:
            VectorStoreError: it does not come up.
        """
        with self._lock, self._usable():
            if self._users is None:
                self._users = self._run.open_lock("users")
                fcntl.flock(self._users, fcntl.LOCK_SH)
            with self._run.locked("start"):
                return self._answering() or self._start()

    def close(self) -> None:
        """This process no longer needs the server; the last to go stops it."""
        with self._lock:
            if self._users is not None:
                self._users.close()
                self._users = None

    def add_deleted(self, chunks: int) -> None:
        """Remembers that so many chunks were deleted; their room is given back when the server stops."""
        with self._usable():
            self._run.add_deleted(chunks)

    def compaction_error(self) -> str:
        """Why what was deleted is still in Chroma's files; "" where nothing failed."""
        with self._usable():
            return self._run.compaction_error()

    def open_reason(self) -> str:
        """Why other users of the machine reach the server; "" where they do not, or it has not run yet."""
        return self._run.open_reason()

    def compact(self) -> None:
        """Stops the server and rids Chroma's files of what was deleted.

        Raises:
            VectorStoreError: the server does not end, or the files cannot be changed.
        """
        with self.stopped():
            compact(self.folder, self._run.deleted())
            self._run.forget_deleted()

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Ends the server for all its users, and keeps it from being started for the length of the block.

        Raises:
            VectorStoreError: it does not end.
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
                        f"The Chroma server of {self.folder} does not end. Stop all Footnote processes, then try again."
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
        """The server that owns the folder; waits for one that its supervisor is bringing back."""
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
        # Reaped in the background, so that an ended supervisor is not left as a zombie of a long-lived chat.
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
            "that the folder is writable and the disk has space. `footnote doctor` says what is broken."
        )

    def _reached(self) -> ServerState | None:
        """The server, where it answers."""
        state = self._run.state()
        return state if state and state.port and self._run.answers(state) else None

    def _is_busy(self) -> bool:
        state = self._run.state()
        return state is not None and bool(state.busy) and psutil.pid_exists(state.supervisor)
