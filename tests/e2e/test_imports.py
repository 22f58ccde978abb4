"""What the commands import: torch takes seconds and is not needed for a BERT encoder on a CPU."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

from ingest.embedding.runtimes.selection import has_accelerator

HEAVY = {"torch", "transformers", "sentence_transformers"}
pytestmark = pytest.mark.skipif(has_accelerator(), reason="torch runs the model on this machine's accelerator")


def imported(settings, tmp_path, *command: str) -> tuple[set[str], str]:
    """Runs a command in an environment of its own; returns the packages it imported, and its output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"FOOTNOTE_DATA_DIR": str(settings.data_dir), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-m", "app", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    lines = [line for line in done.stderr.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}, done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("shared_chroma")
def test_ingest_search_and_ask_import_neither_torch_nor_transformers(settings, write, tmp_path):
    document = write("lease.txt", "The notice period is four weeks. The rent is due on the first of each month.")
    for command, said in (
        (("ingest", str(document)), "1"),
        (("search", "notice period"), "four weeks"),
        (("ask", "What is the notice period?"), "four weeks"),
    ):
        packages, output = imported(settings, tmp_path, *command)
        assert said in output
        assert "onnxruntime" in packages
        assert not packages & HEAVY
    assert list((tmp_path / "cache").rglob("*.onnx"))
