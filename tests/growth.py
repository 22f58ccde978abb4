"""Measures how the time of a function grows with the length of its text: CPU time, and ratios of it alone."""

from __future__ import annotations

import time
from collections.abc import Callable
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


def growth(run: Callable[[Any], object], text: Callable[[int], Any], *, quick: float = QUICK) -> Growth | None:
    """Finds more than linear growth of a function's time; None where there is none."""
    before = last = 0.0
    for n in FIRST:
        before, last = last, _seconds(run, text(n))
        if last > TOO_MUCH:
            return Growth(n, last, last / max(before, 1e-9))
    n = FIRST[-1] * STEP
    first = _seconds(run, text(n))
    if first < quick or first < SUSPECT_RATIO * last:
        return None
    small, big = last, first
    while big < TOO_MUCH:
        if big < MOST_RATIO * small and n > FIRST[-1] * STEP:
            return None
        if n == LONGEST:
            break
        n = min(n * STEP, LONGEST)
        small, big = (min(_seconds(run, text(size)) for _ in range(2)) for size in (n // STEP, n))
    return Growth(n, big, big / small) if big > max(NOISE, MOST_RATIO * small) else None


def _seconds(run: Callable[[Any], object], text: Any) -> float:
    began = time.process_time()
    run(text)
    return time.process_time() - began
