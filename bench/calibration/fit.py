"""Fits the two models and the threshold of the refusal to examples."""

from __future__ import annotations

import math
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from app.answering.evidence import TOLD
from app.answering.refusal import ABOUT, SAID, Judgement, Model, Refusal

ANSWERABLE, OFF, NEAR = "answerable", "off-topic", "near miss"
KINDS = (ANSWERABLE, OFF, NEAR)
# Largest fraction of the fitted answerable questions that a threshold may refuse. On others it then refused 3.7%, and
# 97.1% of questions of other collections; 0.035 gave 3.6% and 97.0%, 0.04 gave 4.0% and 97.2%.
MOST_REFUSED = 0.0375
FOLDS = 5
# Amount that each tenfold of the searched chunks subtracts from the log-odds. It is not fitted, because a fit minimises
# total errors: it refuses 0.4% of own questions in one chunk and 8.8% among 10,000; with 0, 7.1% and 1.7%. With
# this value the six sizes are within 1.3 points of each other.
FIXED = {"chunks searched": -0.45}
RIDGE = 3.0
STEPS = 60


@dataclass(frozen=True)
class Example:
    """A question asked of a collection: its kind, its origin collection, its id there, and its evidence."""

    collection: str
    kind: str
    origin: str
    id: str
    evidence: dict[str, float]

    @property
    def fold(self) -> int:
        """Returns the question's fold, constant across runs and collections."""
        return zlib.crc32(self.id.encode()) % FOLDS


def fitted(known: list[Example]) -> Refusal:
    """Fits the calibration to examples; keeps the shipped model of near misses if there are none."""
    shipped = Refusal.load()
    near = any(one.kind == NEAR for one in known)
    model = about(known)
    return Refusal(model, said(known) if near else shipped.said, threshold(known, model), shipped.embedder)


def crossed(judged: list[Example], known: list[Example]) -> Iterator[tuple[Example, Judgement]]:
    """Yields each example with the judgement of a calibration fitted without its question, including the threshold.

    Args:
        judged: the examples.
        known: the examples to fit, except the fold of the judged example's question.
    """
    for fold in range(FOLDS):
        decision = fitted([one for one in known if one.fold != fold])
        yield from ((one, decision.weigh(one.evidence)) for one in judged if one.fold == fold)


def about(known: list[Example]) -> Model:
    """Fits a model that separates own questions from others'; every collection and kind has the same weight."""
    chosen = [one for one in known if one.kind != NEAR]
    counts = Counter((one.collection, one.kind) for one in chosen)
    weights = [len(chosen) / len(counts) / counts[one.collection, one.kind] for one in chosen]
    return _logistic(chosen, ABOUT, weights)


def said(known: list[Example]) -> Model:
    """Fits a model that separates answerable questions from near misses, in the collections that have near misses."""
    missed = {one.collection for one in known if one.kind == NEAR}
    chosen = [one for one in known if one.collection in missed and one.kind != OFF]
    return _logistic(chosen, SAID, [1.0] * len(chosen))


def threshold(known: list[Example], model: Model) -> float:
    """Returns the highest threshold that stays within `MOST_REFUSED` for answerable questions of all collections.

    Collections are pooled, because small ones have too few questions. Questions that are answered regardless of the
    model are not refused.
    """
    own = [one.evidence for one in known if one.kind == ANSWERABLE]
    scores = sorted(model.probability(one) for one in own if not one[TOLD])
    return math.floor(scores[min(int(MOST_REFUSED * len(own)), len(scores) - 1)] * 1e6) / 1e6


def auroc(better: list[float], worse: list[float]) -> float:
    """Returns how often one of the better scores exceeds one of the worse; ties count half."""
    a, b = np.array(better)[:, None], np.array(worse)[None]
    return float(((a > b) + 0.5 * (a == b)).mean())


def _logistic(chosen: list[Example], names: tuple[str, ...], weights: Sequence[float]) -> Model:
    """Fits a ridge-penalised logistic regression by Newton's method: answerable against the rest.

    The weights of `FIXED` are not fitted.
    """
    values = np.array([[one.evidence[name] for name in names] for one in chosen])
    weight = np.array(weights)
    label = np.array([one.kind == ANSWERABLE for one in chosen], dtype=float)
    mean, scale = np.nanmean(values, axis=0), np.nanstd(values, axis=0) + 1e-9
    rows = np.c_[np.nan_to_num((values - mean) / scale), np.ones(len(values))]
    solution = np.array([*(FIXED.get(name, 0.0) for name in names), 0.0]) * np.array([*scale, 1.0])
    free = np.flatnonzero([*(name not in FIXED for name in names), True])
    ridge = RIDGE * np.diag([*np.ones(len(names)), 0.0])
    for _ in range(STEPS):
        p = 1 / (1 + np.exp(-rows @ solution))
        gradient = rows.T @ (weight * (p - label)) + ridge @ solution
        curvature = (rows * (weight * p * (1 - p))[:, None]).T @ rows + ridge
        solution[free] -= np.linalg.solve(curvature[np.ix_(free, free)], gradient[free])
    return Model(names, _plain(mean), _plain(scale), _plain(solution[:-1]), round(float(solution[-1]), 6))


def _plain(values: NDArray[np.floating]) -> tuple[float, ...]:
    return tuple(round(float(one), 6) for one in values)
