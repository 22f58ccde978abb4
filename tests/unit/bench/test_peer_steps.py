"""Steps that every contestant of the comparison runs, and its questions."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from bench.cpp_docs import questions
from bench.peers.__main__ import FEWEST_QUESTIONS, UNTIMED, distinct_questions
from bench.peers.contestant import SPECIAL, counted, run
from bench.peers.errors import BenchmarkFailed
from ingest.embedding.model_files import bundled_model_dir


class Paragraphs:
    """A contestant that finds paragraphs by their words."""

    def split(self, documents):
        return [text for path in sorted(documents.rglob("*.md")) for text in path.read_text().split("\n\n")]

    def store(self, chunks, folder, model):
        folder.mkdir()
        (folder / "chunks.json").write_text(json.dumps(list(chunks)))

    def given(self, chunks):
        return list(chunks)

    def most_tokens(self, model):
        return 3 + SPECIAL

    def open_search(self, folder, model):
        chunks = json.loads((folder / "chunks.json").read_text())
        return lambda question: [chunk for chunk in chunks if question in chunk]


@pytest.fixture
def step(tmp_path, capsys):
    documents = tmp_path / "documents"
    documents.mkdir()
    (documents / "a.md").write_text("one two three four five\n\nsix seven")
    places = [str(documents), str(tmp_path / "store"), str(bundled_model_dir())]

    def result(name: str, *arguments: str) -> dict:
        run(Paragraphs(), [name, *(places[1:] if name in {"query", "warm"} else places), *arguments])
        return json.loads(capsys.readouterr().out)

    return result


def test_only_the_tokens_that_fit_the_model_count_as_read():
    assert counted([10, 254, 255, 1_000], 256) == {"given": 1_519, "read": 10 + 254 + 254 + 254}
    assert counted([], 256) == {"given": 0, "read": 0}


def test_the_steps_index_count_and_answer(step, tmp_path):
    assert set(step("index")) == {"split", "store"}
    assert step("count") == {"chunks": 2, "given": 7, "read": 5}
    assert step("query", "two") == {"found": 1}
    asked = tmp_path / "questions.json"
    asked.write_text(json.dumps(["one", "two", "six"]))
    assert len(step("warm", str(asked), "1")["search"]) == 2


def test_a_timed_search_that_finds_nothing_is_reported(step, tmp_path):
    step("index")
    asked = tmp_path / "questions.json"
    asked.write_text(json.dumps(["absent"]))
    with pytest.raises(SystemExit, match="Nothing was found for 'absent'"):
        step("warm", str(asked), "0")


def test_questions_are_asked_once():
    asked = [f"What is {number}?" for number in range(FEWEST_QUESTIONS + UNTIMED)]
    assert distinct_questions([*asked, *asked]) == asked


def test_too_few_different_questions_are_reported():
    with pytest.raises(BenchmarkFailed, match="Measure with more --files"):
        distinct_questions(["What is this?"] * 100)


def test_as_many_questions_as_wanted_are_made_from_titles_and_sections(tmp_path):
    paths = []
    for number in range(10):
        path = Path(tmp_path, f"{number}.md")
        path.write_text(f"# Title {number}\n\n## Remarks\n\n## Section {number}\n", encoding="utf-8")
        paths.append(path)
    made = questions(paths, 5)
    assert len(made) == 5
    assert made[0] == "What does Title 0 say about Section 0?"
    assert not any("Remarks" in question for question in made)
