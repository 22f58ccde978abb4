"""Coordinates the processes around the local Chroma server through files in the run folder.

Locks are kernel locks (flock): they are released when their process ends, even after kill -9, so that stale files
never block anyone.

    chroma.users    held shared by each process that uses the server; when the supervisor can lock it exclusively,
                    no user is left, and it stops the server
    chroma.owner    held by the supervisor and, inherited, by the server: its holder owns the folder
    chroma.start    held by a process while it checks if a server must be started
    chroma.json     the server's port and process; valid only while chroma.owner is held
    chroma.sock     socket where the supervisor hands out connections to a server that is closed to others
    chroma.open     reason why other users of the machine can reach the server; exists only while they can
    chroma.running  exists while a server runs; a leftover one shows that a server was killed
    chroma.deleted  numbers of chunks deleted since Chroma's files were last compacted, one per line
    chroma.error    reason why compaction failed; exists until it succeeds
"""

from __future__ import annotations

import fcntl
import http.client
import json
import os
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from ingest.host import make_private_folder, private_opener, write_private_text
from ingest.vectors.network_namespace import handed_out

HTTP_OK = 200
HEARTBEAT = "/api/v2/heartbeat"
HEARTBEAT_SECONDS = 5.0


@dataclass(frozen=True, slots=True)
class ServerState:
    """The local server's state as published by its supervisor.

    `busy` is the task that keeps a live server from answering ("" if it answers). A `closed` server listens in the
    supervisor's network namespace, and connections to it are handed out (`ingest.vectors.network_namespace`).
    """

    port: int
    server: int
    supervisor: int
    busy: str = ""
    closed: bool = False

    @property
    def url(self) -> str:
        """Returns the address of the server; for a closed one, inside its namespace."""
        return url_of(self.port)


class RunFolder:
    """The files of one run folder.

    Args:
        path: the folder; created when a lock in it is opened.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.log = path / "chroma.log"
        self.running = path / "chroma.running"
        self._state = path / "chroma.json"
        self._deleted = path / "chroma.deleted"
        self._compaction_error = path / "chroma.error"
        self._open = path / "chroma.open"

    def open_lock(self, name: str) -> IO[bytes]:
        """Opens the lock file chroma.`name` without locking it."""
        make_private_folder(self.path)
        return open(self.path / f"chroma.{name}", "ab", opener=private_opener)

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Holds chroma.`name` exclusively, waiting for it."""
        with self.open_lock(name) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def is_held(self, name: str) -> bool:
        """Returns True if another process holds chroma.`name` exclusively."""
        with self.open_lock(name) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    def write_state(self, port: int, server: int, busy: str = "", *, closed: bool = False) -> None:
        """Publishes the server's port and process, or its current task."""
        new = self._state.with_suffix(".new")
        write_private_text(new, json.dumps(asdict(ServerState(port, server, os.getpid(), busy, closed))))
        new.replace(self._state)

    def state(self) -> ServerState | None:
        """Returns the published state of the server, if there is one."""
        with suppress(OSError, ValueError, TypeError):
            return ServerState(**json.loads(self._state.read_text()))
        return None

    def forget_state(self) -> None:
        """Deletes the state when the server has ended."""
        self._state.unlink(missing_ok=True)

    def add_deleted(self, chunks: int) -> None:
        """Records the number of deleted chunks."""
        with open(self._deleted, "a", opener=private_opener) as file:
            file.write(f"{chunks}\n")

    def deleted(self) -> int:
        """Returns the number of chunks deleted since `forget_deleted`."""
        with suppress(OSError):
            return sum(int(line) for line in self._deleted.read_text().split() if line.isdecimal())
        return 0

    def forget_deleted(self) -> None:
        """Resets the count of deleted chunks after compaction."""
        self._deleted.unlink(missing_ok=True)
        self._compaction_error.unlink(missing_ok=True)

    def keep_compaction_error(self, why: str) -> None:
        """Records why deleted data could not be removed from Chroma's files."""
        write_private_text(self._compaction_error, why)

    def compaction_error(self) -> str:
        """Returns why deleted data is still in Chroma's files; "" if nothing failed."""
        with suppress(FileNotFoundError):
            return self._compaction_error.read_text(encoding="utf-8")
        return ""

    def keep_open_reason(self, why: str) -> None:
        """Records why other users of the machine can reach the server; "" if they cannot."""
        if why:
            write_private_text(self._open, why)
        else:
            self._open.unlink(missing_ok=True)

    def open_reason(self) -> str:
        """Returns why other users of the machine can reach the server; "" if they cannot, or it has not run yet."""
        with suppress(OSError):
            if self._open.exists():
                return self._open.read_text(encoding="utf-8")
            state = self.state()
            if state and state.port and not state.closed and self.is_held("owner"):
                return "an earlier version of Footnote started it; stop all Footnote processes to close it"
        return ""

    def answers(self, state: ServerState) -> bool:
        """Returns True if the server of a state answers.

        Raises:
            PermissionError: it belongs to another user.
        """
        try:
            connection = http.client.HTTPConnection("127.0.0.1", state.port, timeout=HEARTBEAT_SECONDS)
            with closing(connection):
                if state.closed:
                    connection.sock = handed_out(self.path, HEARTBEAT_SECONDS)
                connection.request("GET", HEARTBEAT)
                return connection.getresponse().status == HTTP_OK
        except PermissionError:
            raise
        except (OSError, http.client.HTTPException):
            return False

    def last_words(self) -> str:
        """Returns the last lines of the server's log, joined into one."""
        with suppress(OSError):
            lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
            return " / ".join(lines[-3:]) or "its log is empty."
        return "there is no log."


def url_of(port: int) -> str:
    """Returns the address of the server at a port."""
    return f"http://127.0.0.1:{port}"
