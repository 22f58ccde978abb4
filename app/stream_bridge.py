"""Runs asynchronous streams and calls in one background loop: streams can be closed any time, calls have a timeout."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")
# Seconds to wait for a connection to close before continuing regardless.
CLOSING_SECONDS = 5.0
_making = threading.Lock()


class _End:
    """Marks the end of a stream, normal or by an error."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Stream(Generic[T]):
    """One stream, read into a queue by a task of the loop."""

    def __init__(self, begin: Callable[[], AsyncIterator[T]], closing: float) -> None:
        self.items: SimpleQueue[T | _End] = SimpleQueue()
        self._begin = begin
        self._closing = closing
        self._begun, self._left, self._ended = threading.Event(), threading.Event(), threading.Event()
        self._future = asyncio.run_coroutine_threadsafe(self._read(), _loop())

    async def _read(self) -> None:
        self._begun.set()
        try:
            async with aclosing(self._begin()) as items:  # type: ignore[type-var]  # LangChain's are async generators
                async for item in items:
                    if self._left.is_set():  # a stream that never waits is not stopped by cancelling its task
                        return
                    self.items.put(item)
            self.items.put(_End())
        except Exception as error:  # noqa: BLE001 - raised again by the reader of the queue
            self.items.put(_End(error))
        finally:
            self._ended.set()

    def close(self) -> None:
        """Cancels the task and its request, and waits until an open connection is closed."""
        self._left.set()
        if self._future.cancel() and self._begun.is_set():
            self._ended.wait(self._closing)


def pumped(begin: Callable[[], AsyncIterator[T]], beat: float, closing: float = CLOSING_SECONDS) -> Iterator[T | None]:
    """Yields the items of an asynchronous stream to synchronous code.

    Closing this iterator ends the request at once, even while the server is silent.

    Args:
        begin: starts the stream. Called in the loop shared by all streams of this process, because the libraries
            reuse connections between calls.
        beat: None is yielded after this many seconds without an item, so that the reader can do something else.
        closing: the longest wait for an open connection to close, in seconds.
    """
    stream = _Stream(begin, closing)
    try:
        while True:
            try:
                item = stream.items.get(timeout=beat)
            except Empty:
                yield None
                continue
            if not isinstance(item, _End):
                yield item
            elif item.error is not None:
                raise item.error
            else:
                return
    finally:
        stream.close()


def settled(begin: Callable[[], Coroutine[Any, Any, T]], seconds: float) -> T:
    """Runs an asynchronous call in the background loop and returns its result.

    Raises:
        TimeoutError: the call took longer than `seconds` and was cancelled.
    """
    return asyncio.run_coroutine_threadsafe(asyncio.wait_for(begin(), seconds), _loop()).result()


def _loop() -> asyncio.AbstractEventLoop:
    with _making:  # `cache` alone would let two first callers create a loop each
        return _the_loop()


@cache
def _the_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="language-model", daemon=True).start()
    return loop
