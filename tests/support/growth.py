"""Measures how the time of a function grows with the length of its text: CPU time, and ratios of it alone."""

from __future__ import annotations

import gc
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

# Lengths in characters: small steps first, so that what grows exponentially is stopped before it hangs.
FIRST = (12, 16, 20, 24, 28, 32, 40, 48, 64, 96, 128, 192, 256, 384, 512, 768, 1024)
STEP = 4
LONGEST = 100_000
# Four times the text may take four times as long, and some more by chance and caches: sixteen times is quadratic.
MOST_RATIO = 8.0
# Seconds: less is noise, and more at a small length is too much whatever it grows by.
NOISE, TOO_MUCH = 0.03, 0.3
# Seconds for STEP times FIRST's last. Where it takes less, or grows less, nothing longer is tried.
QUICK, SUSPECT_RATIO = 0.0008, 7.0


@dataclass(frozen=True)
class Growth:
    """More than linear time: `n` characters took `seconds`, and `ratio` times what a quarter of them took."""

    n: int
    seconds: float
    ratio: float


def growth(
    run: Callable[[Any], object],
    text: Callable[[int], Any],
    *,
    first: Sequence[int] = FIRST,
    whole: bool = False,
) -> Growth | None:
    """Finds more than linear growth of a function's time; None where there is none.

    Args:
        run: the function.
        text: makes a text of about so many characters.
        first: lengths that are tried at first.
        whole: whether the longest is tried whatever the shorter ones take.
    """
    small = big = 0.0
    for n in (*first, first[-1] * STEP):
        small, big = big, _seconds(run, text(n))
        if big > TOO_MUCH and n < first[-1]:
            return Growth(n, big, big / max(small, 1e-9))
    if not whole and (big < QUICK or big < SUSPECT_RATIO * small):
        return None
    n = LONGEST if whole else first[-1] * STEP
    while True:
        small, big = _measured(run, text, n)
        if big < MOST_RATIO * small or (n == LONGEST and big < NOISE):
            return None
        if n == LONGEST or big > TOO_MUCH:
            return Growth(n, big, big / small)
        n = min(n * STEP, LONGEST)


def _measured(run: Callable[[Any], object], text: Callable[[int], Any], n: int) -> tuple[float, float]:
    """Seconds for a quarter of `n` characters, and for all; the least of three, where one of them is suspect."""
    small, big = (_seconds(run, text(size)) for size in (n // STEP, n))
    for _ in range(2):
        if big >= MOST_RATIO * small:
            small, big = (min(one, _seconds(run, text(size))) for one, size in ((small, n // STEP), (big, n)))
    return small, big


def _seconds(run: Callable[[Any], object], text: Any) -> float:
    gc.disable()  # it goes through all that the tests hold, at any time
    try:
        began = time.process_time()
        run(text)
        return time.process_time() - began
    finally:
        gc.enable()
