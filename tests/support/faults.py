"""Injects faults at steps of the code: makes a step fail, records it, or kills processes after it.

A disk that is full at one of many writes, or a process that ends between two steps, cannot be passed in as a fake.
These functions replace the step itself for the duration of a `with` block. All tests use them, so this is the only file
under tests/ that sets attributes of other code; `test_house_rules.py` checks this.
"""

from __future__ import annotations

import functools
import os
import shutil
import signal
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager
from typing import Any

ABSENT = object()


@contextmanager
def replaced(owner: Any, name: str, function: Callable[..., Any]) -> Iterator[None]:
    """Replaces a function of a module, class or object."""
    before = vars(owner).get(name, ABSENT)
    setattr(owner, name, function)
    try:
        yield
    finally:
        if before is ABSENT:
            delattr(owner, name)
        else:
            setattr(owner, name, before)


@contextmanager
def failing(
    owner: Any,
    name: str,
    error: BaseException | Callable[..., BaseException],
    *,
    when: Callable[..., bool] = lambda *_, **__: True,
    after: bool = False,
) -> Iterator[None]:
    """Makes a step raise an error.

    Args:
        owner: the module, class or object that has the function.
        name: the function's name.
        error: the error to raise, or a function that makes it from the arguments of the call.
        when: returns True, given the arguments, if this call fails; other calls run normally.
        after: runs the step before failing.
    """
    real = getattr(owner, name)

    @functools.wraps(real, updated=())
    def fails(*arguments: Any, **options: Any) -> Any:
        if not when(*arguments, **options):
            return real(*arguments, **options)
        if after:
            real(*arguments, **options)
        raise error if isinstance(error, BaseException) else error(*arguments, **options)

    with replaced(owner, name, fails):
        yield


@contextmanager
def watched(owner: Any, name: str, seen: Callable[[Sequence[Any]], object], *, before: bool = False) -> Iterator[None]:
    """Calls `seen` with the arguments of a step after each call, or before it."""
    real = getattr(owner, name)

    @functools.wraps(real)
    def method(*arguments: Any, **options: Any) -> Any:
        if before:
            seen(arguments)
        result = real(*arguments, **options)
        if not before:
            seen(arguments)
        return result

    with replaced(owner, name, method):
        yield


@contextmanager
def watched_steps(steps: Sequence[tuple[type, str]], seen: Callable[[str], object]) -> Iterator[None]:
    """Calls `seen` with the name of each of these steps, such as "Versions.activate", after it ran."""
    with ExitStack() as stack:
        for owner, name in steps:
            full = f"{owner.__name__}.{name}"
            stack.enter_context(watched(owner, name, lambda _, full=full: seen(full)))
        yield


@contextmanager
def killed_after(
    steps: Sequence[tuple[type, str]], number: int, victims: Callable[[], Sequence[int]]
) -> Iterator[None]:
    """Kills processes with SIGKILL after this number of steps; `victims` then returns their ids."""
    done: list[str] = []

    def count(name: str) -> None:
        done.append(name)
        if len(done) == number:
            for process in victims():
                os.kill(process, signal.SIGKILL)

    with watched_steps(steps, count):
        yield


@contextmanager
def room_left(free: int) -> Iterator[None]:
    """Makes every disk report this number of free bytes."""
    real = shutil.disk_usage
    with replaced(shutil, "disk_usage", lambda path: real(path)._replace(free=free)):
        yield
