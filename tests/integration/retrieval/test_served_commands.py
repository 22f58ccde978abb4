"""Tests that `search` and `ask` say the same through a running chat as by themselves."""

from __future__ import annotations

import json
import os

import pytest
from durability import PoolInProcess
from typer.testing import CliRunner

from app.cli.commands import cli
from app.local_service import LocalService, identity
from ingest.library import Library
from ingest.settings import load_settings

QUESTION = "What colour are apples?"
USES = [
    ["search", "apples"],
    ["search", "apples", "-k", "1", "--json"],
    ["search", "bears", "--type", "md", "--since", "2020-01-01", "--json"],
    ["search", "nothing at all like it", "-c", "default"],
    ["ask", QUESTION],
    ["ask", QUESTION, "--json", "-k", "2"],
    ["ask", "Who sells hats?", "--json"],
    ["ask", QUESTION, "--type", "txt"],
    ["search", "apples", "-k", "0"],
    ["search", "apples", "--type", "pdf"],
    ["search", "apples", "-c", "nowhere", "--json"],
    ["ask", ""],
    ["ask", QUESTION, "-k", "0", "--json"],
    ["ask", "x" * 9_000],
    ["ask", QUESTION, "-c", "nowhere"],
    ["ask", QUESTION, "--in", "/no/such/folder"],
]


class Counted:
    """Passes calls on, and records the names of those that a command made."""

    def __init__(self, questions) -> None:
        self._questions, self.calls = questions, []

    def __getattr__(self, name):
        self.calls.append(name)
        return getattr(self._questions, name)


@pytest.fixture
def open_loaders():
    return PoolInProcess


@pytest.fixture
def chat(footnote, write, settings, monkeypatch):
    """Returns what serves the commands of a data folder with two documents, not started yet, and what it records."""
    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("COLUMNS", "200")
    write("a.txt", "Apples are red. A crate holds 40 apples.")
    report = footnote.ingest([write("b.md", "# Bears\n\nBears are brown. They sleep in winter.").parent])
    assert report.count("added") == 2
    counted = Counted(footnote)
    return LocalService(counted, settings.data_dir, identity(load_settings(), os.environ)), counted.calls


def said(arguments, stdin=None):
    """Returns a command's output, errors and exit status, without the times of its steps."""
    done = CliRunner().invoke(cli, arguments, input=stdin)
    lines = done.stdout.splitlines()
    if lines and lines[0].startswith("{"):
        lines = [{**json.loads(line), "timings": None} for line in lines]
    return done.exit_code, lines, done.stderr


@pytest.mark.usefixtures("shared_chroma")
def test_commands_say_the_same_through_a_running_chat(chat, tmp_path):
    questions = tmp_path / "questions.txt"
    questions.write_text(f"{QUESTION}\n \nWhat colour are bears?\n" + "x" * 9_000 + "\n")
    uses = [*USES, ["ask", "--questions", str(questions)], ["search", "--questions", str(questions), "--type", "txt"]]
    alone = [said(one) for one in uses]
    service, calls = chat
    assert calls == []
    with service:
        for use, expected in zip(uses, alone, strict=True):
            before = len(calls)
            assert said(use) == expected
            asked = "ask" if use[0] == "ask" else "retrieve"
            assert calls[before : before + 1] == ["model_note"]
            assert asked in calls[before:]
    assert {exit_code for exit_code, *_ in alone} == {0, 1, 2}


@pytest.mark.usefixtures("shared_chroma")
def test_a_command_of_other_settings_does_the_work_itself(chat, monkeypatch):
    service, calls = chat
    monkeypatch.setenv("FOOTNOTE_CONTEXT_TOKENS", "600")
    with service:
        exit_code, lines, _ = said(["search", "apples", "--json"])
    assert (exit_code, calls) == (0, [])
    assert lines[0]["hits"][0]["text"].startswith("Apples are red.")


@pytest.mark.usefixtures("shared_chroma")
def test_a_caller_with_a_library_of_its_own_uses_it(chat):
    service, calls = chat
    with service:
        done = CliRunner().invoke(cli, ["search", "apples"], obj=Library)
    assert "Apples are red." in done.stdout
    assert calls == []
