"""Runs the local Chroma server until its last user ends: `python -m ingest.vectors.supervisor FOLDER RUN_FOLDER`.

Chroma writes its vector index (HNSW) in place. A kill during a write leaves files that make every request for that
collection fail, or crash the server. So after an unclean end, each collection is asked once for its nearest neighbours.
A collection that cannot answer is deleted, and its next user restores it from the vectors in the document store. After
the last user ends, the space of deleted data is reclaimed.

The server is closed to other users of the machine if the system allows it (`ingest.vectors.network_namespace`).
"""

from __future__ import annotations

import fcntl
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

import psutil

from ingest.errors import VectorStoreError
from ingest.host import keep_to_owner, make_private_file, make_private_folder, without_keys
from ingest.vectors.compaction import compact
from ingest.vectors.network_namespace import Broker, isolate
from ingest.vectors.run_folder import RunFolder, ServerState, url_of

START_SECONDS = 60.0
STOP_SECONDS = 10.0
CRASH_SECONDS = 1.0
POLL_SECONDS = 0.2
# After this many consecutive crashes, each within a minute of the start, the server is not restarted again.
MOST_RESTARTS = 5
# Loading a collection of a million chunks takes half a minute.
ANSWER_SECONDS = 600.0
# With less free space, a failing collection may be intact but impossible to write.
ROOM_BYTES = 64 * 1024 * 1024
# Equivalent to `chroma run`, without the second that its command line takes to import. On Linux the kernel kills it
# together with the supervisor, whose id is the first argument: 1 is PR_SET_PDEATHSIG.
SERVE = """
import ctypes, os, signal, sys
parent = int(sys.argv.pop(1))
if sys.platform == "linux":
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
    if os.getppid() != parent:
        sys.exit()
import chromadb_rust_bindings
chromadb_rust_bindings.cli(["chroma", "run", *sys.argv[1:]])
"""
COLLECTIONS = "/api/v2/tenants/default_tenant/databases/default_database/collections"
HTTP_SERVER_ERROR = 500


class Supervisor:
    """Keeps one server running for one folder.

    Args:
        folder: Chroma's data folder.
        run: the run folder with locks, port and log.
        isolate: makes this process's port unreachable for other users and keeps the folder usable, or raises OSError.
    """

    def __init__(self, folder: Path, run: RunFolder, isolate: Callable[[Path], None] = isolate) -> None:
        self._folder = folder
        self._run = run
        self._isolate = isolate
        self._broker: Broker | None = None
        self._broken: set[str] = set()

    def run(self) -> int:
        """Serves until no user is left. Returns the process's exit status."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        owner = self._run.open_lock("owner")
        if not self._own(owner):
            print("another process owns the folder and does not release it")  # noqa: T201 - read from chroma.log
            return 1
        self._run.forget_state()
        users = self._run.open_lock("users")
        self._broker = self._closed()
        failures = 0
        while failures < MOST_RESTARTS:
            started, port = time.monotonic(), _free_port()
            if self._broker:
                self._broker.port = port
            if self._serve(port, owner, users):
                return 0
            failures = failures + 1 if time.monotonic() - started < START_SECONDS else 0
        return 1

    def _closed(self) -> Broker | None:
        """Closes the server to other users before it starts; returns None, after recording the reason, if it cannot."""
        broker = None
        try:
            make_private_folder(self._folder)
            broker = Broker(self._run.path)
            self._isolate(self._folder)
        except OSError as error:
            if broker:
                broker.close()
            self._run.keep_open_reason(error.strerror or str(error))
            return None
        self._run.keep_open_reason("")
        broker.start()
        return broker

    def _serve(self, port: int, owner: IO[bytes], users: IO[bytes]) -> bool:
        """Runs the server once. Returns True if it was stopped because no user was left."""
        was_killed = self._run.running.exists()
        make_private_file(self._run.running)
        server = _start(self._folder, port, owner)
        self._run.write_state(0, server.pid, busy="starting")
        try:
            if self._comes_up(server, port) and (not was_killed or self._check(server, port)):
                self._run.write_state(port, server.pid, closed=self._broker is not None)
                _wait_for_end(server, users)
            if server.poll() is not None:
                return False
            # A new user now waits for the folder to be released, and sees the reason.
            self._run.write_state(0, server.pid, busy="stopping")
            fcntl.flock(users, fcntl.LOCK_UN)
            _wait_until_idle(server)
        finally:
            _stop(server)
        self._run.running.unlink(missing_ok=True)
        if deleted := self._run.deleted():
            self._run.write_state(0, server.pid, busy="reclaiming the space of deleted data")
            self._give_back_space(deleted)
        self._run.forget_state()
        if self._broker:
            self._broker.close()
        return True

    def _check(self, server: subprocess.Popen[bytes], port: int) -> bool:
        """Deletes collections that a killed server left unreadable. Returns True if the server is still alive."""
        self._run.write_state(0, server.pid, busy="checking the vectors after the server was killed")
        name, well = "", True
        try:
            for one in _request(port, COLLECTIONS + "?limit=10000"):
                name = str(one["name"])
                broken = name in self._broken or (one.get("dimension") and not _answers(port, one))
                well = well and not broken
                if broken and not _has_ended(server) and self._has_room():
                    print(f"the vectors of {name} were damaged by an interrupted write; deleted")  # noqa: T201
                    _request(port, f"{COLLECTIONS}/{urllib.parse.quote(name)}", "DELETE")
                    self._broken.discard(name)
                if server.poll() is not None:
                    break
        except OSError as error:
            well = False
            print(f"{name or 'the list of collections'} could not be checked: {error}")  # noqa: T201 - the log
        if well or not _has_ended(server):
            return True
        self._broken.add(name)  # deleted without a check when the server is up again
        return False

    def _comes_up(self, server: subprocess.Popen[bytes], port: int) -> bool:
        deadline, state = time.monotonic() + START_SECONDS, ServerState(port, server.pid, os.getpid())
        while time.monotonic() < deadline and server.poll() is None:
            if self._run.answers(state):
                return True
            time.sleep(POLL_SECONDS / 10)
        return False

    def _has_room(self) -> bool:
        """Returns True if the folder is writable: if it is not, a collection that cannot be read may be intact."""
        with suppress(OSError):
            probe = self._folder / ".writable"
            probe.write_bytes(b"")
            probe.unlink()
            return shutil.disk_usage(self._folder).free > ROOM_BYTES
        return False

    def _give_back_space(self, deleted: int) -> None:
        """Removes deleted data from Chroma's files; records a failure for the doctor."""
        try:
            if compact(self._folder, deleted):
                self._run.forget_deleted()
        except VectorStoreError as error:
            print(error)  # noqa: T201 - read from chroma.log
            self._run.keep_compaction_error(str(error))

    def _own(self, owner: IO[bytes]) -> bool:
        """Locks the folder; first ends a server whose supervisor was killed."""
        deadline = time.monotonic() + STOP_SECONDS
        while time.monotonic() < deadline:
            with suppress(BlockingIOError):
                fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
                return True
            if time.monotonic() > deadline - STOP_SECONDS / 2:
                self._end_orphan()
            time.sleep(POLL_SECONDS)
        return False

    def _end_orphan(self) -> None:
        """Ends an orphaned server by its recorded id where the kernel does not (not Linux)."""
        state = self._run.state()
        if state is None:
            return
        with suppress(psutil.Error):
            process = psutil.Process(state.server)
            if "chromadb_rust_bindings" in " ".join(process.cmdline()) and process.ppid() == 1:
                process.kill()


