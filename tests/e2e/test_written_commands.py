"""Tests `footnote ask` with a language model: waits, Ctrl-C, usage, and control characters in texts."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from functools import partial
from pathlib import Path

import pytest
from faults import watched
from llm_servers import answering, in_turn, refusing, scripted, silent_after
from typer.testing import CliRunner

from app.cli.commands import cli
from app.llm.reasoning import ThoughtFilter
from ingest.embedding import Embedder
from ingest.library import Library

ROOT = Path(__file__).resolve().parents[2]
# What a document may hold (a text with other control characters is no text to the loader), and a model may write.
LINK = "\x1b]8;;http://evil.example/\x1b\\click\x1b]8;;\x1b\\"
STEERING = f"{LINK} \x07\x1b[2J\x9b1m\rApples"


@pytest.fixture
def asking(footnote, write, settings):
    report = footnote.ingest([write("a.txt", f"Apples are red. A crate holds 40 apples. {LINK}")])
    assert report.count("added") == 1

    def begin(url: str, *options: str, **variables: str) -> subprocess.Popen:
        environment = {
            **os.environ,
            "FOOTNOTE_DATA_DIR": str(settings.data_dir),
            "FOOTNOTE_LLM": "openai:m",
            "FOOTNOTE_LLM_BASE_URL": url,
            "COLUMNS": "200",
            **variables,
        }
        command = [sys.executable, "-m", "app", "ask", "What colour are apples?", *options]
        return subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment, cwd=ROOT
        )

    return begin


@pytest.mark.slow
def test_a_wait_is_reported_and_the_usage_is_printed(asking):
    written = answering("Apples are red [1].", usage=(1000, 20))
    prices = {"FOOTNOTE_LLM_INPUT_PRICE": "1", "FOOTNOTE_LLM_OUTPUT_PRICE": "10"}
    with scripted(in_turn(refusing(429, retry_after="1.2"), written)) as (url, _):
        out, err = asking(url, **prices).communicate(timeout=120)
    assert "Apples are red [1]." in out
    assert "openai:m: 1,000 tokens read, 20 written, $0.0012" in out
    assert err.count("received too many requests. Asking again in 2 s") == 1
    with scripted(written) as (url, _):
        out, err = asking(url, "--json").communicate(timeout=120)
    answer = json.loads(out)
    assert answer["usage"] == {"input_tokens": 1000, "output_tokens": 20, "cost": None}
    assert len(answer["prompt"]) == 12
    assert err == ""


@pytest.mark.slow
def test_ctrl_c_keeps_the_partial_answer_and_ends_the_request(asking):
    left, out = threading.Event(), b""
    with scripted(silent_after("Apples are red [1]. And "), left=left) as (url, _):
        process = asking(url)
        while b"Apples" not in out:
            piece = os.read(process.stdout.fileno(), 4096)
            assert piece, process.communicate(timeout=60)
            out += piece
        process.send_signal(signal.SIGINT)
        rest, err = process.communicate(timeout=60)
        assert left.wait(30)
    out = out.decode() + rest
    assert process.returncode == 130, err
    assert "the partial answer is kept" in err
    assert out.startswith("Apples are red [1]. And")
    assert "[1] " in out
    assert "Stopped before it was complete. Ask again" in out


def test_ctrl_c_prints_the_partial_answer_as_json_and_ends_the_request(footnote, write, settings, monkeypatch):
    footnote.ingest([write("a.txt", "Apples are red. A crate holds 40 apples.")])
    left, heard = threading.Event(), []

    def interrupt(arguments) -> None:
        heard.append(arguments[1])
        if heard[-1] == "" and any(heard):  # the command has all text so far, and there was no more for a moment
            signal.raise_signal(signal.SIGINT)

    with (
        scripted(silent_after("Apples are red [1]. And "), left=left) as (url, _),
        watched(ThoughtFilter, "feed", interrupt),
    ):
        for name, value in {"DATA_DIR": settings.data_dir, "LLM": "openai:m", "LLM_BASE_URL": url}.items():
            monkeypatch.setenv(f"FOOTNOTE_{name}", str(value))
        done = CliRunner().invoke(cli, ["ask", "What colour are apples?", "--json"], obj=Library)
        assert left.wait(30)
    assert done.exit_code == 130, done.output
    assert "the partial answer is kept" in done.stderr
    answer = json.loads(done.stdout)
    assert (answer["answer"], answer["incomplete"]) == ("Apples are red [1]. And", True)
    assert answer["sentences"][0]["supported"] is True


@pytest.mark.slow
def test_ctrl_c_before_the_first_word_says_so(asking):
    came = threading.Event()

    def script(handler) -> None:
        came.set()
        handler.wait_until_left()

    with scripted(script) as (url, _):
        process = asking(url)
        assert came.wait(60)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Stopped before the first word" in err
    assert out == ""


def test_ctrl_c_before_the_first_event_ends_at_once(footnote, write, monkeypatch, settings):
    footnote.ingest([write("a.txt", "Apples are red.")])
    closed = []

    class Loading(Embedder):
        def knows(self, text):
            try:
                signal.raise_signal(signal.SIGINT)
                return bool(threading.Event().wait(120))
            finally:
                closed.append(True)

    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(settings.data_dir))
    loading = partial(Library, open_embedder=Loading)
    said = "Stopped before the first word of an answer."
    for options, printed in {(): "", ("--json",): f'{{"error": "{said}"}}\n'}.items():
        done = CliRunner().invoke(cli, ["ask", "What colour are apples?", *options], obj=loading)
        assert (done.exit_code, done.stderr, done.stdout) == (130, f"{said}\n", printed)
    assert closed == [True, True]


def test_ctrl_c_while_the_command_itself_is_loaded_leaves_no_traceback():
    code = """
import sys

class Interrupted:
    def find_spec(self, name, *_):
        if name == "app.cli.commands":
            raise KeyboardInterrupt

sys.meta_path.insert(0, Interrupted())
from app.__main__ import main
main()
"""
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False, timeout=120
    )
    assert (done.returncode, done.stdout, done.stderr) == (130, "", "")


@pytest.mark.slow
def test_no_control_character_of_a_document_or_an_answer_reaches_the_terminal(asking, settings):
    with scripted(answering(f"Apples are red [1]. {STEERING} are red.")) as (url, _):
        out, _ = asking(url, FORCE_COLOR="1").communicate(timeout=120)
    assert "\\x1b]8;;http://evil.example/\\x1b\\click" in out
    assert not {c for c in out.replace("\x1b[", "") if c < " " and c != "\n"}
    assert "\x1b[2J" not in out
    assert "\x9b" not in out
    environment = {**os.environ, "FOOTNOTE_DATA_DIR": str(settings.data_dir)}
    command = [sys.executable, "-m", "app", "search", "apples"]
    found = subprocess.run(command, capture_output=True, text=True, env=environment, cwd=ROOT, check=True, timeout=120)
    assert "\\x1b]8;;http://evil.example/" in found.stdout
    assert not {c for c in found.stdout if c < " " and c != "\n"}
