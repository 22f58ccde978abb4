"""Tests the local Chroma server without a network of its own: it works, and the doctor reports who can reach it."""

from __future__ import annotations

import fcntl
import json
import os
import socket
import subprocess
import sys
import time

import pytest
from conftest import ROOT
from durability import quick, state

from app.bootstrap import open_footnote
from ingest.maintenance.doctor import server_facts
from ingest.vectors.network_namespace import SOCKET
from ingest.vectors.run_folder import RunFolder

OPEN_SUPERVISOR = """
import sys
from pathlib import Path
from ingest.vectors.run_folder import RunFolder
from ingest.vectors.supervisor import Supervisor

def refuse(folder):
    raise PermissionError(1, "Operation not permitted")

sys.exit(Supervisor(Path(sys.argv[1]), RunFolder(Path(sys.argv[2])), refuse).run())
"""


def test_a_server_that_an_earlier_version_started_is_used_and_reported(settings):
    run = RunFolder(settings.data_dir / "run")
    with run.locked("owner"):
        (run.path / "chroma.json").write_text('{"port": 1, "server": 2, "supervisor": 3, "busy": ""}')
        assert run.state().closed is False
        (said,) = server_facts(settings)
        assert "an earlier version of Footnote" in said
    assert server_facts(settings) == ()


@pytest.mark.slow
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
            socket.create_connection(("127.0.0.1", here["port"]), 5).close()
            assert not (run / SOCKET).exists()
        (said,) = server_facts(settings)
        assert "every user of this machine" in said
        assert "Operation not permitted" in said
        # A healthy index is not called broken for it.
        command = [sys.executable, "-m", "app", "doctor", "--json"]
        environment = os.environ | {"FOOTNOTE_DATA_DIR": str(settings.data_dir)}
        done = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=True)
        assert json.loads(done.stdout)["ok"]
        assert said in json.loads(done.stdout)["facts"]
    finally:
        users.close()
        supervisor.wait(30)
    with open_footnote(settings) as footnote:  # where the system allows it again
        assert footnote.library.chroma.collections()
        assert server_facts(settings) == ()
