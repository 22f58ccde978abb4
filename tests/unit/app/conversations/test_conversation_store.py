"""Conversations outlive the process, with everything that was answered."""

from __future__ import annotations

import json
import sqlite3
from dataclasses import replace

import pytest

from app.conversations.store import SCHEMA_VERSION, ChatStore
from app.models import Answer, Citation, Quote, Sentence, Turn, Usage
from ingest.filters import Filter


@pytest.fixture
def path(tmp_path):
    return tmp_path / "chats.sqlite"


@pytest.fixture
def store(path):
    return ChatStore.open(path)


CITATION = Citation(1, "/docs/a.pdf", "v", "T", 3, ("A", "B"), 5, 9, "word")
ANSWER = Answer(
    question="q",
    searched="s",
    text="word [1]",
    refused=False,
    answerer="extractive",
    sentences=(Sentence("word", (1,), True, 0, 8, quotes=(Quote(1, 5, 9, "word"),), spans=((0, 4),)),),
    citations=(CITATION,),
    nearest=(CITATION,),
    timings={"total": 0.5},
    notice="n",
    usage=Usage(1200, 34, 0.0012),
    prompt="0123456789ab",
    within=Filter.of(sources=["/docs"], types=["pdf"], since="2026-01-31", tags=["contract"]),
)


def test_an_answer_comes_back_as_it_was_after_a_restart(store, path):
    chat = store.create("work")
    store.add_answer(store.add_question(chat.id, "What?"), ANSWER)
    (exchange,) = ChatStore.open(path).exchanges(chat.id)
    assert (exchange.question, exchange.answer) == ("What?", ANSWER)
    assert exchange.as_turn() == Turn("What?", "word [1]")


def test_a_rating_of_an_answer_is_saved_and_can_be_withdrawn(store, path):
    chat = store.create("work")
    number = store.add_question(chat.id, "What?")
    store.add_answer(number, ANSWER)
    assert store.exchanges(chat.id)[0].helpful is None
    for said in (True, False, None):
        store.rate(number, helpful=said)
        assert ChatStore.open(path).exchanges(chat.id)[0].helpful is said


def test_an_answer_kept_before_tokens_were_counted_still_opens_in_todays_format(store, path):
    chat = store.create("work")
    store.add_answer(store.add_question(chat.id, "What?"), ANSWER)
    with sqlite3.connect(path) as db:
        (stored,) = db.execute("SELECT answer FROM exchanges").fetchone()
        fields = json.loads(stored)
        del fields["usage"], fields["prompt"], fields["within"]
        db.execute("UPDATE exchanges SET answer = ?", (json.dumps(fields),))
        db.execute("ALTER TABLE exchanges DROP COLUMN earlier")
        db.execute("PRAGMA user_version = 2")
    (exchange,) = ChatStore.open(path).exchanges(chat.id)
    assert exchange.answer == replace(ANSWER, usage=None, prompt="", within=Filter())
    assert exchange.usages == ()
    with sqlite3.connect(path) as db:
        assert db.execute("PRAGMA user_version").fetchone() == (SCHEMA_VERSION,)


def test_an_answer_kept_before_sentences_could_be_unchecked_still_opens_and_those_are_kept(store, path):
    chat = store.create("work")
    unchecked = replace(ANSWER.sentences[0], supported=None, unchecked=True, reason="it is in another language")
    for answer in (ANSWER, replace(ANSWER, sentences=(unchecked,))):
        store.add_answer(store.add_question(chat.id, "What?"), answer)
    with sqlite3.connect(path) as db:
        stored = json.loads(db.execute("SELECT answer FROM exchanges ORDER BY id").fetchone()[0])
        for sentence in stored["sentences"]:
            del sentence["unchecked"]
        db.execute("UPDATE exchanges SET answer = ? WHERE id = (SELECT MIN(id) FROM exchanges)", (json.dumps(stored),))
        db.execute("PRAGMA user_version = 4")
    before, after = ChatStore.open(path).exchanges(chat.id)
    assert before.answer == ANSWER
    assert [one.verdict for one in after.answer.sentences] == ["not checked"]


