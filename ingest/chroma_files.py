"""What the processes around the local Chroma server tell each other: files of the run folder.

Locks are the kernel's (flock): they go with the process that holds them, also after a kill -9, so a stale file stops
nobody.

    chroma.users    each process that uses the server holds it shared; when the supervisor can take it alone,
                    nobody is left, and it stops the server
    chroma.owner    held by the supervisor and, inherited, by the server: whoever holds it owns the folder
    chroma.start    held for as long as a process looks whether a server must be started
    chroma.json     the server's port and process; true only while chroma.owner is held
    chroma.running  there while a server runs; one left behind says that a server was killed
    chroma.deleted  how many chunks were deleted since Chroma's files were last rid of what is deleted; a number a line
    chroma.error    why Chroma's files could not be rid of it; there until that succeeds
"""

from __future__ import annotations

import fcntl
import json
import os
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO

from ingest.private import make_folder, opener, write_text

HTTP_OK = 200


@dataclass(frozen=True, slots=True)
class ServerState:
    """The local server as its supervisor describes it.

    `busy` says what keeps it from answering although it is alive ("" when it answers).
    """

    port: int
    server: int
    supervisor: int
    busy: str = ""


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

    def open_lock(self, name: str) -> IO[bytes]:
        """The lock file chroma.`name`, open and not locked."""
        make_folder(self.path)
        return open(self.path / f"chroma.{name}", "ab", opener=opener)

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

    def write_state(self, port: int, server: int, busy: str = "") -> None:
        """Says where the server is, or what it is busy with."""
        new = self._state.with_suffix(".new")
        write_text(new, json.dumps(asdict(ServerState(port, server, os.getpid(), busy))))
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
        with open(self._deleted, "a", opener=opener) as file:
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
        write_text(self._compaction_error, why)

    def compaction_error(self) -> str:
        """Why what was deleted is still in Chroma's files; "" where nothing failed."""
        with suppress(FileNotFoundError):
            return self._compaction_error.read_text(encoding="utf-8")
        return ""

    def last_words(self) -> str:
        """The end of the server's log, on one line."""
        with suppress(OSError):
            lines = [line.strip() for line in self.log.read_text(errors="replace").splitlines() if line.strip()]
            return " / ".join(lines[-3:]) or "it said nothing."
        return "it left no log."


def url_of(port: int) -> str:
    """Address of the server at a port."""
    return f"http://127.0.0.1:{port}"


def heartbeat(port: int) -> bool:
    """Whether a Chroma server answers at a port."""
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(OSError), opener.open(f"{url_of(port)}/api/v2/heartbeat", timeout=5) as response:
        return bool(response.status == HTTP_OK)
    return False
