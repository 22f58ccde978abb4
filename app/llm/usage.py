"""What one answer takes of a language model: tokens, money, and seconds of waiting. Pure."""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.models import Usage, Waiting
from ingest.settings import Settings

if TYPE_CHECKING:
    from langchain_core.messages.ai import UsageMetadata

# Attempts after the first, in all, for one answer.
MOST_RETRIES = 3
# Seconds before the first of them where the server does not say; each further one waits twice as long.
FIRST_WAIT = 2.0
PRICED_TOKENS = 1_000_000
# From here on, dollars are told to the cent.
CENTS_FROM = 1.0


@dataclass(slots=True)
class Spending:
    """Counts over all requests that are made for one answer."""

    input_tokens: int = 0
    output_tokens: int = 0
    told: int = 0
    untold: int = 0
    waited: float = 0.0
    retries: int = 0

    def book(self, usage: UsageMetadata | None) -> None:
        """Counts a request that was answered: LangChain's usage_metadata, or None where the server told nothing."""
        if usage is None:
            self.untold += 1
            return
        self.told += 1
        self.input_tokens += usage["input_tokens"]
        self.output_tokens += usage["output_tokens"]

    def usage(self, settings: Settings) -> Usage | None:
        """What all requests took. None where there was none, or one of them did not say: no number is made up."""
        if self.untold or not self.told:
            return None
        prices = settings.llm_input_price, settings.llm_output_price
        cost = None
        if prices[0] is not None and prices[1] is not None:
            cost = (self.input_tokens * prices[0] + self.output_tokens * prices[1]) / PRICED_TOKENS
        return Usage(self.input_tokens, self.output_tokens, cost)

    def wait(self, retry_after: float | None, most: float) -> float | None:
        """Books the wait before the next attempt.

        Args:
            retry_after: seconds that the server asked for; None where it did not say.
            most: seconds that may be waited in all.

        Returns:
            Seconds to wait; None where there were too many attempts, or the wait would be too long.
        """
        seconds = FIRST_WAIT * 2**self.retries if retry_after is None else retry_after
        if self.retries >= MOST_RETRIES or self.waited + seconds > most:
            return None
        self.retries += 1
        self.waited += seconds
        return seconds


def total(usages: Iterable[Usage | None]) -> Usage | None:
    """What several answers took, those left out that did not say. The cost is None where one of the others has none."""
    told = [one for one in usages if one is not None]
    if not told:
        return None
    costs = [one.cost for one in told if one.cost is not None]
    cost = sum(costs) if len(costs) == len(told) else None
    return Usage(sum(one.input_tokens for one in told), sum(one.output_tokens for one in told), cost)


def usage_words(usage: Usage) -> str:
    """Words such as "1,234 tokens read, 56 written, $0.0004"; the cost only where it is known."""
    cost = "" if usage.cost is None else f", {_dollars(usage.cost)}"
    return f"{usage.input_tokens:,} tokens read, {usage.output_tokens:,} written{cost}"


def waiting_words(waiting: Waiting) -> str:
    """What is waited for, and where that is known, how long."""
    if waiting.seconds is None:
        return f"{waiting.reason} \u2026"
    return f"{waiting.reason} Asking again in {math.ceil(waiting.seconds):,} s \u2026"


def _dollars(cost: float) -> str:
    """To the cent, or below a dollar, to two digits that say something."""
    if not 0 < cost < CENTS_FROM:
        return f"${cost:,.2f}"
    whole, _, part = f"{float(f'{cost:.2g}'):.8f}".rstrip("0").partition(".")
    return f"${whole}.{part:0<2}"