def _start(folder: Path, port: int, owner: IO[bytes]) -> subprocess.Popen[bytes]:
    make_private_folder(folder)
    arguments = ["--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    return subprocess.Popen(  # noqa: S603 - Chroma's own command line
        [sys.executable, "-c", SERVE, str(os.getpid()), *arguments],
        stdin=subprocess.DEVNULL,
        env=without_keys(ANONYMIZED_TELEMETRY="False", NO_COLOR="1"),
        pass_fds=(owner.fileno(),),
    )


def _wait_for_end(server: subprocess.Popen[bytes], users: IO[bytes]) -> None:
    """Returns when the server has died, or when no user is left (then still holding `users` exclusively)."""
    while server.poll() is None:
        with suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(POLL_SECONDS)


def _wait_until_idle(server: subprocess.Popen[bytes]) -> None:
    """Waits while the server is busy: a killed user may have left it in the middle of a write."""
    with suppress(psutil.Error):
        process = psutil.Process(server.pid)
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and process.cpu_percent(POLL_SECONDS) > 5.0:  # noqa: PLR2004 - percent
            pass


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _has_ended(server: subprocess.Popen[bytes]) -> bool:
    """Returns True if the server is dead, after giving a crashing one time to end."""
    with suppress(subprocess.TimeoutExpired):
        server.wait(CRASH_SECONDS)
    return server.poll() is not None


def _answers(port: int, collection: dict[str, Any]) -> bool:
    """Returns True if a collection can be searched; the results do not matter."""
    body = {"query_embeddings": [[1.0] * int(collection["dimension"])], "n_results": 1, "include": []}
    try:
        _request(port, f"{COLLECTIONS}/{collection['id']}/query", "POST", body)
    except urllib.error.HTTPError as error:
        return error.code < HTTP_SERVER_ERROR
    except OSError:
        return False
    return True


def _request(port: int, path: str, method: str = "GET", body: object = None) -> Any:
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - our own server
        url_of(port) + path, data, {"Content-Type": "application/json"}, method=method
    )
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with opener.open(request, timeout=ANSWER_SECONDS) as response:
        return json.loads(response.read() or b"null")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


if __name__ == "__main__":
    keep_to_owner()
    sys.exit(Supervisor(Path(sys.argv[1]), RunFolder(Path(sys.argv[2]))).run())
