"""Faults at the steps of the code: it fails, is watched or is killed at a step that no parameter leads to.

A disk that is full at one write among many, or a process that ends between two steps, is no collaborator that could be
handed in: the step itself is replaced for as long as a `with` block lasts. All tests do it through these functions, so
this is the only file of tests/ that sets attributes of what it does not own; `test_house_rules.py` sees to that.
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
    """Puts a function in the place of one of a module's, a class's or an object's."""
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
    """Raises an error in the place of a step.

    Args:
        owner: the module, class or object that has the function.
        name: the function's name.
        error: what is raised; or makes it, of the arguments of the call.
        when: tells, of the arguments, whether this call fails; others are as they were.
        after: does the step first, then fails.
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
    """Tells `seen` the arguments of a step each time that it was done, or is about to be."""
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
def told_of(steps: Sequence[tuple[type, str]], told: Callable[[str], object]) -> Iterator[None]:
    """Tells `told` the name of each of these steps, as in "Versions.activate", when it was done."""
    with ExitStack() as stack:
        for owner, name in steps:
            full = f"{owner.__name__}.{name}"
            stack.enter_context(watched(owner, name, lambda _, full=full: told(full)))
        yield


@contextmanager
def killed_after(
    steps: Sequence[tuple[type, str]], number: int, victims: Callable[[], Sequence[int]]
) -> Iterator[None]:
    """Kills processes, -9, after so many of these steps were done; `victims` gives their ids then."""
    done: list[str] = []

    def count(name: str) -> None:
        done.append(name)
        if len(done) == number:
            for process in victims():
                os.kill(process, signal.SIGKILL)

    with told_of(steps, count):
        yield


@contextmanager
def room_left(free: int) -> Iterator[None]:
    """Makes every disk one of which so many bytes are free."""
    real = shutil.disk_usage
    with replaced(shutil, "disk_usage", lambda path: real(path)._replace(free=free)):
        yield
