"""Results of an evaluation: per question, and as means with confidence intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.evaluation import metrics
from app.evaluation.scoring import METRICS
from app.evaluation.significance import Estimate, MetricDifference, Scores, estimate, paired_difference

LAST_TURN = ", last turn alone"


@dataclass(frozen=True, slots=True)
class RetrievedPassage:
    """One retrieved passage. `document` is its id in the set, or its source; `relevant`: it was expected."""

    rank: int
    score: float
    document: str
    title: str
    place: str
    text: str
    relevant: bool


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """The result of one question.

    Attributes:
        id: its id in the set.
        question: as asked.
        searched: as searched; with a history, the standalone question.
        expected: a description of what should be found.
        scores: by metric; metrics that do not apply to this question are missing.
        retrieved: passages, best first; [] if the result was read from a file.
        seconds: duration of the search.
        answer: the answer's text; "" if none was requested.
        refused: True if the answer was a refusal; None if none was requested.
        answer_seconds: duration of the answer including the search; None if none was requested.
    """

    id: str
    question: str
    searched: str
    expected: str
    scores: Mapping[str, float]
    retrieved: tuple[RetrievedPassage, ...]
    seconds: float
    answer: str = ""
    refused: bool | None = None
    answer_seconds: float | None = None


@dataclass(frozen=True)
class Evaluation:
    """The results of a set."""

    dataset: str
    digest: str
    k: int
    facts: Mapping[str, str]
    notes: tuple[str, ...]
    questions: tuple[QuestionResult, ...]

    @cached_property
    def names(self) -> list[str]:
        """The metrics measured, the main one first."""
        found = {name for question in self.questions for name in question.scores}
        return sorted(found, key=lambda name: (LAST_TURN in name, _order(name)))

    @cached_property
    def metrics(self) -> dict[str, Estimate]:
        """The mean of each metric with its confidence interval."""
        return dict(zip(self.names, estimate(self.scores(self.names)), strict=True)) if self.names else {}

    def scores(self, names: Sequence[str]) -> Scores:
        """Returns the scores of metrics, float64 [questions, names]; NaN if a metric does not apply to a question."""
        return np.array([[question.scores.get(name, np.nan) for name in names] for question in self.questions])

    def latency(self, percent: float) -> float:
        """Returns a percentile of the searches' durations, in seconds."""
        return metrics.percentile([question.seconds for question in self.questions], percent)

    def answer_latency(self, percent: float) -> float | None:
        """Returns a percentile of the answers' durations, in seconds; None if none were requested."""
        times = [q.answer_seconds for q in self.questions if q.answer_seconds is not None]
        return metrics.percentile(times, percent) if times else None

    def worst(self, most: int) -> list[QuestionResult]:
        """Returns the worst questions: lowest main metric first, then lowest mean of all; perfect ones are left out."""
        main = self.names[0]
        judged = [question for question in self.questions if question.scores.get(main, 1.0) < 1.0]
        mistaken = [q for q in self.questions if main not in q.scores and min(q.scores.values(), default=1.0) < 1.0]
        judged.sort(key=lambda question: (question.scores[main], sum(question.scores.values())))
        return [*judged, *mistaken][:most]

    @cached_property
    def history_gains(self) -> dict[str, MetricDifference]:
        """Returns the gain of the history over the last turn alone, for each metric measured both ways."""
        names = [name for name in self.names if name + LAST_TURN in self.names]
        if not names:
            return {}
        alone = self.scores([name + LAST_TURN for name in names])
        return dict(zip(names, paired_difference(alone, self.scores(names)), strict=True))


def _order(name: str) -> tuple[int, float, str]:
    """Returns the sort key of a metric: its position in `scoring.METRICS`, then its cutoff."""
    first = next((i for i, begin in enumerate(METRICS) if name.startswith(begin)), len(METRICS))
    cutoff = name.removesuffix(LAST_TURN).partition("@")[2]
    return first, float(cutoff) if cutoff.isdigit() else 0.0, name
