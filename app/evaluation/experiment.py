"""Runs an evaluation set, on its own corpus or on a user's collection."""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Mapping
from pathlib import Path
from types import TracebackType
from typing import Protocol, Self

from app.evaluation import metrics
from app.evaluation.datasets import Dataset, written
from app.evaluation.results import Evaluation
from app.evaluation.runner import Asked, Plan, evaluate
from app.retrieval import Reranker
from ingest.errors import Cancelled, SourceError
from ingest.library import Library
from ingest.reports import IngestProgress
from ingest.settings import DEFAULT_EMBEDDING_MODEL, Settings, changed
from ingest.urls import masked

# Settings that affect only how questions are answered; these can be compared on an existing collection.
OF_QUESTIONS = frozenset(
    {
        *("passages", "llm", "llm_base_url", "llm_timeout", "llm_context_tokens", "llm_retry_seconds"),
        *("reranker", "reranker_url", "reranker_timeout", "reranker_candidates"),
    }
)
# Keys would appear in reports.
SECRETS = frozenset({"openai_api_key", "reranker_key"})
# Settings that do not affect the results, or would leave the evaluation's own folder.
NOT_COMPARED = frozenset({"data_dir", "collection", "host", "port", "chroma_url"})
MOST_NAMED = 3


class Measured(Asked, Protocol):
    """An open data folder for documents and questions; implemented by `app.footnote.Footnote`."""

    library: Library

    def __enter__(self) -> Self: ...

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None: ...

    def reranker(self) -> Reranker | None:
        """Returns the reranker; None if there is none."""

    def answerer_name(self) -> str:
        """Returns the language model's name, or "extractive"."""


