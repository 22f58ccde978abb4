"""Tests the three formats of evaluation sets; errors name file and line."""

from __future__ import annotations

import csv
import json

import pytest

from app.evaluation.dataset_readers import read_dataset
from app.evaluation.datasets import Span
from app.models import Turn
from ingest.errors import SourceError


def lines(path, rows):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text("".join((row if isinstance(row, str) else json.dumps(row)) + "\n" for row in rows))
    return path


@pytest.fixture
def beir(tmp_path):
    folder = tmp_path / "beir"
    lines(folder / "corpus.jsonl", [{"_id": "d1", "title": "T", "text": "one"}, {"_id": "d2", "text": "two"}])
    turns = [{"speaker": "user", "text": "First?"}, {"speaker": "agent", "text": "Yes."}]
    questions = [
        {"_id": "q1", "text": "one?"},
        {"_id": "q2", "text": "two?", "metadata": {"history": turns}},
        {"_id": "q3", "text": "unjudged?"},
        {"_id": "q4", "text": "none?", "metadata": {"answerable": False}},
    ]
    lines(folder / "queries.jsonl", questions)
    lines(folder / "qrels" / "test.tsv", ["query-id\tcorpus-id\tscore", "q1\td1\t2", "q1\td2\t0", "q2\td2\t1"])
    return folder


def test_a_beir_folder(beir):
    data = read_dataset(beir)
    assert data.corpus == {"d1": "# T\n\none", "d2": "two"}
    assert [(q.id, q.relevant, q.answerable) for q in data.questions] == [
        ("q1", {"d1": 2}, None),
        ("q2", {"d2": 1}, None),
        ("q4", {}, False),
    ]
    assert data.questions[1].history == (Turn("First?", "Yes."),)
    assert data.notes == ("1 questions without judgements were left out.",)
    assert data.has_history
    assert data.has_unanswerable
    assert not data.has_spans


def test_the_digest_differs_between_sets(beir):
    before = read_dataset(beir)
    assert read_dataset(beir).digest == before.digest == before.limited(1).digest
    lines(beir / "qrels" / "test.tsv", ["q1\td2\t1"])
    assert read_dataset(beir).digest != before.digest


def test_a_limit_chooses_the_same_questions_every_time(beir):
    data = read_dataset(beir)
    assert data.limited(2) == data.limited(2)
    assert len(data.limited(2).questions) == 2
    assert data.limited(9) is data


@pytest.mark.parametrize(
    ("file", "row", "said"),
    [
        ("queries.jsonl", "{broken", "queries.jsonl, line 1: not JSON"),
        ("queries.jsonl", ["no object"], "line 1: not a JSON object"),
        ("queries.jsonl", {"_id": "q1"}, '"text" is missing'),
        ("queries.jsonl", {"_id": "q1", "text": "x", "metadata": {"answerable": "no"}}, "must be true or false"),
        ("queries.jsonl", {"_id": "q1", "text": "x", "metadata": {"history": [1]}}, "not a list of turns"),
        ("queries.jsonl", {"_id": "other", "text": "x"}, "no question with a known answer"),
        ("corpus.jsonl", {"text": "x"}, '"_id" is missing'),
        ("qrels/test.tsv", "q1 d1 1", "test.tsv, line 1: not a judgement"),
        ("qrels/test.tsv", "query\tdocument\tgrade\nq1\td1\tmuch", "test.tsv, line 2: not a judgement"),
    ],
)
def test_problems_of_a_beir_folder_are_reported(beir, file, row, said):
    lines(beir / file, [row])
    with pytest.raises(SourceError, match=said):
        read_dataset(beir)


def test_a_question_id_occurs_once(beir):
    lines(beir / "queries.jsonl", [{"_id": "q1", "text": "a"}, {"_id": "q1", "text": "b"}])
    with pytest.raises(SourceError, match="appears twice"):
        read_dataset(beir)


def test_judgements_are_needed(beir):
    (beir / "qrels" / "test.tsv").unlink()
    with pytest.raises(SourceError, match=r"needs a file test\.tsv"):
        read_dataset(beir)


@pytest.fixture
def spans(tmp_path):
    folder = tmp_path / "spans"
    (folder / "corpora").mkdir(parents=True)
    (folder / "corpora" / "c.md").write_text("Apples are red. Bears are brown.")

    def written(start=0, end=15, content="Apples are red.", corpus="c", references=None):
        found = references or json.dumps([{"content": content, "start_index": start, "end_index": end}])
        with (folder / "questions_df.csv").open("w", newline="") as file:
            table = csv.writer(file)
            table.writerows([("question", "references", "corpus_id"), ("Which colour?", found, corpus)])
        return folder

    return written


def test_questions_with_character_references(spans):
    data = read_dataset(spans())
    assert data.has_spans
    assert data.questions[0].spans == (Span("c", 0, 15),)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"end": 16}, "line 2: characters 0 to 16 of c are not the reference's content"),
        ({"end": 99}, "characters 0 to 99 are not in c"),
        ({"corpus": "d"}, r"there is no file corpora/d"),
        ({"references": "[1]"}, "line 2: not a question with references"),
        ({"references": "broken"}, "not a question with references"),
    ],
)
def test_problems_of_references_are_reported(spans, change, said):
    with pytest.raises(SourceError, match=said):
        read_dataset(spans(**change))


def test_a_users_own_questions(tmp_path):
    rows = [
        {"question": "Leave?", "source": "handbook.pdf", "page": 3, "quote": "28 days"},
        {"question": "Moon?", "answerable": False},
        {"_id": "x", "question": "And?", "source": "a.md", "history": [{"question": "Why?", "answer": "So."}]},
    ]
    data = read_dataset(lines(tmp_path / "mine.jsonl", rows))
    first, second, third = data.questions
    assert (data.name, data.corpus) == ("mine", None)
    assert (first.id, first.relevant, first.page, first.quote) == ("1", {"handbook.pdf": 1}, 3, "28 days")
    assert (second.relevant, second.answerable) == ({}, False)
    assert (third.id, third.history) == ("x", (Turn("Why?", "So."),))


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ({"question": "Leave?"}, 'line 1: the "source" is missing'),
        ({"source": "a.md"}, '"question" is missing'),
        ({"question": "Leave?", "source": "a.md", "page": "three"}, "must be a number from 1"),
        ({"question": "Leave?", "source": "a.md", "answerable": 1}, "must be true or false"),
    ],
)
def test_problems_of_a_line_are_reported(tmp_path, row, said):
    with pytest.raises(SourceError, match=said):
        read_dataset(lines(tmp_path / "mine.jsonl", [row]))


def test_a_folder_that_is_not_a_question_set_is_reported(tmp_path):
    with pytest.raises(SourceError, match=r"is not an evaluation set\. Name a folder in BEIR's form"):
        read_dataset(tmp_path)
    with pytest.raises(SourceError, match="does not exist"):
        read_dataset(tmp_path / "nowhere")
    (tmp_path / "binary.jsonl").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(SourceError, match=r"binary\.jsonl could not be read"):
        read_dataset(tmp_path / "binary.jsonl")
