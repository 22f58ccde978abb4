"""What an evaluation found: question by question, and as means with their confidence intervals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np

from app.evaluation import metrics
from app.evaluation.scoring import METRICS
from app.evaluation.significance import Difference, Estimate, Scores, estimate, paired_difference

LAST_TURN = ", last turn alone"


@dataclass(frozen=True, slots=True)
class RetrievedPassage:
    """One passage that was retrieved. `document` is its id in the set, or its source; `relevant`: it was wanted."""

    rank: int
    score: float
    document: str
    title: str
    place: str
    text: str
    relevant: bool


@dataclass(frozen=True, slots=True)
class QuestionResult:
    """What became of one question.

    Attributes:
        id: in the set.
        question: as it was asked.
        searched: what was searched for it; with a history, the standalone question.
        expected: what should have been found, in words.
        scores: by the metric's name; a metric that says nothing of this question is not among them.
        retrieved: passages, best first; [] where the result was read from a file.
        seconds: that the search took.
        answer: the answer's text; "" where none was asked for.
        refused: whether it was a refusal; None as above.
        answer_seconds: that the answer took, search included; None as above.
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
        """The scores of metrics, float64 [questions, names]; NaN where a metric says nothing of a question."""
        return np.array([[question.scores.get(name, np.nan) for name in names] for question in self.questions])

    def latency(self, percent: float) -> float:
        """A percentile of the searches' times, in seconds."""
        return metrics.percentile([question.seconds for question in self.questions], percent)

    def answer_latency(self, percent: float) -> float | None:
        """A percentile of the answers' times, in seconds; None where none were asked for."""
        times = [q.answer_seconds for q in self.questions if q.answer_seconds is not None]
        return metrics.percentile(times, percent) if times else None

    def worst(self, most: int) -> list[QuestionResult]:
        """The questions that did worst: lowest in the main metric, then in the mean of all; none that is perfect."""
        main = self.names[0]
        judged = [question for question in self.questions if question.scores.get(main, 1.0) < 1.0]
        mistaken = [q for q in self.questions if main not in q.scores and min(q.scores.values(), default=1.0) < 1.0]
        judged.sort(key=lambda question: (question.scores[main], sum(question.scores.values())))
        return [*judged, *mistaken][:most]

    @cached_property
    def history_gains(self) -> dict[str, Difference]:
        """What the history gained over the last turn alone, for each metric measured both ways."""
        names = [name for name in self.names if name + LAST_TURN in self.names]
        if not names:
            return {}
        alone = self.scores([name + LAST_TURN for name in names])
        return dict(zip(names, paired_difference(alone, self.scores(names)), strict=True))


def _order(name: str) -> tuple[int, float, str]:
    """Where a metric stands among the others: as `scoring.METRICS` has them, then by its cutoff."""
    first = next((i for i, begin in enumerate(METRICS) if name.startswith(begin)), len(METRICS))
    cutoff = name.removesuffix(LAST_TURN).partition("@")[2]
    return first, float(cutoff) if cutoff.isdigit() else 0.0, name
