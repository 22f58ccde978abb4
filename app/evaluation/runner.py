"""Asks the questions of an evaluation set one by one, as users would."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Protocol

from app.evaluation import metrics
from app.evaluation.datasets import Dataset, EvaluationQuestion
from app.evaluation.metrics import Range
from app.evaluation.results import LAST_TURN, Evaluation, QuestionResult, RetrievedPassage
from app.evaluation.scoring import (
    OMEGA,
    Search,
    answer_scores,
    expectation,
    is_wanted,
    passage_scores,
    ranking_scores,
)
from app.models import Answer, Event, Retrieved, Turn
from ingest.errors import Cancelled, FootnoteError, QuestionError, SourceError
from ingest.models import Query, SearchHit

logger = logging.getLogger(__name__)
# Passages retrieved to get ten documents for nDCG@10 and MRR@10, and a hundred for Recall@100.
RANKED_PASSAGES, DEEP_PASSAGES = 50, 200


class Asked(Protocol):
    """A system that answers questions and searches, such as `app.footnote.Footnote`."""

    def search(self, question: str | Query, k: int, *, collection: str | None = None) -> list[SearchHit]:
        """Returns the `k` chunks that best match a question, best first."""

    def ask(self, question: str, history: Sequence[Turn] = (), *, collection: str | None = None) -> Iterator[Event]:
        """Yields the events of an answer."""


@dataclass(frozen=True, slots=True)
class Plan:
    """The options of a run.

    Attributes:
        k: passages retrieved per question.
        collection: the collection to search; None for the default one.
        ids: for a set with a corpus, each source's document id.
        chunks: for a set with character references, the chunks of each document, [start, end).
        answers: True to answer each question too.
        facts: what was evaluated, by name: model, settings.
    """

    k: int
    collection: str | None = None
    ids: Mapping[str, str] = field(default_factory=dict)
    chunks: Mapping[str, Sequence[Range]] = field(default_factory=dict)
    answers: bool = False
    facts: Mapping[str, str] = field(default_factory=dict)


def evaluate(
    system: Asked,
    dataset: Dataset,
    plan: Plan,
    *,
    on_progress: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> Evaluation:
    """Asks every question of a set, and scores the passages and answers.

    Args:
        system: the system under test.
        dataset: the questions and their expected results.
        plan: how they are asked.
        on_progress: called with the number of questions done and in total.
        cancel: stops the work.

    Raises:
        Cancelled: the run was stopped.
        SourceError: the set does not fit the ingested documents, or no question could be asked.
    """
    run = _Run(system, dataset, plan)
    run.warm()
    asked: list[_Asked] = []
    notes = list(dataset.notes)
    for done, question in enumerate(dataset.questions, start=1):
        if cancel is not None and cancel.is_set():
            raise Cancelled("Stopped before all questions were asked; nothing was written.")
        try:
            asked.append(run.asked(question))
        except Exception as error:  # noqa: BLE001 - `_why_left_out` raises errors that affect all questions
            notes.append(_why_left_out(question, error))
        if on_progress is not None:
            on_progress(done, len(dataset.questions))
    if not asked:
        raise SourceError(f"No question of {dataset.name} could be asked. {notes[-1]}")
    return Evaluation(dataset.name, dataset.digest, plan.k, plan.facts, tuple(notes), tuple(run.scored(asked)))


def _why_left_out(question: EvaluationQuestion, error: Exception) -> str:
    """Returns a note if only this question failed; raises errors of the index, a model or the set."""
    if isinstance(error, FootnoteError) and not isinstance(error, QuestionError):
        raise error
    said = str(error)
    if not isinstance(error, QuestionError):
        logger.error("Internal error at question %s", ascii(question.id), exc_info=error)
        said = f"internal error ({type(error).__name__}: {error})"
    return f"Question {question.id} could not be asked and is not counted: {said}"


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question with its passages, also for its last turn alone, and its answer."""

    question: EvaluationQuestion
    search: Search
    last_turn: Search
    answer: Answer | None
    answer_seconds: float | None


