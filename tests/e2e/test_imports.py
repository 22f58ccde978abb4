"""What the commands and the page import: torch takes seconds and is not needed for a BERT encoder on a CPU."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
from conftest import ROOT, serving
from playwright.sync_api import expect

from ingest.embedding.runtimes.selection import has_accelerator

HEAVY = {"torch", "transformers", "sentence_transformers"}
TEXT = "The notice period is four weeks. The rent is due on the first of each month."
QUESTION = "What is the notice period?"
SUPPORT = ROOT / "tests" / "support"
pytestmark = pytest.mark.skipif(has_accelerator(), reason="torch runs the model on this machine's accelerator")


def packages_in(log: str) -> set[str]:
    """Returns the packages that a process imported, from what Python wrote to its errors."""
    lines = [line for line in log.splitlines() if line.startswith("import time:")]
    return {line.rpartition("|")[2].strip().partition(".")[0] for line in lines}


def imported(settings, tmp_path, *command: str) -> tuple[set[str], str]:
    """Runs Python in an environment of its own; returns the packages it imported, and its output."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("PYTEST")}
    environment |= {"FOOTNOTE_DATA_DIR": str(settings.data_dir), "XDG_CACHE_HOME": str(tmp_path / "cache")}
    environment |= {"PYTHONPATH": os.pathsep.join([str(ROOT), str(SUPPORT)])}
    done = subprocess.run(
        [sys.executable, "-X", "importtime", *command],
        env=environment,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )
    assert done.returncode == 0, done.stderr[-2_000:]
    return packages_in(done.stderr), done.stdout


@pytest.mark.slow
@pytest.mark.usefixtures("shared_chroma")
def test_ingest_search_and_ask_import_neither_torch_nor_transformers(settings, write, tmp_path):
    document = write("lease.txt", TEXT)
    for command, said in (
        (("ingest", str(document)), "1"),
        (("search", "notice period"), "four weeks"),
        (("ask", QUESTION), "four weeks"),
    ):
        packages, output = imported(settings, tmp_path, "-m", "app", *command)
        assert said in output
        assert "onnxruntime" in packages
        assert not packages & HEAVY
    assert list((tmp_path / "cache").rglob("*.onnx"))


@pytest.mark.slow
@pytest.mark.usefixtures("shared_chroma")
def test_the_page_answers_with_a_quote_and_imports_neither_torch_nor_transformers(settings, write, tmp_path):
    command = (str(SUPPORT / "page_process.py"), str(write("lease.txt", TEXT)), QUESTION)
    packages, output = imported(settings, tmp_path, *command)
    assert ">The notice period is four weeks.</mark>" in output
    assert {"streamlit", "onnxruntime"} <= packages
    assert not packages & HEAVY


@pytest.mark.browser
def test_the_served_chat_imports_neither_torch_nor_transformers(tmp_path, chromium):
    with serving(tmp_path / "data", PYTHONPROFILEIMPORTTIME="1") as served:
        page = chromium.new_page()
        page.goto(served.url)
        page.get_by_test_id("stChatInputTextArea").fill("What is BM25?")
        page.keyboard.press("Enter")
        expect(page.locator(".fn-notes mark")).not_to_have_count(0, timeout=60_000)
        page.close()
    packages = packages_in(served.log.read_text(errors="replace"))
    assert {"streamlit", "onnxruntime"} <= packages
    assert not packages & HEAVY
