"""The operations on conversations that every interface uses: ask, stop, save, rate, rename, delete."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator, Sequence
from contextlib import closing
from typing import Protocol

from app.cancellation import STOPPED, CancelToken
from app.conversations.store import ChatStore, Conversation, Exchange
from app.models import Answer, Event, Turn
from ingest.filters import Filter

logger = logging.getLogger(__name__)


class Answers(Protocol):
    """Answers questions; `app.answering.AnswerService` does."""

    def ask(
        self,
        question: str,
        history: Sequence[Turn] = (),
        *,
        collection: str | None = None,
        within: Filter | None = None,
        cancel: CancelToken | None = None,
    ) -> Generator[Event, None, None]:
        """Yields the events of an answer."""
        ...


class AnswerInProgress:
    """An answer in progress; iterate over it for its events. The answer is saved before its event is yielded.

    Args:
        exchange: the question's exchange.
        begin: starts the answer, with a token that cancels it.
        keep: saves the answer of an exchange.
    """

    def __init__(
        self,
        exchange: Exchange,
        begin: Callable[[CancelToken], Generator[Event, None, None]],
        keep: Callable[[int, Answer], None],
    ) -> None:
        self.exchange = exchange
        self.answer: Answer | None = None
        self._cancel = CancelToken()
        self._events = self._kept(begin, keep)

    def __iter__(self) -> Iterator[Event]:
        """Yields the events. Raises what `AnswerService.ask` raises."""
        return self._events

    def cancel(self, why: str = STOPPED) -> None:
        """Ends the answer soon, from any thread; the reader of the events gets the partial answer."""
        self._cancel.cancel(why)

    def stop(self, why: str = STOPPED) -> Answer | None:
        """Ends the answer and its request and saves the partial answer; call it from the thread that reads the events.

        Args:
            why: a line shown to the user below the partial answer.

        Returns:
            The saved answer, marked incomplete; None if there was no text or saving failed, which is logged.
        """
        self.cancel(why)
        try:
            for _ in self._events:
                pass
        except Exception:
            logger.exception("The partial answer could not be saved")
        return self.answer

    def _kept(
        self, begin: Callable[[CancelToken], Generator[Event, None, None]], keep: Callable[[int, Answer], None]
    ) -> Generator[Event, None, None]:
        if self._cancel.cancelled:
            return
        with closing(begin(self._cancel)) as events:
            for event in events:
                if isinstance(event, Answer):
                    keep(self.exchange.id, event)
                    self.answer = event
                yield event


class Conversations:
    """The conversations of one data folder. Thread-safe.

    Args:
        store: stores them.
        answers: answers their questions.
    """

    def __init__(self, store: ChatStore, answers: Answers) -> None:
        self._store = store
        self._answers = answers

    def close(self) -> None:
        """Closes the store."""
        self._store.close()

    def create(self, collection: str, within: Filter | None = None) -> Conversation:
        """Starts a conversation about a collection, or some of its documents."""
        return self._store.create(collection, within)

    def all(self) -> list[Conversation]:
        """Lists the conversations that have a question, most recently used first."""
        return self._store.conversations()

    def get(self, conversation_id: str) -> Conversation | None:
        """Returns a conversation, or None if it was deleted."""
        return self._store.get(conversation_id)

    def exchanges(self, conversation_id: str) -> list[Exchange]:
        """Returns the questions and answers of a conversation, in order."""
        return self._store.exchanges(conversation_id)

    def ask(self, conversation: Conversation, question: str) -> AnswerInProgress:
        """Saves a question and starts its answer, using the conversation as context."""
        question = question.strip()
        exchange = Exchange(self.add_question(conversation.id, question), question, None)
        return self.ask_again(conversation, exchange)

    def ask_again(self, conversation: Conversation, exchange: Exchange) -> AnswerInProgress:
        """Starts another answer to a question; once saved, it replaces the old one."""

        def begin(cancel: CancelToken) -> Generator[Event, None, None]:
            earlier = [one for one in self.exchanges(conversation.id) if one.id < exchange.id]
            history = [turn for one in earlier if (turn := one.as_turn())]
            within = conversation.within or None
            return self._answers.ask(
                exchange.question, history, collection=conversation.collection, within=within, cancel=cancel
            )

        return AnswerInProgress(exchange, begin, self.keep)

    def add_question(self, conversation_id: str, question: str) -> int:
        """Saves a question without answering it, and returns its exchange's id."""
        return self._store.add_question(conversation_id, question)

    def keep(self, exchange_id: int, answer: Answer) -> None:
        """Saves the answer of a question, replacing any earlier one."""
        self._store.add_answer(exchange_id, answer)

    def rate(self, exchange_id: int, *, helpful: bool | None) -> None:
        """Saves the user's rating of an answer; None removes it."""
        self._store.rate(exchange_id, helpful=helpful)

    def rename(self, conversation_id: str, title: str) -> None:
        """Changes a conversation's title; a blank one is ignored."""
        if title.strip():
            self._store.rename(conversation_id, title)

    def delete(self, conversation_id: str) -> None:
        """Deletes a conversation with all its exchanges."""
        self._store.delete(conversation_id)

    def choose_collection(self, conversation_id: str, collection: str) -> None:
        """Switches a conversation to all documents of another collection."""
        self._store.set_collection(conversation_id, collection)
        self._store.set_filter(conversation_id, Filter())  # it named documents of the old collection

    def choose_documents(self, conversation_id: str, within: Filter) -> None:
        """Sets the documents that a conversation searches from now on."""
        self._store.set_filter(conversation_id, within)
