"""Tests answers from the sample documents: correct, quoted exactly, and refused if no document answers."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from app.bootstrap import open_footnote
from app.integrations.langchain import FootnoteRetriever
from app.models import Answer, Retrieved, Token, Turn
from ingest.loaders import load

pytestmark = pytest.mark.usefixtures("shared_chroma")

TESTS = Path(__file__).resolve().parents[2]


def questions(name: str) -> list[dict]:
    return [json.loads(line) for line in (TESTS / name).read_text().splitlines()]


def answered(footnote, text: str, history=()) -> Answer:
    *_, last = footnote.ask(text, history)
    assert isinstance(last, Answer)
    return last


@pytest.fixture(scope="module")
def sample_answers(sampled) -> list[tuple[dict, Answer]]:
    return [(question, answered(sampled, question["text"])) for question in questions("sample_questions.jsonl")]


@pytest.mark.slow
def test_nearly_all_sample_questions_are_answered_by_quotes(sample_answers):
    wrong = [q["text"] for q, a in sample_answers if q["answer_contains"].casefold() not in a.text.casefold()]
    assert len(wrong) <= 6, wrong


def test_the_passage_with_the_answer_is_always_retrieved(sampled):
    missing = []
    for question in questions("sample_questions.jsonl"):
        found = sampled.search(question["text"], 8)
        if not any(question["answer_contains"].casefold() in " ".join(h.chunk.text.split()).casefold() for h in found):
            missing.append(question["text"])
    assert missing == []


@pytest.mark.slow
def test_questions_of_other_fields_are_refused_and_the_nearest_passages_shown(sampled):
    answers = [answered(sampled, question["text"]) for question in questions("offtopic_questions.jsonl")]
    refused = [answer for answer in answers if answer.refused]
    assert len(refused) >= 12
    assert all(answer.nearest and not answer.citations for answer in refused)
    assert {answer.text for answer in refused} == {"I could not find this in the documents."}


@pytest.mark.slow
def test_every_footnote_quotes_its_document_to_the_character(sample_answers):
    for _, answer in sample_answers:
        assert answer.answerer == "extractive"
        if answer.refused:  # how many may be is said above
            continue
        assert 1 <= len(answer.citations) <= 4
        for note in answer.citations:
            assert load(Path(note.document)).text[note.start : note.end] == note.quote
        for sentence in answer.sentences:
            assert sentence.citations
            assert all(1 <= n <= len(answer.citations) for n in sentence.citations)


def test_a_row_deep_in_a_long_table_is_answered_under_the_names_of_its_columns(settings, tmp_path):
    rows = "\n".join(f"Plant {n},{1900 + n},{3 * n + 1}" for n in range(1, 400))
    (tmp_path / "plants.csv").write_text(f"Plant,Opened,Turbines\n{rows}\n")
    with open_footnote(settings) as footnote:
        footnote.ingest([tmp_path / "plants.csv"])
        answer = answered(footnote, "How many turbines has plant 397?")
    assert answer.text == "Plant 397, Turbines: 1192 [1]"


def test_events_come_in_order_and_the_tokens_are_the_answer(sampled):
    events = list(sampled.ask("What is an embedding?"))
    assert isinstance(events[0], Retrieved)
    assert isinstance(events[-1], Answer)
    assert all(isinstance(event, Token) for event in events[1:-1])
    assert "".join(event.text for event in events[1:-1]) == events[-1].text


def test_a_follow_up_question_is_understood(sampled):
    first = "How many days of paid leave do Larkspur employees get?"
    answer = answered(sampled, "And after five years?", [Turn(first, "28 days.")])
    assert "30 days" in answer.text


def test_surroundings_hold_the_quote_until_the_document_changes(footnote, write):
    text = "Before it.\n\n" + "Apples are red.\n\nAfter it."
    path = write("a.txt", text)
    footnote.ingest([path])
    (note, *_) = answered(footnote, "What colour are apples?").citations
    around = footnote.surroundings(note)
    assert around.before + around.quote + around.after == text
    write("a.txt", "Something else.")
    footnote.ingest([path])
    assert footnote.surroundings(note) is None


def test_the_search_is_a_langchain_retriever(sampled):
    documents = FootnoteRetriever(retriever=sampled.retriever("default"), k=3).invoke("What is BM25?")
    assert len(documents) == 3
    assert "BM25" in documents[0].page_content
    assert any(document.metadata["source"].endswith("glossary.txt") for document in documents)


def test_a_clause_is_found_by_its_number_among_many(footnote, tmp_path):
    clauses = [f"{i}.{j} The party of room {i * 10 + j} pays for it." for i in range(1, 30) for j in range(1, 9)]
    (tmp_path / "contract.md").write_text("# Contract\n\n" + "\n\n".join(clauses))
    footnote.ingest([tmp_path / "contract.md"])
    answer = answered(footnote, "What does clause 17.4 say?")
    assert [note.quote for note in answer.citations] == ["17.4 The party of room 174 pays for it."]
    assert answered(footnote, "What does clause 31.4 say?").refused
    assert answered(footnote, "Which fine does article 17 of the penal code provide for theft?").refused
