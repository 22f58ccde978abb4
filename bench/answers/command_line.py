"""Measures how long `footnote search` and `footnote ask` take, alone and while a chat runs on the same data folder."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median

from app.local_service import LocalClient

ROOT = Path(__file__).resolve().parents[2]
TIMES = 5
COMMANDS = {"search": ("search", "What is an embedding?"), "ask": ("ask", "What is an embedding?")}
START_SECONDS = 120.0
# The chat loads its models after it has begun to serve.
WARM_CALLS = 2


def run(_shared: Path) -> None:
    """Prints the median seconds of both commands over the sample documents."""
    with tempfile.TemporaryDirectory() as folder:
        environment = {**os.environ, "FOOTNOTE_DATA_DIR": folder, "FOOTNOTE_PORT": str(_free_port())}
        _seconds(("ingest", str(ROOT / "data" / "sample")), environment)
        alone = _medians(environment)
        with _chat(Path(folder), environment):
            served = _medians(environment)
    print(f"Seconds on the clock, median (and all) of {TIMES} runs:\n")
    print("| command | alone | with a running chat |\n| --- | --- | --- |")
    for name in COMMANDS:
        print(f"| {name} | {alone[name]} | {served[name]} |")


def _medians(environment: dict[str, str]) -> dict[str, str]:
    """Runs the commands in turn; returns each one's median and times, after runs that fill the system's caches."""
    times: dict[str, list[float]] = {name: [] for name in COMMANDS}
    for _ in range(WARM_CALLS + TIMES):
        for name, arguments in COMMANDS.items():
            times[name].append(_seconds(arguments, environment))
    kept = {name: sorted(one[WARM_CALLS:]) for name, one in times.items()}
    return {name: f"{median(one):.2f} ({', '.join(f'{s:.2f}' for s in one)})" for name, one in kept.items()}


def _seconds(arguments: tuple[str, ...], environment: dict[str, str]) -> float:
    started = time.perf_counter()
    command = [sys.executable, "-m", "app", *arguments]
    subprocess.run(command, env=environment, cwd=ROOT, check=True, capture_output=True)
    return time.perf_counter() - started


@contextmanager
def _chat(data_dir: Path, environment: dict[str, str]) -> Iterator[None]:
    """Runs `footnote run` on a data folder."""
    command = [sys.executable, "-m", "app", "run"]
    with subprocess.Popen(
        command, env=environment, cwd=ROOT, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    ) as process:
        deadline = time.monotonic() + START_SECONDS
        while not LocalClient.is_possible(data_dir):
            assert process.poll() is None, "the chat ended"
            assert time.monotonic() < deadline, "the chat did not start"
            time.sleep(0.1)
        yield
        process.send_signal(signal.SIGINT)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])
