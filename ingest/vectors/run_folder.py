"""What the processes around the local Chroma server tell each other: files of the run folder.

Locks are the kernel's (flock): they go with the process that holds them, also after a kill -9, so a stale file stops
nobody.

    chroma.users    each process that uses the server holds it shared; when the supervisor can take it alone,
                    nobody is left, and it stops the server
    chroma.owner    held by the supervisor and, inherited, by the server: whoever holds it owns the folder
    chroma.start    held for as long as a process looks whether a server must be started
    chroma.json     the server's port and process; true only while chroma.owner is held
    chroma.sock     where the supervisor hands out connections to a server that is closed to others
    chroma.open     why the server is open to other users of the machine; there while it is
    chroma.running  there while a server runs; one left behind says that a server was killed
    chroma.deleted  how many chunks were deleted since Chroma's files were last rid of what is deleted; a number a line
    chroma.error    why Chroma's files could not be rid of it; there until that succeeds
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
    """The local server as its supervisor describes it.

    `busy` says what keeps it from answering although it is alive ("" when it answers). A `closed` one listens in a
    network namespace of the supervisor's, which hands out connections to it (`ingest.vectors.network_namespace`).
    """

    port: int
    server: int
    supervisor: int
    busy: str = ""
    closed: bool = False

    @property
    def url(self) -> str:
        """Address of the server; of a closed one, inside its namespace."""
        return url_of(self.port)


class RunFolder:
    """The files of one run folder.

    Args:
        path: the folder; made by whoever opens a lock in it.
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
        """The lock file chroma.`name`, open and not locked."""
        make_private_folder(self.path)
        return open(self.path / f"chroma.{name}", "ab", opener=private_opener)

    @contextmanager
    def locked(self, name: str) -> Iterator[None]:
        """Holds chroma.`name` alone; waits for it."""
        with self.open_lock(name) as file:
            fcntl.flock(file, fcntl.LOCK_EX)
            yield

    def is_held(self, name: str) -> bool:
        """Whether another process holds chroma.`name` alone."""
        with self.open_lock(name) as file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            return False

    def write_state(self, port: int, server: int, busy: str = "", *, closed: bool = False) -> None:
        """Says where the server is, or what it is busy with."""
        new = self._state.with_suffix(".new")
        write_private_text(new, json.dumps(asdict(ServerState(port, server, os.getpid(), busy, closed))))
        new.replace(self._state)

    def state(self) -> ServerState | None:
        """Where the server is, if that is known."""
        with suppress(OSError, ValueError, TypeError):
            return ServerState(**json.loads(self._state.read_text()))
        return None

    def forget_state(self) -> None:
        """There is no server any more."""
        self._state.unlink(missing_ok=True)

    def add_deleted(self, chunks: int) -> None:
        """Remembers that so many chunks were deleted."""
        with open(self._deleted, "a", opener=private_opener) as file:
            file.write(f"{chunks}\n")

    def deleted(self) -> int:
        """How many chunks were deleted since `forget_deleted`."""
        with suppress(OSError):
            return sum(int(line) for line in self._deleted.read_text().split() if line.isdecimal())
        return 0

    def forget_deleted(self) -> None:
        """What was deleted takes no room any more."""
        self._deleted.unlink(missing_ok=True)
        self._compaction_error.unlink(missing_ok=True)

    def keep_compaction_error(self, why: str) -> None:
        """Remembers why what was deleted could not be removed from Chroma's files."""
        write_private_text(self._compaction_error, why)

    def compaction_error(self) -> str:
        """Why what was deleted is still in Chroma's files; "" where nothing failed."""
        with suppress(FileNotFoundError):
            return self._compaction_error.read_text(encoding="utf-8")
        return ""

    def keep_open_reason(self, why: str) -> None:
        """Remembers why other users of the machine reach the server; "" where they do not."""
        if why:
            write_private_text(self._open, why)
        else:
            self._open.unlink(missing_ok=True)

    def open_reason(self) -> str:
        """Why other users of the machine reach the server; "" where they do not, or it has not run yet."""
        with suppress(OSError):
            if self._open.exists():
                return self._open.read_text(encoding="utf-8")
            state = self.state()
            if state and state.port and not state.closed and self.is_held("owner"):
                return "an earlier version of Footnote started it; stop all Footnote processes to close it"
        return ""

    def answers(self, state: ServerState) -> bool:
        """Whether the server of a state answers.

        Raises:
            PermissionError: it is another user's.
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
        """The end of the server's log, on one line."""
        with suppress(OSError):
            lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
            return " / ".join(lines[-3:]) or "it said nothing."
        return "it left no log."


def url_of(port: int) -> str:
    """Address of the server at a port."""
    return f"http://127.0.0.1:{port}"