class _Run:
    """The state of one evaluation run."""

    def __init__(self, system: Asked, dataset: Dataset, plan: Plan) -> None:
        self._system = system
        self._dataset = dataset
        self._plan = plan

    def warm(self) -> None:
        """Searches once, so that no question's time includes loading the model."""
        with suppress(QuestionError):  # reported when that question is asked
            self._search(self._dataset.questions[0].text, self._plan.k)

    def asked(self, question: EvaluationQuestion) -> _Asked:
        began = time.perf_counter()
        alone = Query(question.text)
        searched, answer = self._answer(question)
        seconds = time.perf_counter() - began if answer else None
        search = self._searches(question, searched)
        last_turn = search if searched == alone else self._searches(question, alone)
        return _Asked(question, search, last_turn, answer, seconds)

    def scored(self, asked: Sequence[_Asked]) -> Iterator[QuestionResult]:
        rankings = ranking_scores([(one.question, one.search) for one in asked], self._plan.k)
        alone = ranking_scores([(one.question, one.last_turn) for one in asked], self._plan.k)
        for one in asked:
            scores = self._passage_scores(one.question, one.search) | rankings.get(one.question.id, {})
            if self._dataset.has_history:
                last_turn = self._passage_scores(one.question, one.last_turn) | alone.get(one.question.id, {})
                scores |= {name + LAST_TURN: score for name, score in last_turn.items() if name != OMEGA}
            if one.answer:
                scores |= answer_scores(one.question, one.answer, self._plan.ids)
            yield self._result(one, scores)

    def _answer(self, question: EvaluationQuestion) -> tuple[Query, Answer | None]:
        """Returns the query for a question and, if requested, its answer."""
        if not question.history and not self._plan.answers:
            return Query(question.text), None
        searched = Query(question.text)
        for event in self._system.ask(question.text, question.history, collection=self._plan.collection):
            if isinstance(event, Retrieved):
                searched = event.query
                if not self._plan.answers:
                    break
            if isinstance(event, Answer):
                return searched, event
        return searched, None

    def _searches(self, question: EvaluationQuestion, query: Query) -> Search:
        began = time.perf_counter()
        hits = self._search(query, self._plan.k)
        seconds = time.perf_counter() - began
        if not question.relevant or question.spans:
            return Search(query.alone, seconds, hits)
        ranked = self._documents(question, self._search(query, RANKED_PASSAGES))
        deep = self._documents(question, self._search(query, DEEP_PASSAGES))
        return Search(query.alone, seconds, hits, ranked, deep)

    def _search(self, query: str | Query, k: int) -> list[SearchHit]:
        return self._system.search(query, k, collection=self._plan.collection)

    def _documents(self, question: EvaluationQuestion, hits: Sequence[SearchHit]) -> list[str]:
        return [self._document(question, hit.chunk.source) for hit in hits]

    def _document(self, question: EvaluationQuestion, source: str) -> str:
        """Returns a set's name for a source: its id, or the path by which the question names it."""
        if source in self._plan.ids:
            return self._plan.ids[source]
        return next((name for name in question.relevant if metrics.names_source(name, source)), source)

    def _passage_scores(self, question: EvaluationQuestion, search: Search) -> dict[str, float]:
        if question.spans:
            self._check_offsets(search.hits)
        named = [(self._document(question, hit.chunk.source), hit) for hit in search.hits]
        return passage_scores(question, named, self._plan.k, self._plan.chunks)

    def _check_offsets(self, hits: Sequence[SearchHit]) -> None:
        corpus = self._dataset.corpus or {}
        for chunk in (hit.chunk for hit in hits):
            name = self._plan.ids[chunk.source]
            if corpus[name][chunk.start : chunk.end] != chunk.text:
                raise SourceError(
                    f"The text of {name} was changed by reading it, so characters {chunk.start} to {chunk.end} cannot "
                    "be compared with the references. Give the corpus as Markdown with line feeds."
                )

    def _result(self, one: _Asked, scores: dict[str, float]) -> QuestionResult:
        named = [(self._document(one.question, hit.chunk.source), hit) for hit in one.search.hits]
        retrieved = tuple(
            RetrievedPassage(
                hit.rank,
                hit.score,
                document,
                hit.chunk.title,
                hit.chunk.place,
                hit.chunk.text,
                is_wanted(one.question, document, hit.chunk),
            )
            for document, hit in named
        )
        return QuestionResult(
            id=one.question.id,
            question=one.question.text,
            searched=one.search.text,
            expected=expectation(one.question, self._dataset.corpus or {}),
            scores=scores,
            retrieved=retrieved,
            seconds=one.search.seconds,
            answer=one.answer.text if one.answer else "",
            refused=one.answer.refused if one.answer else None,
            answer_seconds=one.answer_seconds,
        )
