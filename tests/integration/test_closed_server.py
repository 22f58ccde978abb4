"""The local Chroma server: nobody but its owner reaches it, and where that cannot be, it is said."""

from __future__ import annotations

import fcntl
import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from contextlib import ExitStack
from pathlib import Path

import pytest
from durability import ended, quick, state

from app.bootstrap import Footnote
from ingest import chroma_network
from ingest.chroma_client import Chroma
from ingest.chroma_network import SOCKET, handed_out, isolate
from ingest.chroma_server import ChromaServer
from ingest.doctor import examine, server_facts

ROOT = Path(__file__).resolve().parents[2]
NOBODY = 65534
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can act as another user")
OPEN_SUPERVISOR = """
import sys
from pathlib import Path
from ingest.chroma_files import RunFolder
from ingest.chroma_supervisor import Supervisor

def refuse(folder):
    raise PermissionError(1, "Operation not permitted")

sys.exit(Supervisor(Path(sys.argv[1]), RunFolder(Path(sys.argv[2])), refuse).run())
"""


@pytest.fixture
def filled(settings, write):
    with quick(settings) as footnote:
        footnote.ingest([write("a.txt", "Apples are red.")])
        yield footnote


def outcome(attempt, *, user: int = NOBODY) -> str:
    """What another user's process gets from an attempt: its result, or the name of its error."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        try:
            os.setgroups([])
            os.setgid(user)
            os.setuid(user)
            said = str(attempt())
        except BaseException as error:  # noqa: BLE001 - told to the test
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
    for method in ("GET", "POST", "DELETE"):
        attempt = lambda method=method: asked(socket.create_connection(("127.0.0.1", port)), method, "/api/v2/version")  # noqa: E731
        assert outcome(attempt) == "ConnectionRefusedError"
    assert filled.search("apples", 1)


@needs_root
def test_a_plain_user_gets_a_network_of_his_own_where_the_system_gives_one():
    def attempt():
        isolate(Path("/proc"))
        with socket.create_server(("127.0.0.1", 0)) as server, socket.create_connection(server.getsockname(), 5):
            return [name for _, name in socket.if_nameindex()], os.geteuid()

    assert outcome(attempt) in {f"(['lo'], {NOBODY})", "PermissionError"}
    assert len(socket.if_nameindex()) >= 1


def test_a_long_path_is_no_obstacle(tmp_path):
    deep = tmp_path / ("deep" * 20) / ("deeper" * 20)
    chroma = Chroma(ChromaServer(deep / "chroma", deep / "run"))
    try:
        assert chroma.collections() == []
        assert state_of(deep)["closed"]
    finally:
        chroma.close()


def test_what_a_killed_supervisor_left_disturbs_nobody(filled, settings):
    supervisor = state(settings)["supervisor"]
    os.kill(supervisor, signal.SIGKILL)
    assert ended(supervisor)
    assert (settings.data_dir / "run" / SOCKET).exists()
    assert filled.search("apples", 1)
    assert state(settings)["supervisor"] != supervisor


def test_two_processes_use_one_server(filled, settings):
    script = f"""
from pathlib import Path
from ingest.chroma_client import Chroma
from ingest.chroma_server import ChromaServer
run = Path({str(settings.data_dir)!r})
chroma = Chroma(ChromaServer(run / "chroma", run / "run"))
print(len(chroma.collections()), flush=True)
"""
    before = state(settings)["server"]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "1\n"
    assert state(settings)["server"] == before
    assert examine(settings).problems == ()


def test_without_a_network_of_its_own_the_server_works_and_the_doctor_says_who_reaches_it(settings, write):
    folder, run = settings.data_dir / "chroma", settings.data_dir / "run"
    assert server_facts(settings) == ()
    run.mkdir(parents=True)
    users = open(run / "chroma.users", "ab")  # noqa: SIM115 - held until the end
    fcntl.flock(users, fcntl.LOCK_SH)
    supervisor = subprocess.Popen([sys.executable, "-c", OPEN_SUPERVISOR, str(folder), str(run)])
    try:
        deadline = time.monotonic() + 60
        while not (run / "chroma.open").exists() and time.monotonic() < deadline:
            time.sleep(0.05)
        with quick(settings) as footnote:
            footnote.ingest([write("a.txt", "Apples are red.")])
            assert footnote.search("apples", 1)
            here = state(settings)
            assert (here["closed"], here["supervisor"]) == (False, supervisor.pid)
            with socket.create_connection(("127.0.0.1", here["port"]), 5) as connection:
                assert asked(connection, "GET", "/api/v2/heartbeat") == 200
            assert not (run / SOCKET).exists()
        (said,) = server_facts(settings)
        assert "every user of this machine" in said
        assert "Operation not permitted" in said
    finally:
        users.close()
        supervisor.wait(30)
    with Footnote(settings) as footnote:  # where the system allows it again
        assert footnote.chroma.collections()
        assert server_facts(settings) == ()


def test_a_request_ends_where_nobody_hands_out_connections(filled, settings, monkeypatch):
    monkeypatch.setattr(chroma_network, "HAND_OUT_SECONDS", 0.5)
    supervisor = state(settings)["supervisor"]
    os.kill(supervisor, signal.SIGSTOP)
    try:
        with pytest.raises(TimeoutError):
            handed_out(settings.data_dir / "run")
    finally:
        os.kill(supervisor, signal.SIGCONT)
    assert filled.search("apples", 1)


def test_a_slow_asker_keeps_nobody_waiting(filled, settings):
    path = settings.data_dir / "run" / SOCKET
    with ExitStack() as stack:
        for _ in range(20):  # connected, and never reading
            asker = stack.enter_context(socket.socket(socket.AF_UNIX))
            asker.connect(str(path))
        assert filled.search("apples", 1)


@needs_root
def test_a_folder_that_would_be_out_of_reach_is_left_to_an_open_server(tmp_path):
    (tmp_path / "chroma").mkdir(mode=0o700)
    assert outcome(lambda: isolate(tmp_path / "chroma")) == "PermissionError"


def test_the_env_file_of_the_folder_it_is_run_in_has_no_say_in_chromadb(settings, write, tmp_path):
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    (cwd / ".env").write_bytes(
        b"chroma_otel_collection_endpoint=http://127.0.0.1:9\nchroma_otel_granularity=all\n# \xff\n"
        b"chroma_client_auth_provider=chromadb.auth.basic_authn.BasicAuthClientProvider\n"
        b"chroma_client_auth_credentials=me:secret\n"
    )
    script = f"""
from pathlib import Path
from ingest.chroma_client import Chroma
from ingest.chroma_server import ChromaServer
data = Path({str(settings.data_dir)!r})
chroma = Chroma(ChromaServer(data / "chroma", data / "run"))
found = chroma.client().get_settings()
print(repr(found.chroma_otel_collection_endpoint), found.chroma_client_auth_provider)
chroma.close()
"""
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=cwd,
        env=environment,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert (done.stdout, done.stderr) == ("'' None\n", "")


def state_of(folder):
    return json.loads((folder / "run" / "chroma.json").read_text())
