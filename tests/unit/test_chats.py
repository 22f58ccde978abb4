"""Conversations outlive the process, with everything that was answered."""

from __future__ import annotations

import pytest

from app.chats import ChatStore
from app.models import Answer, Citation, Sentence, Turn


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
    sentences=(Sentence("word", (1,), supported=True, start=0, end=8),),
    citations=(CITATION,),
    nearest=(CITATION,),
    timings={"total": 0.5},
    notice="n",
)


def test_an_answer_comes_back_as_it_was_after_a_restart(store, path):
    chat = store.create("work")
    store.add_answer(store.add_question(chat.id, "What?"), ANSWER)
    (exchange,) = ChatStore.open(path).exchanges(chat.id)
    assert (exchange.question, exchange.answer) == ("What?", ANSWER)
    assert exchange.as_turn() == Turn("What?", "word [1]")


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