class Experiment:
    """One set, run with one or more settings. Questions to a user's collection do not change it.

    Args:
        dataset: the set.
        settings: the user's; a set with a corpus is ingested into a data folder of its own.
        k: passages retrieved per question.
        opened: opens a data folder.
        collection: for a set without a corpus; None for the default one.
        answers: True to answer the questions too; None: only if the set marks some as unanswerable and answers cost
            nothing, because no language model is configured.
        folder: where the set's documents are written and indexed; results of an earlier run are reused.
        cancel: stops the work.
        on_ingest: called with the progress of the corpus' ingest.
        on_progress: called with the number of questions done and in total.
    """

    def __init__(
        self,
        dataset: Dataset,
        settings: Settings,
        folder: Path,
        *,
        k: int,
        opened: Callable[[Settings], Measured],
        collection: str | None = None,
        answers: bool | None = None,
        cancel: threading.Event | None = None,
        on_ingest: Callable[[IngestProgress], None] | None = None,
        on_progress: Callable[[int, int], None] | None = None,
    ) -> None:
        self.dataset = dataset
        self._settings = settings
        self.k = k
        self._collection = collection
        self._answers = answers
        self._folder = folder
        self._cancel = cancel or threading.Event()
        self._on_ingest = on_ingest
        self._on_progress = on_progress
        self._opened = opened
        if dataset.corpus is not None and collection:
            raise SourceError(
                f"{dataset.name} brings its own documents; --collection is for questions about yours. Leave it out."
            )

    def check(self, changes: Mapping[str, str]) -> Settings:
        """Returns the changed settings; rejects changes that cannot be compared. Raises as `run` does."""
        changes = _named(changes)
        for name in changes:
            if name in SECRETS:
                raise SourceError(f"--compare-settings {name} would appear in reports. Set it in the environment.")
            if name in NOT_COMPARED:
                raise SourceError(f"--compare-settings {name} does not affect the results. Change another.")
            if self.dataset.corpus is None and name in Settings.model_fields and name not in OF_QUESTIONS:
                raise SourceError(
                    f"--compare-settings {name} requires your documents to be ingested again. Ingest them into "
                    "another collection, --save an evaluation of each, and --compare those."
                )
        return changed(self._settings, changes)

    def run(self, changes: Mapping[str, str] | None = None) -> Evaluation:
        """Evaluates the set.

        Args:
            changes: settings that differ from the user's, as in FOOTNOTE_ variables.

        Raises:
            Cancelled: the run was stopped.
            SettingsError: a change names no setting or has an invalid value.
            SourceError: the set does not fit the collection, or cannot be ingested.
        """
        changes = _named(changes or {})
        settings = self.check(changes)
        if self.dataset.corpus is None:
            with self._opened(settings) as system:
                return self._on_collection(system, changes)
        folder = self._made_of(settings)
        inner = changed(settings, {"chroma_url": "", "data_dir": str(folder / "data"), "collection": "default"})
        with self._opened(inner) as system:
            return self._on_corpus(system, folder / "corpus", changes)

    def _made_of(self, settings: Settings) -> Path:
        """Returns the folder of a corpus and its index; its name is derived from their contents."""
        made_of = [self.dataset.corpus_digest, settings.embedding_model, settings.chunk_tokens]
        key = hashlib.sha256(json.dumps(made_of).encode()).hexdigest()[:12]
        folder = self._folder.absolute() / f"{self.dataset.name}-{key}"
        try:
            folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise SourceError(
                f"--keep {self._folder} cannot be used: {error.strerror}. Name a folder that you can write to."
            ) from error
        return folder

    def _on_corpus(self, system: Measured, folder: Path, changes: Mapping[str, str]) -> Evaluation:
        ids = written(self.dataset.corpus or {}, folder)
        report = system.library.ingest([folder], on_progress=self._on_ingest, cancel=self._cancel)
        if report.cancelled:
            raise Cancelled("Stopped while the set was ingested. With --keep, the next run continues from here.")
        failed = [outcome for outcome in report.documents if outcome.status == "failed"]
        if len(failed) == len(ids):
            raise SourceError(f"No document of {self.dataset.name} could be read: {failed[0].error}")
        chunks = self._chunks(system, ids) if self.dataset.has_spans else {}
        evaluation = self._evaluate(system, Plan(self.k, ids=ids, chunks=chunks), changes)
        notes = [f"{len(failed):,} documents could not be read: {failed[0].error}"] if failed else []
        return _noted(evaluation, notes)

    def _on_collection(self, system: Measured, changes: Mapping[str, str]) -> Evaluation:
        name = system.library.existing(self._collection)
        sources = [row.source for row in system.library.documents(name) if row.status == "active"]
        if not sources:
            raise SourceError(f"The collection {name!r} holds no documents yet. Add some: footnote ingest PATH")
        named = {source for question in self.dataset.questions for source in question.relevant}
        missing = sorted(one for one in named if not any(metrics.names_source(one, source) for source in sources))
        if named and len(missing) == len(named):
            raise SourceError(
                f"The collection {name!r} holds none of the documents that {self.dataset.name} names, such as "
                f"{missing[0]}. Name the right one with --collection; `footnote report` lists what it holds."
            )
        evaluation = self._evaluate(system, Plan(self.k, collection=name), changes)
        if not missing:
            return evaluation
        known = ", ".join(missing[:MOST_NAMED]) + (" …" if len(missing) > MOST_NAMED else "")
        return _noted(evaluation, [f"Not in the collection, so counted as not found: {known}."])

    def _evaluate(self, system: Measured, plan: Plan, changes: Mapping[str, str]) -> Evaluation:
        free = not system.library.settings.llm
        answers = self.dataset.has_unanswerable and free if self._answers is None else self._answers
        facts = _facts(system, plan.collection, changes, answers=answers)
        plan = Plan(plan.k, plan.collection, plan.ids, plan.chunks, answers, facts)
        evaluation = evaluate(system, self.dataset, plan, on_progress=self._on_progress, cancel=self._cancel)
        if (reranker := system.reranker()) and (not_reranked := reranker.notes()):
            evaluation = _noted(evaluation, [not_reranked])
        if not evaluation.names:
            raise SourceError(
                f"Nothing was measured: no question of {self.dataset.name} is answered by the documents. Add "
                "--answers to measure refusals."
            )
        if self.dataset.has_unanswerable and not answers:
            return _noted(evaluation, ["Refusals were not measured, because nothing was answered. Add --answers."])
        return evaluation

    @staticmethod
    def _chunks(system: Measured, ids: Mapping[str, str]) -> dict[str, list[metrics.Range]]:
        index = system.library.index(system.library.settings.collection)
        found: dict[str, list[metrics.Range]] = {}
        for one in index.docstore.indexed_chunks(index.docstore.chunk_ids(index.collection.id)):
            found.setdefault(ids[one.chunk.source], []).append((one.chunk.start, one.chunk.end))
        return found


def _named(changes: Mapping[str, str]) -> dict[str, str]:
    """Returns settings by field name: FOOTNOTE_PASSAGES becomes passages."""
    return {name.lower().removeprefix("footnote_"): value for name, value in changes.items()}


def _facts(system: Measured, collection: str | None, changes: Mapping[str, str], *, answers: bool) -> dict[str, str]:
    settings = system.library.settings
    name = collection or settings.collection
    (status,) = [one for one in system.library.status() if one.name == name]
    facts = {"embedding model": status.embedding_model or settings.embedding_model or DEFAULT_EMBEDDING_MODEL}
    if collection:
        facts["collection"] = collection
    facts |= {"documents": f"{status.documents:,}", "chunks": f"{status.chunks:,}"}
    facts |= {f"FOOTNOTE_{one.upper()}": masked(value) for one, value in changes.items()}
    if answers:
        facts["answers by"] = system.answerer_name()
    return facts


def _noted(evaluation: Evaluation, notes: list[str]) -> Evaluation:
    return Evaluation(
        evaluation.dataset,
        evaluation.digest,
        evaluation.k,
        evaluation.facts,
        (*evaluation.notes, *notes),
        evaluation.questions,
    )
