"""Tests when a command opens the data folder itself: only if no running chat takes the call."""

from __future__ import annotations

import pytest

from app.cli.chat_or_own import ChatOrOwn
from app.local_service import NotServed
from app.models import SearchResult, Token
from ingest.errors import ChatStopped


class Saying:
    """Answers every call with its name; counts the calls; raises `error` at the event `at`."""

    def __init__(self, name: str, error: Exception | None = None, at: int = 0) -> None:
        self.name, self.error, self.at, self.calls = name, error, at, 0

    def _called(self) -> None:
        self.calls += 1
        if self.error and not self.at:
            raise self.error

    def model_note(self, collection=None):
        self._called()
        return f"{self.name}: {collection}"

    def check_filter(self, within, *, collection=None):
        self._called()

    def retrieve(self, question, k, *, collection=None, within=None):
        self._called()
        return SearchResult([], (self.name, question, str(k)))

    def ask(self, question, *, collection=None, k=None, within=None, cancel=None):
        self._called()
        yield Token(self.name)
        if self.error:
            raise self.error
        yield Token(question)


@pytest.fixture
def opened():
    return []


@pytest.fixture
def either(opened):
    def built(chat):
        def open_own(collection):
            opened.append((collection, Saying("own")))
            return opened[-1][1]

        return ChatOrOwn(chat, open_own)

    return built


def test_a_running_chat_does_all_of_it(either, opened):
    one = either(Saying("chat"))
    assert one.model_note("c") == "chat: c"
    one.check_filter(None)
    assert one.retrieve("why", 3).notices == ("chat", "why", "3")
    assert list(one.ask("why")) == [Token("chat"), Token("why")]
    assert opened == []


def test_without_a_chat_the_folder_is_opened_once(either, opened):
    one = either(None)
    assert one.model_note("c") == "own: c"
    one.check_filter(None, collection="d")
    assert one.retrieve("why", 3, collection="d").notices == ("own", "why", "3")
    assert list(one.ask("why", collection="d")) == [Token("own"), Token("why")]
    assert [collection for collection, _ in opened] == ["c"]


def test_a_chat_that_does_not_serve_is_not_asked_again(either, opened):
    chat = Saying("chat", NotServed("other settings"))
    one = either(chat)
    assert list(one.ask("why")) == [Token("own"), Token("why")]
    assert one.model_note("c") == "own: c"
    assert (chat.calls, len(opened)) == (1, 1)


def test_a_chat_that_stops_within_an_answer_is_an_error(either, opened):
    events = either(Saying("chat", ChatStopped("It stopped."), at=1)).ask("why")
    assert next(events) == Token("chat")
    with pytest.raises(ChatStopped):
        next(events)
    assert opened == []
