"""Waits only for a limited time for operations that cannot be stopped, such as a DNS lookup or loading a model."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from ingest.errors import Cancelled

T = TypeVar("T")
POLL_SECONDS = 0.1
STOPPED = "Stopped. Finished documents are kept; the next run continues from here."


def wait_for(call: Callable[[], T], cancel: threading.Event, until: float | None = None) -> T:
    """Runs `call` in a thread and returns or raises its result; abandons the thread if the wait ends early.

    Args:
        call: a function that may take long.
        cancel: ends the wait.
        until: ends the wait too, in seconds of `time.monotonic`.

    Raises:
        Cancelled: `cancel` was set.
        TimeoutError: `until` has passed.
    """
    future: Future[T] = Future()
    threading.Thread(target=_run, args=(call, future), name="awaited", daemon=True).start()
    while not cancel.is_set():
        if wait([future], POLL_SECONDS).done:
            return future.result()
        if until is not None and time.monotonic() > until:
            raise TimeoutError("It took too long.")
    raise Cancelled(STOPPED)


def check_cancelled(cancel: threading.Event | None) -> None:
    """Raises `Cancelled` if `cancel` is set."""
    if cancel and cancel.is_set():
        raise Cancelled(STOPPED)


def _run(call: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - re-raised in the waiting thread
        future.set_exception(error)
