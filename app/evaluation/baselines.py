"""Saves evaluations to files, reads them back, compares them, and checks them against a baseline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.evaluation.results import Evaluation, QuestionResult
from app.evaluation.significance import MetricDifference, paired_difference
from ingest.errors import SourceError

FORM = 1
# Default tolerance of the gate: how far a metric may fall below its baseline.
TOLERANCE = 0.01
DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Fall:
    """A metric that fell below its baseline by more than the tolerance."""

    name: str
    baseline: float
    value: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """An evaluation read from a file, with the tolerance of each metric."""

    path: Path
    evaluation: Evaluation
    values: Mapping[str, float]
    tolerances: Mapping[str, float]


def evaluation_json(evaluation: Evaluation, tolerance: float = TOLERANCE) -> dict[str, Any]:
    """Returns an evaluation as JSON, for `--save` and `footnote eval --json`. Times in seconds."""
    latency = {name: round(evaluation.latency(percent), DECIMALS) for name, percent in (("p50", 50), ("p95", 95))}
    return {
        "footnote_evaluation": FORM,
        "dataset": evaluation.dataset,
        "digest": evaluation.digest,
        "k": evaluation.k,
        "facts": dict(evaluation.facts),
        "notes": list(evaluation.notes),
        "metrics": {
            name: {key: _rounded(value) for key, value in asdict(estimate).items()} | {"tolerance": tolerance}
            for name, estimate in evaluation.metrics.items()
        },
        "search_seconds": latency,
        "questions": [_question_json(question) for question in evaluation.questions],
    }


def difference_json(differences: Mapping[str, MetricDifference]) -> dict[str, Any]:
    """Returns a comparison as JSON."""
    return {
        name: {key: _rounded(value) for key, value in asdict(one).items()} | {"difference": _rounded(one.value)}
        for name, one in differences.items()
    }


def save_evaluation(evaluation: Evaluation, path: Path, tolerance: float = TOLERANCE) -> None:
    """Writes an evaluation to a file, for `--compare` and `--gate`.

    Raises:
        SourceError: the file cannot be written.
    """
    write_text(path, json.dumps(evaluation_json(evaluation, tolerance), indent=1, ensure_ascii=False) + "\n")


def check_writable(path: Path) -> None:
    """Checks, before the work begins, that a results file can be written.

    Raises:
        SourceError: its folder does not exist, or the path is a folder.
    """
    if not path.absolute().parent.is_dir() or path.is_dir():
        raise SourceError(f"{path} cannot be written: its folder does not exist, or it is a folder. Name another file.")


def write_text(path: Path, text: str) -> None:
    """Writes a results file.

    Raises:
        SourceError: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise SourceError(
            f"{path} could not be written: {error.strerror}. Name a file in a folder that you can write to."
        ) from error


def read_saved(path: Path, digest: str) -> Baseline:
    """Reads an evaluation written by `save_evaluation`.

    Args:
        path: the file.
        digest: the digest of the set it must belong to.

    Raises:
        SourceError: it cannot be read, is not a saved evaluation, or belongs to another set.
    """
    try:
        found = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise SourceError(f"The saved evaluation {path} could not be read: {error}. Write one with --save.") from error
    try:
        if found["footnote_evaluation"] != FORM:
            raise SourceError(f"{path} was saved by another version of Footnote. Save it again with --save.")
        baseline = _baseline(path, found)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise SourceError(f"{path} is not a saved evaluation. Write one with --save.") from error
    if baseline.evaluation.digest != digest:
        raise SourceError(
            f"{path} was saved for another set ({baseline.evaluation.dataset}), or the set was changed since. Use the "
            "same files, or save it again."
        )
    return baseline


def compared(before: Evaluation, after: Evaluation) -> dict[str, MetricDifference]:
    """Returns the paired differences of all metrics common to two evaluations, over their common questions.

    Raises:
        SourceError: they have no question or metric in common.
    """
    theirs = {question.id: question for question in before.questions}
    shared = [question for question in after.questions if question.id in theirs]
    first = replace(before, questions=tuple(theirs[question.id] for question in shared))
    second = replace(after, questions=tuple(shared))
    both = [name for name in second.names if name in first.names]
    if not both:
        raise SourceError(
            "The evaluations have no question and metric in common. Use the same -k and --limit for both."
        )
    return dict(zip(both, paired_difference(first.scores(both), second.scores(both)), strict=True))


def check_gate(baseline: Baseline, k: int, questions: Iterable[str]) -> None:
    """Checks, before the work begins, that a baseline matches the questions to be asked.

    Args:
        baseline: as `read_saved` returned it.
        k: passages retrieved per question.
        questions: ids of the questions that will be asked.

    Raises:
        SourceError: it was saved for other questions or another k.
    """
    path, saved, asked = baseline.path, baseline.evaluation, set(questions)
    if saved.k != k:
        raise SourceError(f"{path} was saved with -k {saved.k}. Use the same.")
    if {question.id for question in saved.questions} != asked:
        raise SourceError(
            f"{path} was saved for {len(saved.questions):,} questions, not for the {len(asked):,} of this run. Use the "
            "same --limit."
        )


def fallen(evaluation: Evaluation, baseline: Baseline) -> list[Fall]:
    """Returns the metrics that fell below a baseline by more than its tolerance.

    Raises:
        SourceError: the baseline has metrics that were not measured now.
    """
    values = {name: estimate.value for name, estimate in evaluation.metrics.items()}
    if missing := [name for name in baseline.values if name not in values]:
        raise SourceError(f"{baseline.path} has {', '.join(missing)}, not measured now. Use the same --answers option.")
    return [
        Fall(name, wanted, values[name], baseline.tolerances[name])
        for name, wanted in baseline.values.items()
        if values[name] < wanted - baseline.tolerances[name] - 10**-DECIMALS
    ]


def _baseline(path: Path, found: dict[str, Any]) -> Baseline:
    questions = tuple(
        QuestionResult(
            id=str(one["id"]),
            question=str(one["question"]),
            searched=str(one["searched"]),
            expected=str(one["expected"]),
            scores={str(name): float(score) for name, score in one["scores"].items()},
            retrieved=(),
            seconds=float(one["seconds"]),
            refused=one["refused"],
            answer_seconds=one["answer_seconds"],
        )
        for one in found["questions"]
    )
    facts, notes = dict(found["facts"]), tuple(found["notes"])
    evaluation = Evaluation(str(found["dataset"]), str(found["digest"]), int(found["k"]), facts, notes, questions)
    values = {name: float(one["value"]) for name, one in found["metrics"].items()}
    tolerances = {name: float(one.get("tolerance", TOLERANCE)) for name, one in found["metrics"].items()}
    return Baseline(path, evaluation, values, tolerances)


def _question_json(one: QuestionResult) -> dict[str, Any]:
    return {
        "id": one.id,
        "question": one.question,
        "searched": one.searched,
        "expected": one.expected,
        "scores": {name: _rounded(score) for name, score in one.scores.items()},
        "seconds": _rounded(one.seconds),
        "refused": one.refused,
        "answer_seconds": None if one.answer_seconds is None else _rounded(one.answer_seconds),
        "retrieved": [
            {"document": p.document, "place": p.place or None, "score": _rounded(p.score), "relevant": p.relevant}
            for p in one.retrieved
        ],
    }


def _rounded(value: float) -> float:
    return value if isinstance(value, int) else float(np.round(value, DECIMALS))
