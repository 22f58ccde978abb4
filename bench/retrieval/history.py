"""Measures the gain from a conversation's earlier questions on follow-ups, and their cost on changes of topic."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import numpy as np

from app.evaluation.dataset_readers import read_dataset
from app.evaluation.datasets import EvaluationQuestion
from app.evaluation.metrics import ranking_scores
from app.footnote import Footnote
from app.models import Turn
from app.retrieval.follow_up import in_context
from bench.data import ingested
from ingest.models import Query

METRIC = "nDCG@10"
# Passages requested, enough to contain ten documents.
HITS = 50

Way = Callable[[str, Sequence[Turn]], Query]


def run(shared: Path) -> None:
    """Prints a row for each use of the history: the conversation's own, and that of another one."""
    data = read_dataset(shared / "eval" / "conversations")
    questions = [question for question in data.questions if question.relevant]
    strangers = {question.id: _stranger(question, questions) for question in questions}
    print(f"| searched | {METRIC}, its own history | another conversation's |\n| --- | ---: | ---: |")
    with ingested(data.corpus or {}) as (footnote, sources):
        for name, way in _ways(footnote).items():
            own = _mean(footnote, sources, questions, lambda q, way=way: way(q.text, q.history))
            other = _mean(footnote, sources, questions, lambda q, way=way: way(q.text, strangers[q.id]))
            print(f"| {name} | {own:.3f} | {other:.3f} |", flush=True)


def _ways(footnote: Footnote) -> dict[str, Way]:
    embedder = footnote.index("default").embedder

    def similarity(one: str, other: str) -> float:
        return float(embedder.encode_query(one) @ embedder.encode_query(other))

    def together(n: int) -> Way:
        return lambda text, history: Query(" ".join([*(turn.question for turn in history[-n:]), text]))

    return {
        "the last question alone": lambda text, _history: Query(text),
        "the last two in one text": together(1),
        "the last four in one text": together(3),
        "Footnote": lambda text, history: in_context(text, history, similarity),
    }


def _stranger(question: EvaluationQuestion, questions: Sequence[EvaluationQuestion]) -> tuple[Turn, ...]:
    """Returns the turns before another question that shares no relevant document."""
    others = [one for one in questions if one.history and not one.relevant.keys() & question.relevant.keys()]
    return random.Random(question.id).choice(others).history


def _mean(
    footnote: Footnote,
    sources: Mapping[str, str],
    questions: Sequence[EvaluationQuestion],
    query: Callable[[EvaluationQuestion], Query],
) -> float:
    found = {one.id: [sources[hit.chunk.source] for hit in footnote.search(query(one), HITS)] for one in questions}
    scores = ranking_scores(found, {one.id: one.relevant for one in questions}, HITS)
    return float(np.mean([one[METRIC] for one in scores.values()]))
