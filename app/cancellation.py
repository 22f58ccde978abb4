"""A token that cancels an answer in progress. It is checked between events and raises nothing."""

from __future__ import annotations

import threading
from collections.abc import Iterable, Iterator
from typing import TypeVar

T = TypeVar("T")
STOPPED = "Stopped before it was complete. Ask again for the full answer."
STOPPED_EARLY = "Stopped before the first word of an answer."


class CancelToken:
    """Records that an answer is no longer wanted, and why. Thread-safe.

    Args:
        event: also cancels when set, such as the event set by Ctrl-C.
    """

    def __init__(self, event: threading.Event | None = None) -> None:
        self._event = event or threading.Event()
        self.reason = STOPPED

    def cancel(self, reason: str = STOPPED) -> None:
        """Cancels the answer; `reason` is shown to the user below the partial answer."""
        self.reason = reason
        self._event.set()

    @property
    def cancelled(self) -> bool:
        """True once the answer has been cancelled."""
        return self._event.is_set()

    def until(self, items: Iterable[T]) -> Iterator[T]:
        """Yields the items of a stream until the answer is cancelled; the caller closes the stream."""
        if self.cancelled:
            return
        for item in items:
            yield item
            if self.cancelled:
                return
