"""The token by which an answer in the making is cancelled: it is checked between events, and nothing is thrown."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
STOPPED = "Stopped before it was complete. Ask again to have it whole."
STOPPED_EARLY = "Stopped before the first word of an answer."


class CancelToken:
    """Says that an answer is no longer wanted, and why. Thread-safe.

    Args:
        event: cancels as well when it is set, such as the one that Ctrl-C sets.
    """

    def __init__(self, event: threading.Event | None = None) -> None:
        self._event = event or threading.Event()
        self.reason = STOPPED

    def cancel(self, reason: str = STOPPED) -> None:
        """Cancels the answer; `reason` is the line that the reader of what came is shown."""
        self.reason = reason
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """Tells whether the answer has been cancelled."""
        return self._event.is_set()

    def until(self, items: Iterable[T]) -> Iterator[T]:
        """Gives the items of a stream until the answer is cancelled; the caller closes the stream."""
        if self.cancelled:
            return
        for item in items:
            yield item
            if self.cancelled:
                return
