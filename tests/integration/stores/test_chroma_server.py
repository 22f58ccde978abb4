"""Tests the local Chroma server: it starts for the first user, restarts after a crash, and stops after the last."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from chroma_servers import chroma_server
from durability import ended, state

from app.bootstrap import open_footnote
from ingest.errors import VectorStoreError
from ingest.maintenance.doctor import examine
from ingest.vectors.client import Chroma

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def filled(footnote, write):
    footnote.ingest([write("a.txt", "Apples are red.")])
    return footnote


@pytest.mark.parametrize("victim", ["server", "supervisor"])
def test_a_killed_server_is_restarted_automatically(filled, victim):
    os.kill(state(filled.settings)[victim], signal.SIGKILL)
    assert filled.search("apples", 1)[0].chunk.text == "Apples are red."
    assert examine(filled.settings).problems == ()


def test_the_server_stops_with_its_last_user(settings, write):
    with open_footnote(settings) as first, open_footnote(settings) as second:
        first.ingest([write("a.txt", "Apples are red.")])
        second.search("apples", 1)
        server = state(settings)["server"]
        first.close()
        assert second.search("apples", 1)
        assert state(settings)["server"] == server
    assert ended(server)


@pytest.mark.slow
def test_the_server_stops_after_its_only_user_was_killed(settings, write):
    path = write("a.txt", "Apples are red.")
    script = f"""
import time
from pathlib import Path
from app.bootstrap import open_footnote
from ingest.maintenance.doctor import examine
from ingest.settings import load_settings
footnote = open_footnote(load_settings())
footnote.ingest([Path({str(path)!r})])
print("ready", flush=True)
time.sleep(600)
"""
    environment = {**os.environ, "FOOTNOTE_DATA_DIR": str(settings.data_dir)}
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, env=environment) as user:
        try:
            assert user.stdout.readline() == b"ready\n"
            server = state(settings)["server"]
        finally:
            user.kill()
    assert ended(server)


def test_a_users_own_server_that_does_not_answer_is_named(settings, write):
    elsewhere = settings.model_copy(update={"chroma_url": "http://127.0.0.1:9"})
    with open_footnote(elsewhere) as footnote, pytest.raises(VectorStoreError, match=r"http://127\.0\.0\.1:9"):
        footnote.ingest([write("a.txt", "Apples are red.")])


@pytest.fixture
def own_server(tmp_path):
    """The address of a Chroma server that Footnote did not start."""
    with chroma_server(tmp_path / "own") as url:
        yield url


def test_a_users_own_server_is_used(filled, settings, write, tmp_path, own_server):
    Chroma(None, own_server).client().create_collection("another")
    other = settings.model_copy(update={"chroma_url": own_server, "data_dir": tmp_path / "other"})
    with open_footnote(other) as footnote:
        footnote.ingest([write("b.txt", "Bears are brown.")])
        assert [hit.chunk.text for hit in footnote.search("apples", 5)] == ["Bears are brown."]
    assert len(Chroma(None, own_server).client().list_collections()) == 2
    assert not (other.data_dir / "run" / "chroma.json").exists()


def test_two_processes_use_one_server(filled, settings):
    script = f"""
from pathlib import Path
from ingest.vectors.client import Chroma
from ingest.vectors.server import ChromaServer
run = Path({str(settings.data_dir)!r})
chroma = Chroma(ChromaServer(run / "chroma", run / "run"))
print(len(chroma.collections()), flush=True)
"""
    before = state(settings)["server"]
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, timeout=60, check=True)
    assert done.stdout == "1\n"
    assert state(settings)["server"] == before
    assert examine(settings).problems == ()


def test_chromadb_ignores_the_env_file_of_the_working_folder(settings, write, tmp_path):
    cwd = tmp_path / "cwd"
    cwd.mkdir()
    (cwd / ".env").write_bytes(
        b"chroma_otel_collection_endpoint=http://127.0.0.1:9\nchroma_otel_granularity=all\n# \xff\n"
        b"chroma_client_auth_provider=chromadb.auth.basic_authn.BasicAuthClientProvider\n"
        b"chroma_client_auth_credentials=me:secret\n"
    )
    script = f"""
from pathlib import Path
from ingest.vectors.client import Chroma
from ingest.vectors.server import ChromaServer
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
