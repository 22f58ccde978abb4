"""What every interface does with conversations: ask in them, stop, keep, rate, rename, delete."""

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
        """Gives the events of an answer."""
        ...


class AnswerInProgress:
    """An answer while it is made: iterate over it for its events. The answer is kept before its event is given.

    Args:
        exchange: the question.
        begin: starts the answer, which the token cancels.
        keep: keeps the answer of an exchange.
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
        """Gives the events. Raises what `AnswerService.ask` does."""
        return self._events

    def cancel(self, why: str = STOPPED) -> None:
        """Ends the answer soon, from any thread; whoever reads the events gets what came."""
        self._cancel.cancel(why)

    def stop(self, why: str = STOPPED) -> Answer | None:
        """Ends the answer and with it the request to the model, and keeps what came; for the thread that reads it.

        Args:
            why: a line for the reader of what came.

        Returns:
            What was kept, marked incomplete; None where nothing came, or it could not be kept, which is logged.
        """
        self.cancel(why)
        try:
            for _ in self._events:
                pass
        except Exception:
            logger.exception("What came of an answer could not be kept")
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
        store: keeps them.
        answers: answers their questions.
    """

    def __init__(self, store: ChatStore, answers: Answers) -> None:
        self._store = store
        self._answers = answers

    def close(self) -> None:
        """Closes the store."""
        self._store.close()

    def create(self, collection: str, within: Filter | None = None) -> Conversation:
        """Begins a conversation about a collection, or some of its documents."""
        return self._store.create(collection, within)

    def all(self) -> list[Conversation]:
        """Lists the conversations in which something was asked, the last used first."""
        return self._store.conversations()

    def get(self, conversation_id: str) -> Conversation | None:
        """Returns a conversation, or None where it was deleted."""
        return self._store.get(conversation_id)

    def exchanges(self, conversation_id: str) -> list[Exchange]:
        """Returns the questions and answers of a conversation, in order."""
        return self._store.exchanges(conversation_id)

    def ask(self, conversation: Conversation, question: str) -> AnswerInProgress:
        """Keeps a question and begins its answer, which leans on what was said before."""
        question = question.strip()
        exchange = Exchange(self.add_question(conversation.id, question), question, None)
        return self.ask_again(conversation, exchange)

    def ask_again(self, conversation: Conversation, exchange: Exchange) -> AnswerInProgress:
        """Begins another answer to a question, which takes the place of its answer once it is kept."""

        def begin(cancel: CancelToken) -> Generator[Event, None, None]:
            earlier = [one for one in self.exchanges(conversation.id) if one.id < exchange.id]
            history = [turn for one in earlier if (turn := one.as_turn())]
            within = conversation.within or None
            return self._answers.ask(
                exchange.question, history, collection=conversation.collection, within=within, cancel=cancel
            )

        return AnswerInProgress(exchange, begin, self.keep)

    def add_question(self, conversation_id: str, question: str) -> int:
        """Keeps a question without answering it, and returns its exchange's id."""
        return self._store.add_question(conversation_id, question)

    def keep(self, exchange_id: int, answer: Answer) -> None:
        """Keeps the answer of a question in the place of the one before."""
        self._store.add_answer(exchange_id, answer)

    def rate(self, exchange_id: int, *, helpful: bool | None) -> None:
        """Keeps what the reader says of an answer; None takes it back."""
        self._store.rate(exchange_id, helpful=helpful)

    def rename(self, conversation_id: str, title: str) -> None:
        """Gives a conversation another title; a blank one changes nothing."""
        if title.strip():
            self._store.rename(conversation_id, title)

    def delete(self, conversation_id: str) -> None:
        """Deletes a conversation with all its exchanges."""
        self._store.delete(conversation_id)

    def choose_collection(self, conversation_id: str, collection: str) -> None:
        """Makes a conversation ask all documents of another collection from now on."""
        self._store.set_collection(conversation_id, collection)
        self._store.set_filter(conversation_id, Filter())  # it named documents of the other one

    def choose_documents(self, conversation_id: str, within: Filter) -> None:
        """Makes a conversation ask these documents from now on."""
        self._store.set_filter(conversation_id, within)