def test_the_usage_of_a_replaced_answer_is_kept(store, path):
    chat = store.create("work")
    number = store.add_question(chat.id, "What?")
    untold, quoted = replace(ANSWER, usage=None), replace(ANSWER, usage=None, prompt="")
    for answer in (ANSWER, untold, quoted, replace(ANSWER, usage=Usage(7, 8))):
        store.add_answer(number, answer)
    (exchange,) = ChatStore.open(path).exchanges(chat.id)
    assert exchange.answer.usage == Usage(7, 8)
    assert exchange.usages == (ANSWER.usage, None, Usage(7, 8))
    store.add_answer(number, quoted)
    assert store.exchanges(chat.id)[0].usages == (ANSWER.usage, None, Usage(7, 8))


def test_an_answer_to_a_conversation_that_was_deleted_meanwhile_is_kept_nowhere(store):
    chat = store.create("work")
    number = store.add_question(chat.id, "What?")
    store.delete(chat.id)
    store.add_answer(number, ANSWER)
    assert store.exchanges(chat.id) == []


def test_an_answer_kept_before_sentences_had_quotes_still_opens(store, path):
    chat = store.create("work")
    store.add_answer(store.add_question(chat.id, "What?"), ANSWER)
    with sqlite3.connect(path) as db:
        (stored,) = db.execute("SELECT answer FROM exchanges").fetchone()
        fields = json.loads(stored)
        for new in ("partly", "quotes", "spans"):
            del fields["sentences"][0][new]
        db.execute("UPDATE exchanges SET answer = ?", (json.dumps(fields),))
    (sentence,) = ChatStore.open(path).exchanges(chat.id)[0].answer.sentences
    assert (sentence.verdict, sentence.quotes) == ("supported", ())


def test_a_question_without_its_answer_is_kept(store, path):
    chat = store.create("work")
    store.add_question(chat.id, "What?")
    (exchange,) = ChatStore.open(path).exchanges(chat.id)
    assert exchange.answer is None
    assert exchange.as_turn() is None


def test_the_first_question_names_a_conversation_until_it_is_renamed(store):
    chat = store.create("work")
    store.add_question(chat.id, "Why  is\nthe sky blue? " + "x" * 100)
    title = store.get(chat.id).title
    assert title.startswith("Why is the sky blue?")
    assert len(title) <= 60
    store.rename(chat.id, "Sky")
    store.add_question(chat.id, "Another")
    assert store.get(chat.id).title == "Sky"


def test_conversations_are_listed_last_used_first_and_only_when_used(store):
    first, second, _unused = (store.create("work") for _ in range(3))
    store.add_question(first.id, "a")
    store.add_question(second.id, "b")
    store.add_question(first.id, "c")
    assert [chat.id for chat in store.conversations()] == [first.id, second.id]


def test_a_deleted_conversation_is_gone_with_its_exchanges(store):
    chat = store.create("work")
    store.add_question(chat.id, "a")
    store.delete(chat.id)
    assert store.get(chat.id) is None
    assert store.exchanges(chat.id) == []


def test_a_conversation_can_turn_to_another_collection(store):
    chat = store.create("work")
    store.set_collection(chat.id, "home")
    assert store.get(chat.id).collection == "home"


def test_a_conversation_keeps_which_documents_it_asks(store, path):
    within = Filter.of(sources=["/docs/a b.pdf"], types=["pdf"], since="2026-01-31", tags=["contract"])
    chat = store.create("work", within)
    assert chat.within == within
    assert ChatStore.open(path).get(chat.id).within == within
    store.set_filter(chat.id, Filter())
    assert not ChatStore.open(path).get(chat.id).within
