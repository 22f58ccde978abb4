"""A real `footnote run`, a real Chromium, and documents for the page."""

from __future__ import annotations

import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from durability import PoolInProcess
from playwright.sync_api import Browser, sync_playwright

from app.ui.components import upload

ROOT = Path(__file__).resolve().parents[2]
FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


class Served:
    """A running `footnote run`."""

    command: tuple[str, ...] = (sys.executable, "-m", "app", "run")
    cwd = ROOT
    inherited: Mapping[str, str] = os.environ

    def __init__(self, data_dir: Path, **variables: str) -> None:
        self.data_dir = data_dir
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            port = probe.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}"
        folder = {"FOOTNOTE_DATA_DIR": str(data_dir), "FOOTNOTE_PORT": str(port)}
        self.environment = {**self.inherited, **folder, **variables}
        self.log = data_dir.parent / f"{port}.log"
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(self.command, env=self.environment, cwd=self.cwd, stdout=log, stderr=log)

    def wait(self, seconds: float = 180) -> None:
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            assert self.process.poll() is None, self.log.read_text()
            with suppress(OSError), urllib.request.urlopen(f"{self.url}/_stcore/health", timeout=5) as response:
                if response.status == 200:
                    return
            time.sleep(0.1)
        pytest.fail(f"not up in time: {self.log.read_text()}")

    def stop(self) -> int:
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGINT)
        try:
            return self.process.wait(30)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise


@contextmanager
def serving(data_dir: Path, **variables: str) -> Iterator[Served]:
    served = Served(data_dir, **variables)
    try:
        served.wait()
        yield served
    finally:
        served.stop()


@pytest.fixture(scope="session")
def served(tmp_path_factory) -> Iterator[Served]:
    """Footnote on the sample documents, for all tests of the page."""
    with serving(tmp_path_factory.mktemp("served") / "data") as one:
        yield one


@pytest.fixture(scope="session")
def chromium(tmp_path_factory) -> Iterator[Browser]:
    path = os.environ.get("FOOTNOTE_CHROMIUM") or shutil.which("chromium")
    if not path:
        pytest.skip("Chromium is not installed")
    # A cache of its own: what it writes there is not Footnote's.
    environment = {**os.environ, "XDG_CACHE_HOME": str(tmp_path_factory.mktemp("chromium"))}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=FLAGS, env=environment)
        yield browser
        browser.close()


@pytest.fixture
def open_loaders():
    return PoolInProcess


@pytest.fixture(autouse=True)
def no_jobs():
    upload.jobs.clear()


@pytest.fixture
def filled(footnote, write):
    footnote.ingest([write("a.txt", "Apples are red. Bears are brown.")])
    return footnote
