"""Tests the command as users run it: standard output, standard error and exit status."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner
from waiting import wait_until

from app.cli.commands import cli
from ingest.settings import Settings

ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def run(settings):
    def run(*arguments, module="app", stdin=None, **variables):
        environment = {**os.environ, "FOOTNOTE_DATA_DIR": str(settings.data_dir), "COLUMNS": "200", **variables}
        command = [sys.executable, "-m", module, *map(str, arguments)]
        return subprocess.run(
            command, capture_output=True, text=True, env=environment, cwd=ROOT, input=stdin, timeout=240, check=False
        )

    return run


@pytest.mark.slow
@pytest.mark.parametrize(("module", "command"), [("app", ["ingest"]), ("ingest", [])])
def test_ingest_prints_one_json_object_and_nothing_else(run, write, module, command):
    good, bad = write("a.txt", "Apples are red."), write("b.pdf", "no pdf")
    result = run(*command, good.parent, "--json", module=module)
    report = json.loads(result.stdout)
    assert result.returncode == 1
    counts = ("added", "updated", "unchanged", "removed", "failed", "chunks", "embedded")
    assert [report[name] for name in counts] == [1, 0, 0, 0, 1, 1, 1]
    assert report["seconds"] > 0
    by_path = {document["path"]: document for document in report["documents"]}
    assert by_path[str(good)] | {"warnings": []} == {
        "path": str(good),
        "status": "added",
        "pages": None,
        "chunks": 1,
        "error": None,
        "warnings": [],
    }
    assert "b.pdf is not a PDF" in by_path[str(bad)]["error"]


@pytest.mark.slow
def test_a_round_of_all_commands(run, write):
    path = write("hand book.md", "# Leave\n\nEverybody has 28 days of paid leave. Managers have thirty.")
    ingested = run("ingest", path.parent)
    assert ingested.returncode == 0
    assert "added" in ingested.stdout
    (hit,) = json.loads(run("search", "paid leave", "-k", "1", "--json").stdout)["hits"]
    text = path.read_text()
    assert (hit["rank"], hit["document"], hit["page"], hit["heading"]) == (1, str(path), None, "Leave")
    assert text[hit["start"] : hit["end"]] == hit["text"]
    answer = json.loads(run("ask", "How many days of paid leave are there?", "--json").stdout)
    assert answer["answer"].startswith("Everybody has 28 days of paid leave. [1]")
    assert (answer["refused"], answer["answerer"]) == (False, "extractive")
    assert answer["sentences"][0]["supported"] is True
    (note, *_) = answer["citations"]
    assert text[note["start"] : note["end"]] == note["quote"] == "Everybody has 28 days of paid leave."
    assert answer["timings"]["total"] > 0
    shown = run("ask", "How many days of paid leave are there?").stdout
    assert "28 days of paid leave" in shown
    assert "hand book.md" in shown
    status = json.loads(run("status", "--json").stdout)
    (collection,) = status["collections"]
    assert (collection["documents"], collection["embedding_model"], collection["failed"]) == (1, "all-MiniLM-L6-v2", 0)
    assert status["bytes"] > 0
    assert run("collections").stdout == "default\n"
    assert json.loads(run("remove", path, "--json").stdout) == {"removed": 1}
    refused = json.loads(run("ask", "How many days of paid leave are there?", "--json").stdout)
    assert refused["refused"] is True
    assert refused["citations"] == []


@pytest.mark.slow
def test_many_questions_are_answered_a_line_each(run, write, tmp_path):
    run("ingest", write("a.txt", "Apples are red. Bears are brown."))
    questions = tmp_path / "questions.jsonl"
    questions.write_text('{"_id": "q1", "text": "What colour are apples?"}\n\nWhat colour are bears?\n{"text": " "}\n')
    asked = run("ask", "--questions", questions)
    lines = [json.loads(line) for line in asked.stdout.splitlines()]
    assert [line["_id"] for line in lines] == ["q1", "3", "4"]
    assert lines[0]["answer"].startswith("Apples are red.")
    assert "empty" in lines[2]["error"]
    assert asked.returncode == 1
    searched = run("search", "--questions", "-", stdin="apples\nbears\n")
    assert [len(json.loads(line)["hits"]) for line in searched.stdout.splitlines()] == [1, 1]
    assert "2/2 questions" in searched.stderr
    assert searched.returncode == 0


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["ingest", "/no/such/path"], "/no/such/path does not exist. Check the path."),
        (["ask", ""], "The question is empty."),
        (["ask", "x" * 100_000], "The question has 100,000 characters; the limit is 8,000."),
        (["search", "x" * 100_000], "100,000 characters"),
        (["ask", "why", "-k", "0"], "k is 0, but must be from 1 to 50."),
        (["ask", "why", "-k", "10000"], "k is 10,000, but must be from 1 to 50."),
        (["search", "why", "-k", "0"], "k is 0, but must be from 1 to 1,000."),
        (["search", "why", "-k", "10000"], "k is 10,000"),
        (["search", "why", "-c", "nowhere"], "There is no collection 'nowhere'."),
        (["remove", "/no/such"], "holds no document /no/such"),
        (["ask", "--questions", "/no/such.jsonl"], "could not be read"),
        (["ingest"], "Nothing to ingest"),
        (["search", "why", "--since", "yesterday"], "since: 'yesterday' is not a date. Write it as in"),
        (["ask", "why", "--tag", " "], "' ' cannot be a tag."),
        (
            ["search", "why", "--type", "pdf"],
            "No document of the collection 'default' matches the filter: of type pdf.",
        ),
        (["tag", "/no/such", "--add", "x"], "holds no document /no/such"),
    ],
)
def test_wrong_usage_is_explained_and_exits_with_2(settings, monkeypatch, arguments, said):
    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("COLUMNS", "200")
    result = CliRunner().invoke(cli, arguments)
    assert result.exit_code == 2
    assert said in " ".join(result.stderr.split())
    assert result.stdout == ""


def test_a_line_of_questions_that_is_not_json_is_named(settings, monkeypatch, tmp_path):
    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(settings.data_dir))
    questions = tmp_path / "q.jsonl"
    questions.write_text('fine\n{"text": broken}\n')
    result = CliRunner().invoke(cli, ["search", "--questions", str(questions)])
    assert result.exit_code == 2
    assert "line 2" in result.stderr


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("FOOTNOTE_PORT", "eighty"),
        ("FOOTNOTE_HOST", "0.0.0.0"),
        ("FOOTNOTE_CHROMA_URL", "ftp://x"),
        ("FOOTNOTE_PASSAGES", "0"),
        ("FOOTNOTE_COLLECTION", "../x"),
    ],
)
def test_a_setting_that_cannot_be_used_is_named_with_its_value(monkeypatch, variable, value):
    monkeypatch.setenv(variable, value)
    result = CliRunner().invoke(cli, ["status"])
    assert result.exit_code == 2
    assert f"{variable}={value!r} cannot be used" in " ".join(result.stderr.split())


def test_a_misspelt_setting_is_pointed_out(settings, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("FOOTNOTE_COLECTION", "x")
    result = CliRunner().invoke(cli, ["status"])
    assert result.exit_code == 0
    assert "Did you mean FOOTNOTE_COLLECTION?" in " ".join(result.stderr.split())


@pytest.mark.slow
def test_ctrl_c_ends_an_ingest_cleanly_and_the_next_run_goes_on(settings, write):
    folder = write("first.txt", "The first thing.").parent
    for i in range(400):
        write(f"{i:03d}.txt", f"Thing {i} weighs {i * 3} grams and is kept in box {i * 7} of shelf {i * 11}. " * 6)
    environment = {**os.environ, "FOOTNOTE_DATA_DIR": str(settings.data_dir)}
    command = [sys.executable, "-m", "app", "ingest", str(folder), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=ROOT)
    wait_until(lambda: count_active(settings) > 0)
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=120)
    report = json.loads(out)
    assert process.returncode == 130, err
    assert report["cancelled"] is True
    assert 0 < report["added"] < 401
    result = subprocess.run(command, capture_output=True, env=environment, cwd=ROOT, timeout=240, check=True)
    again = json.loads(result.stdout)
    assert again["unchanged"] == report["added"]
    assert again["added"] + again["unchanged"] == 401


@pytest.mark.slow
def test_a_port_in_use_is_reported(run):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = run("run", FOOTNOTE_PORT=str(port))
    assert result.returncode == 3
    assert f"Port {port} is taken" in result.stderr
    assert "FOOTNOTE_PORT=" in result.stderr


def count_active(settings: Settings) -> int:
    import sqlite3

    path = settings.data_dir / "footnote.sqlite"
    if not path.exists():
        return 0
    with sqlite3.connect(f"file:{path}?mode=ro", uri=True) as db:
        try:
            return db.execute("SELECT count(*) FROM versions WHERE status = 'active'").fetchone()[0]
        except sqlite3.OperationalError:
            return 0


@pytest.mark.slow
def test_report_shows_how_files_were_read(run, write_pdf):
    path = write_pdf("a.pdf", ["Words", ""])
    run("ingest", str(path))
    result = run("report", "--json")
    (document,) = json.loads(result.stdout)["documents"]
    assert (document["document"], document["status"], document["pages"]) == (str(path), "active", 2)
    assert (document["pages_text"], document["pages_ocr"], document["pages_empty"]) == (1, 0, 1)
    assert document["warnings"] == ["Page 2: blank."]
    shown = run("report", str(path))
    assert shown.returncode == 0
    assert "Page 2: blank." in shown.stdout
    assert run("report", "nowhere.pdf").returncode == 2


@pytest.mark.slow
def test_ingest_needs_something_to_ingest(run):
    result = run("ingest")
    assert result.returncode == 2
    assert "Nothing to ingest" in result.stderr


@pytest.mark.slow
def test_web_pages_on_this_machine_are_refused_unless_allowed(run):
    result = run("ingest", "http://127.0.0.1:1/page", "--json")
    assert result.returncode == 1
    (document,) = json.loads(result.stdout)["documents"]
    assert document["path"] == "http://127.0.0.1:1/page"
    assert "is not a public address" in document["error"]
    result = run("ingest", "--sitemap", "http://127.0.0.1:1/sitemap.xml")
    assert result.returncode == 2
    assert "is not a public address" in result.stderr


@pytest.mark.slow
def test_documents_are_tagged_and_only_some_are_searched(run, write):
    red, brown = write("fruit/a.txt", "Apples are red."), write("animals/b.md", "Bears are brown.")
    assert run("ingest", red, "--tag", "Fruit", module="app").returncode == 0
    assert run(brown, "--tag", "wild", "--tag", "animal", module="ingest").returncode == 0
    listed = json.loads(run("report", "--json").stdout)["documents"]
    assert [(one["document"], one["tags"]) for one in listed] == [
        (str(brown), ["animal", "wild"]),
        (str(red), ["fruit"]),
    ]
    day = listed[0]["indexed"]
    shown = run("report").stdout
    assert "animal, wild" in shown
    assert day in shown
    options = ("--in", brown.parent, "--type", "md", "--since", day, "--until", day, "--tag", "wild")
    for command in ("search", "ask"):
        found = json.loads(run(command, "What is red or brown?", *options, "--json").stdout)
        assert found["filter"] == {
            "sources": [str(brown.parent)],
            "types": ["md"],
            "tags": ["wild"],
            "since": day,
            "until": day,
        }
        assert {one["document"] for one in found.get("hits") or found["citations"] or found["nearest"]} == {str(brown)}
    tagged = run("tag", brown, "--add", "old", "--remove", "wild", "--json")
    assert json.loads(tagged.stdout) == {"documents": [{"document": str(brown), "tags": ["animal", "old"]}]}
    nothing = run("search", "brown", "--tag", "wild")
    assert nothing.returncode == 2
    assert (
        "matches the filter: tagged wild. Available types: md, txt. Available tags: animal, fruit, old."
        in nothing.stderr
    )
    lines = run("search", "--questions", "-", "--tag", "old", stdin="brown\n").stdout
    assert json.loads(lines)["filter"] == {"tags": ["old"]}


@pytest.mark.slow
def test_text_that_the_encoding_of_the_output_lacks_is_spelled_out(run, write):
    path = write("Straße.md", "# Wörter\n\nÄpfel sind rot \u2603.")
    assert run("ingest", path, PYTHONIOENCODING="ascii").returncode == 0
    result = run("search", "rot", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert (result.returncode, result.stderr) == (0, "")
    assert "sind rot \\u2603." in result.stdout
