"""Commands of the comparison with the peers: their environments, their memory and their results."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bench.peers.environments import READY, cache_folder, environment, install
from bench.peers.errors import BenchmarkFailed
from bench.peers.measuring import HERE, QUIET, chunks_of_updated, offline, wait_for_server
from bench.peers.processes import Finished, measured

MIB = 1024 * 1024
PIN = re.compile(r"[a-z0-9-]+==[0-9.]+")
# Libraries that run the model or hold the vectors.
SHARED = {"torch", "numpy", "sentence-transformers", "transformers", "tokenizers", "chromadb"}
HOLDS_MEMORY = f"held = bytearray({150 * MIB}); print('{{\"a\": 1}}')"

MEASURES = """
import json, os, sys
from pathlib import Path
from bench.peers.processes import measured
done = [measured([sys.executable, "-c", code], os.environ, Path()) for code in sys.argv[1:]]
print(json.dumps([[one.largest, one.together, one.processor] for one in done]))
"""


class Commands:
    """Records commands instead of running them, and makes the folder of an environment."""

    def __init__(self, fails: str = "") -> None:
        self.run: list[list[str]] = []
        self.fails = fails

    def __call__(self, command: list[str]) -> None:
        self.run.append(command)
        if self.fails and self.fails in command:
            raise BenchmarkFailed("no network")
        if "venv" in command:
            Path(command[-1]).mkdir(parents=True)


@pytest.fixture
def pins(tmp_path):
    file = tmp_path / "peer.txt"
    file.write_text("torch==2.13.0\n")
    return file


def python(code: str, folder: Path) -> Finished:
    return measured([sys.executable, "-c", code], os.environ, folder)


def test_an_environment_is_made_once(pins, tmp_path):
    commands = Commands()
    interpreter = environment(pins, tmp_path / "cache", commands)
    assert environment(pins, tmp_path / "cache", commands) == interpreter
    assert [command[2] for command in commands.run] == ["venv", "pip"]
    assert commands.run[1][0] == str(interpreter)
    assert commands.run[1][-1] == str(pins)


def test_an_environment_is_made_again_when_its_pins_change(pins, tmp_path):
    first = environment(pins, tmp_path / "cache", Commands())
    pins.write_text("torch==2.14.0\n")
    second = environment(pins, tmp_path / "cache", Commands())
    assert not first.parents[1].exists()
    assert (second.parents[1] / READY).exists()


def test_an_environment_that_was_not_completed_is_made_again(pins, tmp_path):
    with pytest.raises(BenchmarkFailed, match="no network"):
        environment(pins, tmp_path / "cache", Commands(fails="pip"))
    commands = Commands()
    environment(pins, tmp_path / "cache", commands)
    assert len(commands.run) == 2


def test_environments_are_outside_the_repository():
    assert not cache_folder().is_relative_to(HERE.parents[1])


def test_a_failed_installation_is_reported_with_its_reason():
    with pytest.raises(BenchmarkFailed, match="no such package"):
        install([sys.executable, "-c", "raise SystemExit('no such package')"])


def test_every_peer_pins_its_packages_and_runs_the_model_with_the_projects_versions():
    constraints = set((HERE.parents[1] / "constraints.txt").read_text().split())
    for script in (path for path in HERE.glob("*_*.txt")):
        pins = script.read_text().split()
        assert all(PIN.fullmatch(pin) for pin in pins)
        own = {pin for pin in pins if pin.split("==")[0] in SHARED}
        assert own
        assert own <= constraints, f"{script}: take the versions of constraints.txt"
        assert script.with_suffix(".py").exists()


def test_the_result_of_a_command_is_its_last_line(tmp_path):
    done = python("print('Loading'); print('{\"found\": 10}')", tmp_path)
    assert done.result == {"found": 10}
    assert done.seconds > 0


@pytest.mark.parametrize("output", ["", "ready", "[1]", '{"a": 1}\nready'])
def test_a_command_without_a_result_is_reported(output):
    with pytest.raises(BenchmarkFailed, match="JSON"):
        _ = Finished(1.0, 1.0, 1, 1, output).result


def test_a_command_that_fails_is_reported_with_its_reason(tmp_path):
    with pytest.raises(BenchmarkFailed, match=r"status 1:\nthe index is empty"):
        python("raise SystemExit('the index is empty')", tmp_path)


def test_memory_is_measured_also_in_processes_that_a_command_starts():
    below = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {HOLDS_MEMORY!r}], check=True)"
    # In a process of its own: the kernel counts the memory of the process that starts a command too.
    command = [sys.executable, "-c", MEASURES, "print()", HOLDS_MEMORY, below]
    done = subprocess.run(command, cwd=HERE.parents[1], capture_output=True, text=True, check=True)
    (little, *_), (alone, *_), (in_child, together, _) = json.loads(done.stdout)
    assert little < 150 * MIB < min(alone, in_child)
    assert together >= in_child


def test_the_processors_time_of_all_processes_is_added_up():
    one = "import time\nwhile time.process_time() < 1: pass"
    two = f"import subprocess, sys\nother = subprocess.Popen([sys.executable, '-c', {one!r}])\n{one}\nother.wait()"
    done = subprocess.run(
        [sys.executable, "-c", MEASURES, two], cwd=HERE.parents[1], capture_output=True, text=True, check=True
    )
    ((_, _, processor),) = json.loads(done.stdout)
    assert 1.2 < processor < 2.5  # each is last seen up to a sample before its end


def test_a_contestant_gets_no_settings_and_no_network(tmp_path):
    given = offline({"HOME": "/home/a", "FOOTNOTE_LLM": "x", "PYTHONPATH": "/b"}, tmp_path)
    assert given == {"HOME": "/home/a", "XDG_CACHE_HOME": str(tmp_path), **QUIET}


def test_the_chunks_of_a_changed_file_are_those_of_the_only_updated_document():
    unchanged, updated = {"status": "unchanged", "chunks": 9}, {"status": "updated", "chunks": 4}
    assert chunks_of_updated([unchanged, updated]) == 4
    with pytest.raises(BenchmarkFailed, match="0 were"):
        chunks_of_updated([unchanged])


def test_a_server_that_has_ended_is_not_waited_for(tmp_path):
    wait_for_server(tmp_path)
    ended = subprocess.Popen([sys.executable, "-c", ""])
    ended.wait()
    (tmp_path / "run").mkdir()
    (tmp_path / "run" / "chroma.json").write_text(json.dumps({"supervisor": ended.pid}))
    wait_for_server(tmp_path)


def test_an_ingest_that_fails_is_reported_with_the_commands_own_error(tmp_path):
    environment = os.environ | {"FOOTNOTE_DATA_DIR": str(tmp_path / "data"), "PYTHONPATH": str(HERE.parents[1])}
    with pytest.raises(BenchmarkFailed, match="missing"):
        measured([sys.executable, "-m", "bench.peers.ingest_command", str(tmp_path / "missing")], environment, tmp_path)
