"""The local Chroma server: one process owns the folder, every Footnote process is its client.

Chroma is not safe for two processes on one folder, so a supervisor runs the server and these files, all in the
run folder, say who needs it. Locks are the kernel's (flock): they go with the process that holds them, also
after a kill -9, so a stale file stops nobody.

    chroma.users   each process that uses the server holds it shared; when the supervisor can take it alone,
                   nobody is left, and it stops the server
    chroma.owner   held by the supervisor and, inherited, by the server: whoever holds it owns the folder
    chroma.start   held for as long as a process looks whether a server must be started
    chroma.json    the server's port and process; true only while chroma.owner is held

`python -m ingest.chroma_server FOLDER RUN_FOLDER` is the supervisor.
"""

from __future__ import annotations

import ctypes
import fcntl
import json
import os
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

import psutil

from ingest.errors import VectorStoreError

START_SECONDS = 60.0
STOP_SECONDS = 10.0
POLL_SECONDS = 0.2
# A server that dies this often in a row, each time within a minute, will not come up by being started again.
MOST_RESTARTS = 5
# What `chroma run` does, without the second that its command line takes to import.
SERVE = "import sys, chromadb_rust_bindings as b; b.cli(['chroma', 'run', *sys.argv[1:]])"
PR_SET_PDEATHSIG = 1


class ChromaServer:
    """This process's share in the server of one folder. Thread-safe.

    Args:
        folder: the folder that Chroma keeps its data in.
        run_dir: where locks, port and log lie.
    """

    def __init__(self, folder: Path, run_dir: Path) -> None:
        self._folder = folder
        self._run_dir = run_dir
        self._users: IO[bytes] | None = None
        self._lock = threading.Lock()

    def ensure(self) -> str:
        """Starts the server where none answers; from now on this process counts as one of its users.

        Returns:
            The server's URL.

        Raises:
            VectorStoreError: it does not come up.
        """
        with self._lock:
            if self._users is None:
                self._run_dir.mkdir(parents=True, exist_ok=True)
                self._users = _opened(self._run_dir / "chroma.users")
                fcntl.flock(self._users, fcntl.LOCK_SH)
            with _locked(self._run_dir / "chroma.start"):
                return self._answering() or self._start()

    def close(self) -> None:
        """This process no longer needs the server; the last to go stops it."""
        with self._lock:
            if self._users is not None:
                self._users.close()
                self._users = None

    def _answering(self) -> str | None:
        """URL of the server that owns the folder; waits for one that its supervisor is bringing back."""
        deadline = time.monotonic() + STOP_SECONDS
        while _is_locked(self._run_dir / "chroma.owner"):
            port = _read_port(self._run_dir)
            if port and _heartbeat(port):
                return _url(port)
            if time.monotonic() > deadline:
                return None
            time.sleep(POLL_SECONDS / 4)
        return None

    def _start(self) -> str:
        log_path = self._run_dir / "chroma.log"
        with log_path.open("wb") as log:
            supervisor = subprocess.Popen(  # noqa: S603 - our own module, paths as arguments
                [sys.executable, "-m", "ingest.chroma_server", str(self._folder), str(self._run_dir)],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=Path(__file__).resolve().parents[1],
                start_new_session=True,
            )
        # Reaped in the background, so that an ended supervisor is not left as a zombie of a long-lived chat.
        threading.Thread(target=supervisor.wait, name="chroma-supervisor", daemon=True).start()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and supervisor.poll() is None:
            port = _read_port(self._run_dir)
            if port and _is_locked(self._run_dir / "chroma.owner") and _heartbeat(port):
                return _url(port)
            time.sleep(POLL_SECONDS / 4)
        raise VectorStoreError(
            f"The Chroma server for {self._folder} did not start: {_tail(log_path)} "
            f"See {log_path}; check that the folder is writable and the disk has space, then try again."
        )


