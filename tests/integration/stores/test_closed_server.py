"""Tests that only its owner can reach the local Chroma server."""

from __future__ import annotations

import ctypes
import http.client
import json
import os
import resource
import signal
import socket
import subprocess
import sys
import sysconfig
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from pathlib import Path

import chromadb
import pytest
from durability import ended, quick, state

from ingest.errors import VectorStoreError
from ingest.vectors.client import Chroma
from ingest.vectors.network_namespace import SOCKET, handed_out, isolate
from ingest.vectors.server import ChromaServer

NOBODY = 65534
# Any other one: in a user namespace, those who are not known there look like nobody.
SOMEBODY = 54321
ROOT = Path(__file__).resolve().parents[3]
CAP_SYS_ADMIN, PR_SET_DUMPABLE, PR_CAPBSET_DROP = 21, 4, 24  # of Linux: capability.h and prctl.h
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
# Writes, deletes and compacts; says what it saw; keeps the server until its input ends.
USER = """
import json, sys
from pathlib import Path
from ingest.vectors.client import Chroma
from ingest.vectors.server import ChromaServer
from ingest.host.private_files import keep_to_owner

keep_to_owner()
data = Path(sys.argv[1])
chroma = Chroma(ChromaServer(data / "chroma", data / "run"))
ids = [str(n) for n in range(200)]
collection = chroma.client().create_collection("apples")
collection.add(ids, embeddings=[[float(n), 1.0] for n in range(200)], documents=["red"] * 200)
collection.delete(ids[:100])
chroma.add_deleted(100)
chroma.compact()
left = chroma.client().get_collection("apples").count()
state = json.loads((data / "run" / "chroma.json").read_text())
print(json.dumps([left, chroma.compaction_error(), state["closed"], chroma.open_reason()]), flush=True)
sys.stdin.read()
chroma.close()
"""


@pytest.fixture
def filled(settings, write):
    with quick(settings) as footnote:
        footnote.ingest([write("a.txt", "Apples are red.")])
        yield footnote


