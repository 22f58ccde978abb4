"""Counts the tokens, cost and waiting time of one answer. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from app.models import Usage
from ingest.settings import Settings

if TYPE_CHECKING:
    from langchain_core.messages.ai import UsageMetadata

# Most retries for one answer.
MOST_RETRIES = 3
# Seconds before the first retry, unless the server says; doubled for each further one.
FIRST_WAIT = 2.0
PRICED_TOKENS = 1_000_000


@dataclass(slots=True)
class Spending:
    """Counts over all requests for one answer."""

    input_tokens: int = 0
    output_tokens: int = 0
    told: int = 0
    untold: int = 0
    waited: float = 0.0
    retries: int = 0

    def book(self, usage: UsageMetadata | None) -> None:
        """Counts a request: LangChain's usage_metadata, or None if the server reported none."""
        if usage is None:
            self.untold += 1
            return
        self.told += 1
        self.input_tokens += usage["input_tokens"]
        self.output_tokens += usage["output_tokens"]

    def usage(self, settings: Settings) -> Usage | None:
        """Returns the usage of all requests; None if there were none or any is unknown, as nothing is estimated."""
        if self.untold or not self.told:
            return None
        prices = settings.llm_input_price, settings.llm_output_price
        cost = None
        if prices[0] is not None and prices[1] is not None:
            cost = (self.input_tokens * prices[0] + self.output_tokens * prices[1]) / PRICED_TOKENS
        return Usage(self.input_tokens, self.output_tokens, cost)

    def wait(self, retry_after: float | None, most: float) -> float | None:
        """Records the wait before the next attempt.

        Args:
            retry_after: seconds the server asked for; None if it did not say.
            most: total seconds of waiting allowed.

        Returns:
            Seconds to wait; None after too many attempts, or if the wait would be too long.
        """
        seconds = FIRST_WAIT * 2**self.retries if retry_after is None else retry_after
        if self.retries >= MOST_RETRIES or self.waited + seconds > most:
            return None
        self.retries += 1
        self.waited += seconds
        return seconds


def total(usages: Iterable[Usage | None]) -> Usage | None:
    """Adds up usages, ignoring unknown ones. The cost is None if any of the others has no cost."""
    told = [one for one in usages if one is not None]
    if not told:
        return None
    costs = [one.cost for one in told if one.cost is not None]
    cost = sum(costs) if len(costs) == len(told) else None
    return Usage(sum(one.input_tokens for one in told), sum(one.output_tokens for one in told), cost)
