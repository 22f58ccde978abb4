"""Confidence intervals of means, and significance tests of differences. Pure; equal seeds give equal results.

NaN scores are ignored: refusal precision, for example, is a mean over refused questions only.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

Scores = NDArray[np.float64]

CONFIDENCE = 0.95
RESAMPLES = 10_000
# Most numbers in memory at once, 8 bytes each.
MOST_NUMBERS = 4_000_000


@dataclass(frozen=True, slots=True)
class Estimate:
    """A mean over `n` questions, with the bounds of its 95% confidence interval."""

    value: float
    low: float
    high: float
    n: int


@dataclass(frozen=True, slots=True)
class MetricDifference:
    """The difference between two evaluations of the same questions.

    Attributes:
        before: mean of the first.
        after: mean of the second.
        low: lower bound of the 95% confidence interval of the difference.
        high: upper bound.
        p: two-sided probability of a difference this large by chance alone.
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
        """The difference of the means."""
        return self.after - self.before


def estimate(scores: Scores, *, seed: int = 0) -> list[Estimate]:
    """Computes the means of metrics, with percentile bootstrap intervals over questions (Efron 1979).

    Args:
        scores: one row per question and one column per metric, float64 [n, metrics]; NaN if not applicable.
        seed: seed of the resampling.

    Raises:
        ValueError: all scores of a metric are NaN.
    """
    return [_estimate(column[~np.isnan(column)], seed) for column in scores.T]


def paired_difference(before: Scores, after: Scores, *, seed: int = 0) -> list[MetricDifference]:
    """Compares two settings on the same questions, metric by metric.

    The interval is a paired bootstrap's. p is from a paired randomisation test (Smucker, Allan, Carterette 2007): the
    two scores of each question are swapped at random, and p is how often the difference is then as large.

    Args:
        before: scores of the first, float64 [n, metrics]; NaN if not applicable.
        after: scores of the second, with the same questions and metrics in the same order.
        seed: seed of both.

    Raises:
        ValueError: the shapes differ, or all scores of a metric are NaN.
    """
    if before.shape != after.shape:
        raise ValueError("not the same questions")
    return [_difference(first, second, seed) for first, second in zip(before.T, after.T, strict=True)]


def _estimate(scores: Scores, seed: int) -> Estimate:
    if not len(scores):
        raise ValueError("no score counts")
    low, high = _interval((scores,), np.mean, seed)
    return Estimate(float(scores.mean()), low, high, len(scores))


def _difference(before: Scores, after: Scores, seed: int) -> MetricDifference:
    if np.isnan(before).all() or np.isnan(after).all():
        raise ValueError("no score counts")
    counts = ~(np.isnan(before) & np.isnan(after))
    pair = before[counts], after[counts]
    low, high = _interval(pair, _gain, seed)
    p = _randomisation_p(pair, seed)
    return MetricDifference(float(np.nanmean(before)), float(np.nanmean(after)), low, high, p, len(pair[0]))


def _randomisation_p(pair: tuple[Scores, Scores], seed: int) -> float:
    if len(pair[0]) == 1:  # swapping cannot change the size of the difference
        return 1.0
    from scipy import stats  # noqa: PLC0415 - takes most of a second to import; only evaluations need it

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
    """Returns the bounds of a statistic over resampled questions; resamples without any score are left out."""
    if len(samples[0]) == 1:  # a single question can be drawn in only one way
        value = float(statistic(*samples, axis=-1))
        return value, value
    from scipy import stats  # noqa: PLC0415 - takes most of a second to import; only evaluations need it

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", stats.DegenerateDataWarning)  # about those resamples
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
    """Returns the difference of the means of `after` and `before`; NaN if one has no scores."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)  # NumPy warns about an empty mean
        gain: Scores = np.nanmean(after, axis=axis) - np.nanmean(before, axis=axis)
    return gain


def _batch(questions: int) -> int:
    """Returns the number of resamples to draw at once."""
    return max(1, MOST_NUMBERS // questions)