def supervise(folder: Path, run_dir: Path) -> int:
    """Runs the server until its last user is gone. Returns the process's exit status."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    run_dir.mkdir(parents=True, exist_ok=True)
    owner = _opened(run_dir / "chroma.owner")
    if not _own(owner, run_dir):
        print("another process owns the folder and does not let it go")  # noqa: T201 - read from chroma.log
        return 1
    (run_dir / "chroma.json").unlink(missing_ok=True)
    users = _opened(run_dir / "chroma.users")
    port, failures = _free_port(), 0
    while failures < MOST_RESTARTS:
        started = time.monotonic()
        server = _serve(folder, port, owner)
        try:
            if _comes_up(server, port):
                _write_state(run_dir, port, server.pid)
                _wait_for_end(server, users)
            if server.poll() is None:
                return 0
        finally:
            _stop(server)
        failures = failures + 1 if time.monotonic() - started < START_SECONDS else 0
        port = port if _is_free(port) else _free_port()
    return 1


def _serve(folder: Path, port: int, owner: IO[bytes]) -> subprocess.Popen[bytes]:
    folder.mkdir(parents=True, exist_ok=True)
    arguments = ["--path", str(folder), "--host", "127.0.0.1", "--port", str(port)]
    return subprocess.Popen(  # noqa: S603 - Chroma's own command line
        [sys.executable, "-c", SERVE, *arguments],
        stdin=subprocess.DEVNULL,
        env={**os.environ, "ANONYMIZED_TELEMETRY": "False", "NO_COLOR": "1"},
        pass_fds=(owner.fileno(),),
        preexec_fn=_die_with_parent,  # noqa: PLW1509 - the supervisor has one thread
    )


def _comes_up(server: subprocess.Popen[bytes], port: int) -> bool:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline and server.poll() is None:
        if _heartbeat(port):
            return True
        time.sleep(POLL_SECONDS / 10)
    return False


def _wait_for_end(server: subprocess.Popen[bytes], users: IO[bytes]) -> None:
    """Returns when the server has died, or when nobody uses it (then still holding `users` alone)."""
    while server.poll() is None:
        with suppress(BlockingIOError):
            fcntl.flock(users, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return
        time.sleep(POLL_SECONDS)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(STOP_SECONDS)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()


def _own(owner: IO[bytes], run_dir: Path) -> bool:
    """Takes the folder; a server whose supervisor was killed is ended first."""
    deadline = time.monotonic() + STOP_SECONDS
    while time.monotonic() < deadline:
        with suppress(BlockingIOError):
            fcntl.flock(owner, fcntl.LOCK_EX | fcntl.LOCK_NB)
            return True
        if time.monotonic() > deadline - STOP_SECONDS / 2:
            _end_orphan(run_dir)
        time.sleep(POLL_SECONDS)
    return False


def _end_orphan(run_dir: Path) -> None:
    """Where the kernel did not end the server with its supervisor (not Linux), end it by its recorded id."""
    with suppress(OSError, ValueError, KeyError, psutil.Error):
        process = psutil.Process(_read_state(run_dir)["server"])
        if "chromadb_rust_bindings" in " ".join(process.cmdline()) and process.ppid() == 1:
            process.kill()


def _die_with_parent() -> None:
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)


def _write_state(run_dir: Path, port: int, server: int) -> None:
    new = run_dir / "chroma.json.new"
    new.write_text(json.dumps({"port": port, "server": server, "supervisor": os.getpid()}))
    new.replace(run_dir / "chroma.json")


def _read_state(run_dir: Path) -> dict[str, int]:
    state: dict[str, int] = json.loads((run_dir / "chroma.json").read_text())
    return state


def _read_port(run_dir: Path) -> int | None:
    with suppress(OSError, ValueError, KeyError):
        return _read_state(run_dir)["port"]
    return None


def _heartbeat(port: int) -> bool:
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    with suppress(OSError), opener.open(f"{_url(port)}/api/v2/heartbeat", timeout=5) as response:
        return bool(response.status == 200)  # noqa: PLR2004 - HTTP OK
    return False


def _url(port: int) -> str:
    return f"http://127.0.0.1:{port}"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            probe.bind(("127.0.0.1", port))
            return True
    return False


def _opened(path: Path) -> IO[bytes]:
    return path.open("ab")


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with _opened(path) as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _is_locked(path: Path) -> bool:
    with _opened(path) as file:
        try:
            fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
        return False


def _tail(log_path: Path) -> str:
    with suppress(OSError):
        lines = [line.strip() for line in log_path.read_text(errors="replace").splitlines() if line.strip()]
        return " / ".join(lines[-3:]) or "it said nothing."
    return "it left no log."


if __name__ == "__main__":
    sys.exit(supervise(Path(sys.argv[1]), Path(sys.argv[2])))
