"""Questions without a model: from definitions, headings and sentences that no other has."""

from __future__ import annotations

import random

import pytest

from app.evaluation.question_generator import located, shortest_names, spread
from app.evaluation.question_templates import definition, drafts
from ingest.models import StoredChunk


def chunk(text, heading=(), source="/docs/a.md", position=0):
    ident = f"{source}-{position}"
    return StoredChunk(ident, source, source, source, "", position, 0, len(text), text, None, heading)


@pytest.mark.parametrize(
    ("sentence", "question"),
    [
        ("An embedding is a list of numbers.", "What is an embedding?"),
        ("Recall at k is the share of the wanted passages that are found.", "What is recall at k?"),
        ("Vector databases are the stores of embeddings.", "What are vector databases?"),
        ("Chroma is an open-source vector database.", "What is Chroma?"),
        ("Inverted index: a table that lists the documents of every term.", 'What does "inverted index" mean?'),
        ("- **Refusal rate** - the share of questions that are refused.", 'What does "refusal rate" mean?'),
        ("- Speed: a model of few parameters needs little work.", None),
        ("It is a list of numbers.", None),
        ("There is a way.", None),
        ("The formula is the dot product.", None),
        ("Three things: a set of documents, a set of questions and judgements.", None),
        ("A batch size of 32 is a good start.", None),
        ("Nothing is defined here.", None),
    ],
)
def test_a_definition_is_turned_into_its_question(sentence, question):
    common = frozenset(["recall", "vector", "inverted", "refusal"])
    assert definition(sentence, common) == question


def test_a_heading_asks_for_the_first_sentence_under_it():
    text = "## Paid leave\n\nEverybody has 28 days of paid leave in a year. Managers have thirty."
    (draft,) = drafts([chunk(text, ("Handbook", "Paid leave")), chunk("paid work", (), "/docs/b.md")])["heading"]
    assert draft.question == "What do the documents say about paid leave?"
    assert text[draft.start : draft.end] == "Everybody has 28 days of paid leave in a year."


def test_text_common_to_several_documents_is_not_asked_about():
    text = "Everybody has 28 days of paid leave in a year."
    chunks = [chunk(text, ("Paid leave",), source) for source in ("/a.md", "/b.md")]
    chunks.append(chunk(text, ("Introduction",), "/c.md"))
    assert drafts(chunks)["heading"] == []


def test_a_distinctive_sentence_is_asked_for_by_its_rare_words():
    common = "The office is open on all days of the week and at night."
    rare = "The barograph of the weather station draws pressure curves on drums of paper."
    chunks = [chunk(f"{common} Part {i}.", position=i) for i in range(4)] + [chunk(f"{common} {rare}", position=9)]
    (draft,) = drafts(chunks)["sentence"]
    assert draft.chunk.text[draft.start : draft.end] == rare
    assert "barograph" in draft.question
    assert "office" not in draft.question


def test_a_quote_of_a_model_is_held_to_the_text_word_for_word():
    text = "Everybody has 28 days\nof paid leave."
    start, end = located('"28 days of paid leave."', text)
    assert text[start:end] == "28 days\nof paid leave."
    assert located("29 days of paid leave", text) is None
    assert located("28 days", text) is None, "too short to tell anything"


def test_sources_get_the_shortest_distinct_names():
    names = shortest_names({"/x/a.pdf", "/y/a.pdf", "/y/b.pdf", "https://example.org/page"})
    assert names["/x/a.pdf"] == "x/a.pdf"
    assert names["/y/a.pdf"] == "y/a.pdf"
    assert names["/y/b.pdf"] == "b.pdf"
    assert names["https://example.org/page"] == "page"


def test_chunks_are_spread_over_the_documents():
    chunks = [chunk("x", source="/a.md", position=i) for i in range(5)] + [chunk("y", source="/b.md")]
    order = spread(chunks, random.Random(1))
    assert sorted(one.id for one in order) == sorted(one.id for one in chunks)
    assert {one.source for one in order[:2]} == {"/a.md", "/b.md"}
