"""Tests `footnote search` and `footnote ask` while `footnote run` serves the same data folder."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
from conftest import ROOT, serving
from llm_servers import scripted, silent_after
from test_imports import packages_in

from app.bootstrap import open_footnote
from app.local_service import LocalClient, LocalService, identity
from ingest.settings import load_settings

HEAVY = {"chromadb", "langchain", "langchain_core", "streamlit", "onnxruntime", "numpy", "httpx", "torch", "tantivy"}
pytestmark = pytest.mark.slow


def command(served, *arguments, python=(), **variables):
    return subprocess.run(
        [sys.executable, *python, "-m", "app", *arguments],
        env={**served.environment, "COLUMNS": "200", **variables},
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
        check=False,
    )


def test_a_running_chat_does_the_work_and_a_killed_one_is_replaced_by_the_command(tmp_path):
    with serving(tmp_path / "data") as served:
        for arguments, said in ((("search", "embedding"), "embedding"), (("ask", "What is BM25?"), "[1]")):
            done = command(served, *arguments, python=("-X", "importtime"))
            assert done.returncode == 0, done.stderr[-2_000:]
            assert said in done.stdout
            assert not packages_in(done.stderr) & HEAVY
        searched = command(served, "search", "embedding")
        assert (searched.returncode, searched.stderr) == (0, "")
        served.process.kill()
        served.process.wait(30)
        assert LocalClient.is_possible(served.data_dir)
        assert command(served, "search", "embedding", "--json", FOOTNOTE_CONTEXT_TOKENS="900").returncode == 0
        alone = command(served, "search", "embedding", python=("-X", "importtime"))
        loaded = packages_in(alone.stderr)
        assert "onnxruntime" in loaded
        assert "chromadb" not in loaded  # a small collection is searched without it
        assert alone.stdout == searched.stdout
        assert command(served, "search", "embedding").stderr == ""


@pytest.mark.usefixtures("shared_chroma")
def test_ctrl_c_keeps_the_partial_answer_and_ends_the_request_of_the_chat(footnote, write, settings, monkeypatch):
    assert footnote.ingest([write("a.txt", "Apples are red.")]).count("added") == 1

    left, out = threading.Event(), b""
    with scripted(silent_after("Apples are red [1]. And "), left=left) as (url, _):
        variables = {"DATA_DIR": str(settings.data_dir), "LLM": "openai:m", "LLM_BASE_URL": url}
        for name, value in variables.items():
            monkeypatch.setenv(f"FOOTNOTE_{name}", value)
        chosen = load_settings()
        with (
            open_footnote(chosen, lambda _: footnote.library) as chat,
            LocalService(chat, settings.data_dir, identity(chosen, os.environ)),
        ):
            process = subprocess.Popen(
                [sys.executable, "-X", "importtime", "-m", "app", "ask", "What colour are apples?"],
                env={**os.environ, "COLUMNS": "200"},
                cwd=ROOT,
                stdout=subprocess.PIPE,
                stderr=subprocess.PIPE,
                text=True,
            )
            while b"Apples" not in out:
                piece = os.read(process.stdout.fileno(), 4096)
                assert piece, process.communicate(timeout=60)
                out += piece
            process.send_signal(signal.SIGINT)
            rest, err = process.communicate(timeout=60)
            assert left.wait(30)
    text = out.decode() + rest
    assert process.returncode == 130
    assert "the partial answer is kept" in err
    assert not packages_in(err) & HEAVY
    assert text.startswith("Apples are red [1]. And")
    assert "Stopped before it was complete. Ask again" in text
