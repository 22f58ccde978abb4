"""Tests the wheel in an empty environment: `footnote run` works without the checkout."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from conftest import ROOT, Served

pytestmark = [pytest.mark.wheel, pytest.mark.timeout(1800)]
# Taken before the fixture `cache_home` sets another cache folder: pip's downloads are in the user's.
OUTSIDE = dict(os.environ)
SOURCES = ("pyproject.toml", "README.md", "LICENSE", "app", "ingest", "prompts", "data/sample")


def build_wheel(folder: Path) -> Path:
    """Builds from a copy, so that no leftover of an earlier build in the checkout gets in."""
    source = folder / "source"
    for name in SOURCES:
        if (ROOT / name).is_dir():
            shutil.copytree(ROOT / name, source / name, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            source.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    command = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", folder, source]
    subprocess.run(command, env=OUTSIDE, check=True)
    (wheel,) = folder.glob("*.whl")
    return wheel


class Installed:
    """An environment that holds the wheel and what it depends on, and nothing of the checkout."""

    def __init__(self, folder: Path) -> None:
        self.home = folder / "home"
        self.home.mkdir()
        self.venv = folder / "venv"
        self.bin = self.venv / "bin"
        kept = {name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "XDG_"))}
        self.environment = {**kept, "HOME": str(self.home), "FOOTNOTE_DATA_DIR": str(self.home / "data")}
        wheel = build_wheel(folder)
        assert wheel.name.startswith("footnote_rag-")
        subprocess.run([sys.executable, "-m", "venv", self.venv], check=True)
        install = [self.bin / "python", "-m", "pip", "install", "--quiet", "--constraint", ROOT / "constraints.txt"]
        subprocess.run([*install, wheel], env=OUTSIDE, check=True)

    def output(self, *command: str) -> str:
        done = subprocess.run(
            [self.bin / command[0], *command[1:]],
            env=self.environment,
            cwd=self.home,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def serve(self) -> Served:
        class ServedFromWheel(Served):
            command = (str(self.bin / "footnote"), "run")
            cwd = self.home
            inherited = self.environment

        return ServedFromWheel(self.home / "data")


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Installed:
    return Installed(tmp_path_factory.mktemp("wheel"))


def test_the_checkout_is_not_imported(installed: Installed):
    code = "import app, ingest, prompts; print(app.__file__, ingest.__file__, *prompts.__path__, sep='\\n')"
    for place in installed.output("python", "-c", code).splitlines():
        assert Path(place).is_relative_to(installed.venv)


def test_the_chat_is_served_and_answers_from_the_sample_documents(installed: Installed):
    served = installed.serve()
    try:
        served.wait()
        with urllib.request.urlopen(served.url, timeout=30) as page:
            assert b"<title>" in page.read()
        (collection,) = json.loads(installed.output("footnote", "status", "--json"))["collections"]
        answer = json.loads(installed.output("footnote", "ask", "How long is parental leave at Larkspur?", "--json"))
        backup = installed.home / "footnote.zip"
        installed.output("footnote", "backup", str(backup))
    finally:
        status = served.stop()
    assert status == 0, served.log.read_text()
    samples = {path.name for path in (ROOT / "data" / "sample").iterdir()}
    assert collection["documents"] == len(samples)
    assert "16 weeks of parental leave" in answer["answer"]
    (note,) = answer["citations"]
    assert Path(note["document"]).name == "office-handbook.docx"
    assert Path(note["document"]).is_relative_to(installed.venv)
    assert backup.stat().st_size > 0