def outcome(attempt, *, user: int = NOBODY) -> str:
    """Runs an attempt as another user. Returns its result, or the name of its error."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            ctypes.CDLL(None).prctl(PR_SET_DUMPABLE, 1)  # lost with the user; a program that he starts has it
            said = str(attempt())
        except BaseException as error:  # noqa: BLE001 - reported to the test
            said = type(error).__name__
        os.write(writing, said.encode())
        os._exit(0)
    os.close(writing)
    os.waitpid(child, 0)
    with open(reading, encoding="utf-8") as file:
        return file.read()


def asked(connection: socket.socket, method: str, path: str, host: str = "127.0.0.1") -> int:
    """The status of an answer over a connection."""
    request = http.client.HTTPConnection(host)
    request.sock = connection
    request.request(method, path, headers={"Host": host})
    return request.getresponse().status


def test_nothing_listens_outside_of_the_servers_own_network(filled, settings):
    here = state(settings)
    assert here["closed"]
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", here["port"]), 5)
    with handed_out(settings.data_dir / "run") as connection:
        assert asked(connection, "GET", "/api/v2/heartbeat") == 200
    listening = "".join(Path("/proc/net", name).read_text() for name in ("tcp", "tcp6"))
    assert f":{here['port']:04X} " not in listening


def test_socket_and_state_are_the_owners_alone(filled, settings):
    run = settings.data_dir / "run"
    assert {name: (run / name).stat().st_mode & 0o777 for name in (SOCKET, "chroma.json")} == {
        SOCKET: 0o600,
        "chroma.json": 0o600,
    }


@needs_root
def test_another_user_neither_lists_nor_reads_nor_creates_nor_deletes(filled, settings):
    run, port = settings.data_dir / "run", state(settings)["port"]
    assert outcome(lambda: handed_out(run)) == "PermissionError"
    # Not even where the folders above were opened by hand.
    for folder in (settings.data_dir, run):
        folder.chmod(0o755)
    for above in settings.data_dir.parents:
        if above.stat().st_uid == 0 and len(above.parts) > 2:
            above.chmod(above.stat().st_mode | 0o755)
    assert outcome(lambda: sorted(os.listdir(run))) != "PermissionError"
    assert outcome(lambda: handed_out(run)) == "PermissionError"
    (run / SOCKET).chmod(0o666)  # the server's owner is asked for, whatever the modes
    assert outcome(lambda: handed_out(run)) == "PermissionError"
    for method in ("GET", "POST", "DELETE"):
        attempt = lambda method=method: asked(socket.create_connection(("127.0.0.1", port)), method, "/api/v2/version")  # noqa: E731
        assert outcome(attempt) == "ConnectionRefusedError"
    assert filled.search("apples", 1)


def network() -> int:
    """The network namespace that a process is in."""
    return os.stat("/proc/self/ns/net").st_ino


def isolated() -> tuple[bool, int]:
    """Isolates a process. Returns whether its network is its own and reaches itself, and its user."""
    before = network()
    with tempfile.TemporaryDirectory() as folder:
        isolate(Path(folder))
    with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), 5):
        return network() != before, os.geteuid()


@needs_root
def test_an_unprivileged_user_gets_a_private_network_if_the_system_allows_it():
    before = network()
    assert outcome(isolated) in {f"(True, {NOBODY})", "PermissionError", "OSError"}
    assert network() == before


@needs_root
def test_root_gets_a_network_of_its_own():
    assert outcome(isolated, user=0) == "(True, 0)"


@pytest.fixture
def somebodys() -> Iterator[Path]:
    """A data folder of another user."""
    with tempfile.TemporaryDirectory() as folder:
        os.chown(folder, SOMEBODY, SOMEBODY)
        yield Path(folder)


def plain_python() -> str:
    """A Python that another user may run with the installed packages; skips the test where there is none."""
    if outcome(lambda: os.access(chromadb.__file__, os.R_OK) and os.access(ROOT / "ingest", os.X_OK)) != "True":
        pytest.skip("another user may not read the packages")
    for path in (sys.executable, f"/usr/bin/python3.{sys.version_info.minor}"):
        if outcome(lambda path=path: os.access(path, os.X_OK)) == "True":
            return path
    pytest.skip("another user may not run this Python")


def using(python: str, folder: Path, **how) -> subprocess.Popen[str]:
    """A process that uses the server of a folder."""
    packages = os.pathsep.join([str(ROOT), sysconfig.get_path("purelib"), sysconfig.get_path("platlib")])
    return subprocess.Popen(
        [python, "-c", USER, str(folder)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
        cwd="/",
        env=os.environ | {"PYTHONPATH": packages},
        **how,
    )


@pytest.mark.slow
@needs_root
def test_an_unprivileged_users_server_is_closed_and_its_files_belong_to_the_user(somebodys):
    closed = outcome(isolated, user=SOMEBODY) == f"(True, {SOMEBODY})"
    with using(plain_python(), somebodys, user=SOMEBODY, group=SOMEBODY, extra_groups=[]) as process:
        left, error, is_closed, why = json.loads(process.stdout.readline())
        assert (left, error, is_closed, bool(why)) == (100, "", closed, not closed)
        assert {(one.stat().st_uid, one.stat().st_gid) for one in somebodys.rglob("*")} == {(SOMEBODY, SOMEBODY)}
        if closed:
            with pytest.raises(PermissionError):
                handed_out(somebodys / "run")
            for path in (somebodys, somebodys / "run", somebodys / "run" / SOCKET):
                path.chmod(0o777)
            assert outcome(lambda: handed_out(somebodys / "run")) == "PermissionError"
            assert "socket" in outcome(lambda: handed_out(somebodys / "run"), user=SOMEBODY)
            with (
                closing(Chroma(ChromaServer(somebodys / "chroma", somebodys / "run"))) as chroma,
                pytest.raises(VectorStoreError, match="belongs to another user"),
            ):
                chroma.collections()
        process.stdin.close()
        assert process.wait(30) == 0


@pytest.mark.slow
@needs_root
def test_root_without_capabilities_still_works_in_another_users_folder(somebodys):
    drop = lambda: ctypes.CDLL(None).prctl(PR_CAPBSET_DROP, CAP_SYS_ADMIN)  # noqa: E731
    with using(sys.executable, somebodys, preexec_fn=drop) as process:
        assert json.loads(process.stdout.readline()) == [100, "", False, "Permission denied"]
        process.stdin.close()
        assert process.wait(30) == 0


def test_a_supervisor_that_could_open_no_file_hands_out_connections_again(filled, settings):
    run, supervisor = settings.data_dir / "run", state(settings)["supervisor"]
    before = resource.prlimit(supervisor, resource.RLIMIT_NOFILE)
    resource.prlimit(supervisor, resource.RLIMIT_NOFILE, (3, before[1]))
    with pytest.raises(ConnectionRefusedError):  # accept() has its first descriptor already
        handed_out(run)
    with ThreadPoolExecutor() as pool:
        waiting = pool.submit(handed_out, run)
        with pytest.raises(TimeoutError):
            waiting.result(0.5)
        resource.prlimit(supervisor, resource.RLIMIT_NOFILE, before)
        waiting.result().close()
    assert filled.search("apples", 1)


def test_a_long_path_works(tmp_path):
    deep = tmp_path / ("deep" * 20) / ("deeper" * 20)
    chroma = Chroma(ChromaServer(deep / "chroma", deep / "run"))
    try:
        assert chroma.collections() == []
        assert state_of(deep)["closed"]
    finally:
        chroma.close()


def test_leftovers_of_a_killed_supervisor_do_no_harm(filled, settings):
    supervisor = state(settings)["supervisor"]
    os.kill(supervisor, signal.SIGKILL)
    assert ended(supervisor)
    assert (settings.data_dir / "run" / SOCKET).exists()
    assert filled.search("apples", 1)
    assert state(settings)["supervisor"] != supervisor


def test_a_request_times_out_if_no_connection_is_handed_out(filled, settings):
    supervisor = state(settings)["supervisor"]
    os.kill(supervisor, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            handed_out(settings.data_dir / "run", within=0.5)
    finally:
        os.kill(supervisor, signal.SIGCONT)
    assert filled.search("apples", 1)


def test_a_slow_client_does_not_block_others(filled, settings):
    path = settings.data_dir / "run" / SOCKET
    with ExitStack() as stack:
        for _ in range(20):  # connected, and never reading
            asker = stack.enter_context(socket.socket(socket.AF_UNIX))
            asker.connect(str(path))
        assert filled.search("apples", 1)


@needs_root
def test_isolation_is_refused_if_the_folder_would_be_out_of_reach(tmp_path):
    (tmp_path / "chroma").mkdir(mode=0o700)
    assert outcome(lambda: isolate(tmp_path / "chroma")) == "PermissionError"


def state_of(folder):
    return json.loads((folder / "run" / "chroma.json").read_text())
