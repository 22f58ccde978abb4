"""Limits the time and length of a language model's answer. Pure but for its clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ingest.errors import LLMError, LLMInterrupted, LLMUnreachable

# Most characters of an answer, and of all that a model writes, including reasoning.
MOST_ANSWER, MOST_WRITTEN = 100_000, 1_000_000
SLOW = "Raise FOOTNOTE_LLM_TIMEOUT if the model is slow, or choose another one in FOOTNOTE_LLM."


@dataclass(frozen=True, slots=True)
class Patience:
    """Time limits for a model and its server.

    Attributes:
        asking: seconds allowed for a quick request, such as the server's list of models.
        stale: seconds within which a stale connection fails; more than a moment, to allow for a busy machine.
        thinking: multiple of FOOTNOTE_LLM_TIMEOUT until the first word of the answer.
        whole: multiple of FOOTNOTE_LLM_TIMEOUT for the whole answer.
    """

    asking: float = 3.0
    stale: float = 3.0
    thinking: int = 5
    whole: int = 10


PATIENCE = Patience()


class AnswerLimits:
    """Ends an answer that makes no progress. Only text shown to the user counts as progress.

    Args:
        who: the model's name in messages.
        seconds: FOOTNOTE_LLM_TIMEOUT, which limits the wait for any sign of the server, and for the next word.
        clock: a monotonic clock, in seconds.
        patience: the longer limits for the first word and the whole answer, as multiples of `seconds`.
    """

    def __init__(
        self,
        who: str,
        seconds: float,
        clock: Callable[[], float] = time.monotonic,
        patience: Patience = PATIENCE,
    ) -> None:
        self._who = who
        self._seconds = seconds
        self._clock = clock
        self._thinking, self._whole = patience.thinking * seconds, patience.whole * seconds
        self._began = self._heard = clock()
        self._worded: float | None = None
        self._written = self._length = 0
        self._said: list[str] = []

    def heard(self, text: str) -> None:
        """Records output from the server: its text, including reasoning, or "" for a sign without text.

        Raises:
            LLMError: the model wrote too much.
        """
        self._heard = self._clock()
        self._written += len(text)
        if self._written > MOST_WRITTEN:
            self._end(
                f"{self._who} wrote more than {MOST_WRITTEN:,} characters",
                "It may be repeating itself. Ask again, or choose another model in FOOTNOTE_LLM.",
            )

    def said(self, text: str) -> None:
        """Records text that is shown.

        Raises:
            LLMError: the answer is too long.
        """
        self._said.append(text)
        self._length += len(text)
        if text.strip():
            self._worded = self._clock()
        if self._length > MOST_ANSWER:
            self._end(
                f"The answer of {self._who} has more than {MOST_ANSWER:,} characters",
                "Ask for less, or choose another model in FOOTNOTE_LLM.",
            )

    def retracted(self) -> None:
        """Records that the text shown so far is not part of the answer."""
        self._said.clear()
        self._length, self._worded = 0, None

    @property
    def text(self) -> str:
        """The text shown so far."""
        return "".join(self._said)

    def check(self) -> None:
        """Ends an answer that takes too long.

        Raises:
            LLMUnreachable: the server sent nothing for too long.
            LLMInterrupted: the text stopped, or is not complete in time.
            LLMError: no answer text came in time.
        """
        now, worded = self._clock(), self._worded
        if worded is not None and now - worded > self._seconds:
            self._end(f"{self._who} sent no further text within {self._seconds:g} seconds", SLOW)
        if worded is None and now - self._heard > self._seconds:
            raise LLMUnreachable(unanswered(self._who, self._seconds))
        if worded is None and now - self._began > self._thinking:
            self._end(f"{self._who} sent no text of an answer within {self._thinking:g} seconds", SLOW)
        if now - self._began > self._whole:
            self._end(f"The answer of {self._who} was not complete within {self._whole:g} seconds", SLOW)

    def _end(self, what: str, then: str) -> None:
        if self.text.strip():
            raise LLMInterrupted(f"{what} and was cut off. {then}", partial=self.text)
        raise LLMError(f"{what}. {then}")


def unanswered(who: str, seconds: float) -> str:
    """Returns the message for a server that does not respond."""
    return f"{who} did not answer within {seconds:g} seconds (FOOTNOTE_LLM_TIMEOUT)."
