"""Tests asking in a conversation: answers are saved, and so are the partial answers of stopped ones."""

from __future__ import annotations

import pytest
from faults import failing

from app.cancellation import STOPPED
from app.conversations import ChatStore, Conversations
from app.models import Answer, Retrieved, Token, Turn, Waiting
from ingest.errors import VectorStoreError
from ingest.filters import Filter
from ingest.models import Query


class Scripted:
    """Answers with the same pieces each time, and says when its request was left."""

    def __init__(self, *pieces: str | Waiting | Exception) -> None:
        self.pieces, self.asked, self.left = pieces, [], 0

    def ask(self, question, history=(), *, collection=None, within=None, cancel=None):
        self.asked.append((question, list(history), collection, within))
        said = ""
        try:
            yield Retrieved(Query(question), ())
            for piece in cancel.until(self.pieces):
                if isinstance(piece, Exception):
                    raise piece
                said += piece if isinstance(piece, str) else ""
                yield Token(piece) if isinstance(piece, str) else piece
        finally:
            self.left += 1
        if said:
            notice = cancel.reason if cancel.cancelled else ""
            yield Answer(
                question, question, said, False, "openai:m", (), (), incomplete=cancel.cancelled, notice=notice
            )


@pytest.fixture
def opened(tmp_path):
    """Opens the conversations with what answers in them."""

    def conversations(answers: Scripted) -> Conversations:
        return Conversations(ChatStore.open(tmp_path / "chats.sqlite"), answers)

    return conversations


def first_token(making) -> None:
    for event in making:
        if isinstance(event, Token):
            return


def test_a_question_is_kept_before_it_is_answered_and_the_answer_before_it_is_given(opened):
    conversations = opened(Scripted("Red."))
    chat = conversations.create("fruit")
    making = conversations.ask(chat, "  What colour are apples? ")
    (exchange,) = conversations.exchanges(chat.id)
    assert (exchange.question, exchange.answer) == ("What colour are apples?", None)
    for event in making:
        if isinstance(event, Answer):
            assert conversations.exchanges(chat.id)[0].answer == event == making.answer
    assert making.answer.text == "Red."
    assert [one.title for one in conversations.all()] == ["What colour are apples?"]


def test_a_question_is_asked_with_the_answered_questions_before_it(opened):
    answers = Scripted("Red.")
    conversations = opened(answers)
    chat = conversations.create("fruit", Filter.of(types=["pdf"]))
    list(conversations.ask(chat, "Apples?"))
    conversations.add_question(chat.id, "Never answered?")
    list(conversations.ask(chat, "Bears?"))
    assert answers.asked[-1] == ("Bears?", [Turn("Apples?", "Red.")], "fruit", Filter.of(types=["pdf"]))
    list(conversations.ask_again(chat, conversations.exchanges(chat.id)[0]))
    assert answers.asked[-1][:2] == ("Apples?", [])


def test_an_answer_that_is_stopped_is_kept_and_its_request_ended(opened):
    answers = Scripted("Apples ", "are ", "red.")
    conversations = opened(answers)
    chat = conversations.create("fruit")
    making = conversations.ask(chat, "Apples?")
    first_token(making)
    came = making.stop()
    assert (came.text, came.incomplete, came.notice) == ("Apples ", True, STOPPED)
    assert conversations.exchanges(chat.id)[0].answer == came
    assert answers.left == 1
    assert making.stop("again") == came


def test_an_answer_cancelled_from_another_thread_keeps_its_partial_text(opened):
    conversations = opened(Scripted("Apples ", "are ", "red."))
    making = conversations.ask(conversations.create("fruit"), "Apples?")
    first_token(making)
    making.cancel("The visitor left.")
    (last,) = making
    assert (last.text, last.notice, last) == ("Apples ", "The visitor left.", making.answer)


@pytest.mark.parametrize("begun", [False, True])
def test_an_answer_that_is_stopped_before_its_first_word_keeps_nothing(opened, begun):
    answers = Scripted(Waiting("busy", 5.0), "Red.")
    conversations = opened(answers)
    chat = conversations.create("fruit")
    making = conversations.ask(chat, "Apples?")
    if begun:
        next(iter(making))
    assert making.stop() is None
    assert conversations.exchanges(chat.id)[0].answer is None
    assert answers.left == len(answers.asked) == int(begun)


def test_an_error_is_raised_for_the_reader_and_the_question_is_kept(opened):
    conversations = opened(Scripted(VectorStoreError("Chroma is not there.")))
    chat = conversations.create("fruit")
    making = conversations.ask(chat, "Apples?")
    with pytest.raises(VectorStoreError):
        list(making)
    assert making.stop() is None
    assert conversations.exchanges(chat.id)[0].answer is None


def test_an_answer_that_cannot_be_saved_is_logged_by_stop_and_raised_for_a_reader(opened, caplog):
    conversations = opened(Scripted("Apples ", "are red."))
    chat = conversations.create("fruit")

    with failing(ChatStore, "add_answer", OSError("disk full")):
        making = conversations.ask(chat, "Apples?")
        first_token(making)
        assert making.stop() is None
        assert "could not be saved" in caplog.text
        with pytest.raises(OSError, match="disk full"):
            list(conversations.ask(chat, "Apples?"))


def test_another_collection_is_asked_of_all_its_documents(opened):
    conversations = opened(Scripted("Red."))
    chat = conversations.create("fruit")
    conversations.choose_documents(chat.id, Filter.of(types=["pdf"]))
    assert conversations.get(chat.id).within == Filter.of(types=["pdf"])
    conversations.choose_collection(chat.id, "pets")
    changed = conversations.get(chat.id)
    assert (changed.collection, changed.within) == ("pets", Filter())


def test_conversations_are_rated_renamed_and_deleted(opened):
    conversations = opened(Scripted("Red."))
    chat = conversations.create("fruit")
    making = conversations.ask(chat, "Apples?")
    list(making)
    conversations.rate(making.exchange.id, helpful=True)
    assert conversations.exchanges(chat.id)[0].helpful is True
    conversations.rename(chat.id, "  ")
    assert conversations.get(chat.id).title == "Apples?"
    conversations.rename(chat.id, "Fruit")
    assert conversations.get(chat.id).title == "Fruit"
    conversations.delete(chat.id)
    assert conversations.get(chat.id) is None
