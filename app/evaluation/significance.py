"""How sure a mean is, and whether two settings differ. Pure; equal seeds give equal numbers.

A score that is NaN does not count: refusal precision, for example, is a mean over the refused questions alone.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 10_000
# Numbers held at a time, 8 bytes each.
MOST_NUMBERS = 4_000_000
ROUNDING = 1e-12


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` questions, with the bounds of its 95% confidence interval."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class Difference:
    """How much `after` is above `before` on the same questions.

    Attributes:
        before: mean of the first.
        after: mean of the second.
        low: lower bound of the 95% confidence interval of the difference.
        high: upper bound.
        p: how often chance alone makes a difference as large, two-sided.
        n: questions compared.
    """

    before: float
    after: float
    low: float
    high: float
    p: float
    n: int

    @property
    def value(self) -> float:
        """The difference."""
        return self.after - self.before


def estimate(scores: Scores, *, seed: int = 0) -> list[Estimate]:
    """The means of metrics, with percentile bootstrap intervals over questions (Efron 1979).

    Args:
        scores: a row a question and a column a metric, float64 [n, metrics]; NaN where a question does not count.
        seed: of the resampling.

    Raises:
        ValueError: no score of a metric counts.
    """
    values, counts = _means(np.ones((1, len(scores))), _counted(scores))[0], (~np.isnan(scores)).sum(axis=0)
    lows, highs = _bounds(np.concatenate([_means(draw, scores) for draw in _resamples(len(scores), seed)]))
    columns = zip(values, lows, highs, counts, strict=True)
    return [Estimate(float(value), float(low), float(high), int(n)) for value, low, high, n in columns]


def paired_difference(before: Scores, after: Scores, *, seed: int = 0) -> list[Difference]:
    """Compares two settings on the same questions, metric by metric.

    The interval is a paired bootstrap's; p is a paired randomisation test's (Smucker, Allan, Carterette 2007): the two
    scores of each question change places by the toss of a coin, and p is how often the difference is then as large.

    Args:
        before: scores of the first, float64 [n, metrics]; NaN where a question does not count.
        after: scores of the second, of the same questions and metrics in the same order.
        seed: of both.

    Raises:
        ValueError: the shapes differ, or no score of a metric counts.
    """
    if before.shape != after.shape:
        raise ValueError("not the same questions")
    once = np.ones((1, len(before)))
    first, second = _means(once, _counted(before))[0], _means(once, _counted(after))[0]
    drawn = [_means(draw, after) - _means(draw, before) for draw in _resamples(len(before), seed)]
    lows, highs = _bounds(np.concatenate(drawn))
    ps = _randomisation_p(before, after, np.abs(second - first), seed)
    numbers = (~np.isnan(before) | ~np.isnan(after)).sum(axis=0)
    columns = zip(first, second, lows, highs, ps, numbers, strict=True)
    return [Difference(float(a), float(b), float(c), float(d), float(p), int(n)) for a, b, c, d, p, n in columns]


def _counted(scores: Scores) -> Scores:
    if np.isnan(scores).all(axis=0).any():
        raise ValueError("no score counts")
    return scores


def _randomisation_p(before: Scores, after: Scores, observed: Scores, seed: int) -> Scores:
    rng = np.random.default_rng(seed)
    as_large = np.ones(before.shape[1])  # what was observed is one of the ways
    for rows in _row_batches(len(before)):
        swapped = rng.integers(0, 2, size=(rows, len(before)), dtype=np.int8).astype(np.float64)
        differences = _swapped_means(swapped, after, before) - _swapped_means(swapped, before, after)
        as_large += (np.abs(differences) >= observed - ROUNDING).sum(axis=0)
    return as_large / (RESAMPLES + 1)


def _swapped_means(swapped: Scores, own: Scores, other: Scores) -> Scores:
    """Means of `own` where those of its rows that are marked 1 have changed places with `other`'s; [rows, metrics]."""
    values, counts = np.nan_to_num(own), (~np.isnan(own)).astype(np.float64)
    other_values, other_counts = np.nan_to_num(other), (~np.isnan(other)).astype(np.float64)
    totals = values.sum(axis=0) + swapped @ (other_values - values)
    numbers = counts.sum(axis=0) + swapped @ (other_counts - counts)
    means: Scores = totals / np.maximum(numbers, 1.0)
    return means


def _means(draw: Scores, scores: Scores) -> Scores:
    """Means of resamples, [rows, metrics]; `draw` says how often each question is in each. NaN where none counts."""
    totals = draw @ np.nan_to_num(scores)
    numbers = draw @ (~np.isnan(scores)).astype(np.float64)
    with np.errstate(invalid="ignore", divide="ignore"):
        means: Scores = totals / numbers
    return means


def _resamples(n: int, seed: int) -> Iterator[Scores]:
    rng = np.random.default_rng(seed)
    for rows in _row_batches(n):
        yield rng.multinomial(n, np.full(n, 1 / n), size=rows).astype(np.float64)


def _row_batches(n: int) -> Iterator[int]:
    most = max(1, MOST_NUMBERS // max(n, 1))
    for start in range(0, RESAMPLES, most):
        yield min(most, RESAMPLES - start)


def _bounds(means: Scores) -> tuple[Scores, Scores]:
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(means, [tail, 1 - tail], axis=0)
    return low, high
