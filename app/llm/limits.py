"""How long one answer of a language model may take, and how much it may say. Pure but for its clock."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

from ingest.errors import LLMError, LLMInterrupted, LLMUnreachable

# Characters of an answer, and of all that a model writes, thoughts included.
MOST_ANSWER, MOST_WRITTEN = 100_000, 1_000_000
SLOW = "Raise FOOTNOTE_LLM_TIMEOUT for a model that is so slow, or choose another one in FOOTNOTE_LLM."


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a model and its server are waited for.

    Attributes:
        asking: seconds for an answer that a server gives at once or never, such as its list of models.
        stale: seconds in which a kept connection turns out to be closed; more than a moment, for a busy machine.
        thinking: times FOOTNOTE_LLM_TIMEOUT, until the first word, whatever else comes.
        whole: times FOOTNOTE_LLM_TIMEOUT, all in all.
    """

    asking: float = 3.0
    stale: float = 3.0
    thinking: int = 5
    whole: int = 10


PATIENCE = Patience()


class Limits:
    """Ends an answer that does not come on. Only words that are shown count as getting on.

    Args:
        who: the model, in messages.
        seconds: FOOTNOTE_LLM_TIMEOUT. Without any sign of the server, and after its first word between two words, no
            more may go by; before the first word and in all, so many times as many as `patience` says.
        clock: seconds that go on.
        patience: how many times as many.
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
        """Takes note of a sign of the server: what it wrote, thoughts too, or "" for a sign without words.

        Raises:
            LLMError: the model wrote too much.
        """
        self._heard = self._clock()
        self._written += len(text)
        if self._written > MOST_WRITTEN:
            self._end(
                f"{self._who} wrote more than {MOST_WRITTEN:,} characters",
                "It seems to have lost its thread. Ask again, or choose another model in FOOTNOTE_LLM.",
            )

    def said(self, text: str) -> None:
        """Takes note of words that are shown.

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
        """Takes note that what was shown is no part of the answer."""
        self._said.clear()
        self._length, self._worded = 0, None

    @property
    def text(self) -> str:
        """What was shown until now."""
        return "".join(self._said)

    def check(self) -> None:
        """Ends what takes too long.

        Raises:
            LLMUnreachable: no sign of the server for too long.
            LLMInterrupted: its words stopped coming, or it has more of them than there is time for.
            LLMError: it gave no word in all the time.
        """
        now, worded = self._clock(), self._worded
        if worded is not None and now - worded > self._seconds:
            self._end(f"{self._who} gave no further word within {self._seconds:g} seconds", SLOW)
        if worded is None and now - self._heard > self._seconds:
            raise LLMUnreachable(unanswered(self._who, self._seconds))
        if worded is None and now - self._began > self._thinking:
            self._end(f"{self._who} gave no word of an answer within {self._thinking:g} seconds", SLOW)
        if now - self._began > self._whole:
            self._end(f"The answer of {self._who} was not complete within {self._whole:g} seconds", SLOW)

    def _end(self, what: str, then: str) -> None:
        if self.text.strip():
            raise LLMInterrupted(f"{what} and was cut off. {then}", partial=self.text)
        raise LLMError(f"{what}. {then}")


def unanswered(who: str, seconds: float) -> str:
    """What is said of a server that gives no sign."""
    return f"{who} did not answer within {seconds:g} seconds (FOOTNOTE_LLM_TIMEOUT)."
