"""How sure a mean is, and whether two settings differ. Pure; equal seeds give equal numbers.

A score that is NaN does not count: refusal precision, for example, is a mean over the refused questions alone.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray
from scipy import stats

Scores = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 10_000
# Numbers held at a time, 8 bytes each.
MOST_NUMBERS = 4_000_000


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
    """Takes the means of metrics, with percentile bootstrap intervals over questions (Efron 1979).

    Args:
        scores: a row a question and a column a metric, float64 [n, metrics]; NaN where a question does not count.
        seed: of the resampling.

    Raises:
        ValueError: no score of a metric counts.
    """
    return [_estimate(column[~np.isnan(column)], seed) for column in scores.T]


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
    return [_difference(first, second, seed) for first, second in zip(before.T, after.T, strict=True)]


def _estimate(scores: Scores, seed: int) -> Estimate:
    if not len(scores):
        raise ValueError("no score counts")
    low, high = _interval((scores,), np.mean, seed)
    return Estimate(float(scores.mean()), low, high, len(scores))


def _difference(before: Scores, after: Scores, seed: int) -> Difference:
    if np.isnan(before).all() or np.isnan(after).all():
        raise ValueError("no score counts")
    counts = ~(np.isnan(before) & np.isnan(after))
    pair = before[counts], after[counts]
    low, high = _interval(pair, _gain, seed)
    p = _randomisation_p(pair, seed)
    return Difference(float(np.nanmean(before)), float(np.nanmean(after)), low, high, p, len(pair[0]))


def _randomisation_p(pair: tuple[Scores, Scores], seed: int) -> float:
    if len(pair[0]) == 1:  # the difference is as large either way
        return 1.0
    test = stats.permutation_test(
        pair,
        _gain,
        permutation_type="samples",
        vectorized=True,
        n_resamples=RESAMPLES,
        batch=_batch(len(pair[0])),
        rng=np.random.default_rng(seed),
    )
    return float(test.pvalue)


def _interval(samples: tuple[Scores, ...], statistic: Callable[..., Any], seed: int) -> tuple[float, float]:
    """The bounds of a statistic over resampled questions; resamples in which no question counts are left out."""
    if len(samples[0]) == 1:  # there is one way to draw a single question
        value = float(statistic(*samples, axis=-1))
        return value, value
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # of such resamples
        drawn = stats.bootstrap(
            samples,
            statistic,
            paired=True,
            vectorized=True,
            method="percentile",
            n_resamples=RESAMPLES,
            batch=_batch(len(samples[0])),
            rng=np.random.default_rng(seed),
        ).bootstrap_distribution
    tail = (1 - CONFIDENCE) / 2
    low, high = np.nanquantile(drawn, [tail, 1 - tail])
    return float(low), float(high)


def _gain(before: Scores, after: Scores, axis: int) -> Scores:
    """How much the mean of `after` is above that of `before`; NaN where one has no score that counts."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy's, of a mean over nothing
        gain: Scores = np.nanmean(after, axis=axis) - np.nanmean(before, axis=axis)
    return gain


def _batch(questions: int) -> int:
    """Resamples that are drawn at once."""
    return max(1, MOST_NUMBERS // questions)
