"""Runs the local Chroma server until its last user is gone: `python -m ingest.vectors.supervisor FOLDER RUN_FOLDER`.

Chroma writes its vector index (HNSW) in place. A kill in the middle leaves files that make every request for that
collection fail, or the server crash. So after a server did not end by our hand, each collection is asked for its
nearest neighbours once; one that cannot answer is deleted, and whoever uses it next puts it back from the vectors in
the document store. When the last user is gone, the room of what was deleted goes back to the disk.

The server is closed to other users of the machine where the system allows it (`ingest.vectors.network_namespace`).
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
# A server that dies this often in a row, each time within a minute, will not come up by being started again.
MOST_RESTARTS = 5
# A collection of a million chunks takes half a minute to be loaded.
ANSWER_SECONDS = 600.0
# With less room on the disk, a collection that fails may be a whole one that could not be written.
ROOM_BYTES = 64 * 1024 * 1024
# What `chroma run` does, without the second that its command line takes to import. On Linux the kernel ends it with the
# supervisor, whose id comes first: 1 is PR_SET_PDEATHSIG.
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
    """Keeps one server running over one folder.

    Args:
        folder: the folder that Chroma keeps its data in.
        run: where locks, port and log lie.
        isolate: moves this process where no other user reaches its port and the folder can be used, or raises OSError.
    """

    def __init__(self, folder: Path, run: RunFolder, isolate: Callable[[Path], None] = isolate) -> None:
        self._folder = folder
        self._run = run
        self._isolate = isolate
        self._broker: Broker | None = None
        self._broken: set[str] = set()

    def run(self) -> int:
        """Serves until nobody needs the server. Returns the process's exit status."""
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        owner = self._run.open_lock("owner")
        if not self._own(owner):
            print("another process owns the folder and does not let it go")  # noqa: T201 - read from chroma.log
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
        """Closes the server to others before it is started; None, with the reason kept, where that cannot be."""
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
        """One life of the server. Returns whether it was ended because nobody needs it."""
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
            # Who comes now waits for the folder to be free, and is told why.
            self._run.write_state(0, server.pid, busy="stopping")
            fcntl.flock(users, fcntl.LOCK_UN)
            _wait_until_idle(server)
        finally:
            _stop(server)
        self._run.running.unlink(missing_ok=True)
        if deleted := self._run.deleted():
            self._run.write_state(0, server.pid, busy="giving back the room of what was deleted")
            self._give_back_space(deleted)
        self._run.forget_state()
        if self._broker:
            self._broker.close()
        return True

    def _check(self, server: subprocess.Popen[bytes], port: int) -> bool:
        """Deletes the collections that a killed server left unreadable. Returns whether the server is still alive."""
        self._run.write_state(0, server.pid, busy="checking the vectors after the server was killed")
        name, well = "", True
        try:
            for one in _request(port, COLLECTIONS + "?limit=10000"):
                name = str(one["name"])
                broken = name in self._broken or (one.get("dimension") and not _answers(port, one))
                well = well and not broken
                if broken and not _has_ended(server) and self._has_room():
                    print(f"the vectors of {name} were cut off in the middle of a write; deleted, to be made anew")  # noqa: T201
                    _request(port, f"{COLLECTIONS}/{urllib.parse.quote(name)}", "DELETE")
                    self._broken.discard(name)
                if server.poll() is not None:
                    break
        except OSError as error:
            well = False
            print(f"{name or 'the list of collections'} could not be checked: {error}")  # noqa: T201 - the log
        if well or not _has_ended(server):
            return True
        self._broken.add(name)  # to be deleted unread, as soon as the server is up again
        return False

    def _comes_up(self, server: subprocess.Popen[bytes], port: int) -> bool:
        deadline, state = time.monotonic() + START_SECONDS, ServerState(port, server.pid, os.getpid())
        while time.monotonic() < deadline and server.poll() is None:
            if self._run.answers(state):
                return True
            time.sleep(POLL_SECONDS / 10)
        return False

    def _has_room(self) -> bool:
        """Whether the folder can be written at all: where it cannot, what fails to be read may still be whole."""
        with suppress(OSError):
            probe = self._folder / ".writable"
            probe.write_bytes(b"")
            probe.unlink()
            return shutil.disk_usage(self._folder).free > ROOM_BYTES
        return False

    def _give_back_space(self, deleted: int) -> None:
        """Rids Chroma's files of what was deleted; why that failed is kept for the doctor."""
        try:
            if compact(self._folder, deleted):
                self._run.forget_deleted()
        except VectorStoreError as error:
            print(error)  # noqa: T201 - read from chroma.log
            self._run.keep_compaction_error(str(error))

    def _own(self, owner: IO[bytes]) -> bool:
        """Takes the folder; a server whose supervisor was killed is ended first."""
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
        """Where the kernel did not end the server with its supervisor (not Linux), end it by its recorded id."""
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
    """Returns when the server has died, or when nobody uses it (then still holding `users` alone)."""
    while server.poll() is None:
        with suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(POLL_SECONDS)


def _wait_until_idle(server: subprocess.Popen[bytes]) -> None:
    """A user that was killed may have left the server in the middle of a write."""
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
    """Whether the server is dead; one that just crashed is given the time to be."""
    with suppress(subprocess.TimeoutExpired):
        server.wait(CRASH_SECONDS)
    return server.poll() is not None


def _answers(port: int, collection: dict[str, Any]) -> bool:
    """Whether a collection can be searched; what is asked for is of no interest."""
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
