"""Streams that can be left at any moment, and calls that end in time: run in the background, in one loop."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator
from contextlib import aclosing
from functools import cache
from queue import Empty, SimpleQueue
from typing import Any, Generic, TypeVar

T = TypeVar("T")
# Seconds to wait for a connection to be closed, before going on without knowing.
CLOSING_SECONDS = 5.0
_making = threading.Lock()


class _End:
    """The stream is over, by itself or by an error."""

    def __init__(self, error: BaseException | None = None) -> None:
        self.error = error


class _Stream(Generic[T]):
    """One stream, read by a task of the loop into a queue."""

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
                    if self._left.is_set():  # one that never has to wait is not cancelled by its task
                        return
                    self.items.put(item)
            self.items.put(_End())
        except Exception as error:  # noqa: BLE001 - raised again by whoever reads the queue
            self.items.put(_End(error))
        finally:
            self._ended.set()

    def close(self) -> None:
        """Ends the task, and with it its request; waits until its connection is closed, if it has begun one."""
        self._left.set()
        if self._future.cancel() and self._begun.is_set():
            self._ended.wait(self._closing)


def pumped(begin: Callable[[], AsyncIterator[T]], beat: float, closing: float = CLOSING_SECONDS) -> Iterator[T | None]:
    """The items of an asynchronous stream, for those who are not.

    Closing this iterator ends the request at once, also while the server says nothing.

    Args:
        begin: starts the stream; called in the loop that all of this process's streams share, because the libraries
            keep connections from one to the next.
        beat: where nothing came for so many seconds, None is given, so that whoever reads can do something else.
        closing: seconds to wait for a connection that was begun to be closed, before going on without knowing.
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
    """What an asynchronous call comes to, for those who are not, in the same loop.

    Raises:
        TimeoutError: it took more than so many seconds, and was ended.
    """
    return asyncio.run_coroutine_threadsafe(asyncio.wait_for(begin(), seconds), _loop()).result()


def _loop() -> asyncio.AbstractEventLoop:
    with _making:  # `cache` alone lets two threads that come first make one each
        return _the_loop()


@cache
def _the_loop() -> asyncio.AbstractEventLoop:
    loop = asyncio.new_event_loop()
    threading.Thread(target=loop.run_forever, name="language-model", daemon=True).start()
    return loop
