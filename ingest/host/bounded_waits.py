"""Waits for what cannot be stopped, such as the look-up of a name or the loading of a model, only as long as wanted."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, wait
from typing import TypeVar

from ingest.errors import Cancelled

T = TypeVar("T")
POLL_SECONDS = 0.1
STOPPED = "Stopped. What was finished is kept; the next run goes on from here."


def wait_for(call: Callable[[], T], cancel: threading.Event, until: float | None = None) -> T:
    """What `call` returns or raises, in a thread of its own, which is left behind where it is not waited for.

    Args:
        call: may take long.
        cancel: ends the waiting.
        until: ends it too, in seconds of `time.monotonic`.

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
    """Raises `Cancelled` where the work is to stop."""
    if cancel and cancel.is_set():
        raise Cancelled(STOPPED)


def _run(call: Callable[[], T], future: Future[T]) -> None:
    try:
        future.set_result(call())
    except BaseException as error:  # noqa: BLE001 - raised again where it is waited for
        future.set_exception(error)
