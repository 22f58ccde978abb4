"""Evaluations in files: saved, read back, compared, and held against a baseline."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from app.evaluation.results import Evaluation, QuestionResult
from app.evaluation.significance import Difference, paired_difference
from ingest.errors import SourceError

FORM = 1
# How far a metric may fall below a baseline before the gate closes, unless another tolerance was saved with it.
TOLERANCE = 0.01
DECIMALS = 6


@dataclass(frozen=True, slots=True)
class Fall:
    """A metric that fell below its baseline by more than is tolerated."""

    name: str
    baseline: float
    value: float
    tolerance: float


@dataclass(frozen=True, slots=True)
class Baseline:
    """An evaluation read from a file, and how far each of its metrics may fall."""

    path: Path
    evaluation: Evaluation
    values: Mapping[str, float]
    tolerances: Mapping[str, float]


def evaluation_json(evaluation: Evaluation, tolerance: float = TOLERANCE) -> dict[str, Any]:
    """An evaluation as the JSON that is saved and that `footnote eval --json` prints. Times in seconds."""
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


def difference_json(differences: Mapping[str, Difference]) -> dict[str, Any]:
    """A comparison as JSON."""
    return {
        name: {key: _rounded(value) for key, value in asdict(one).items()} | {"difference": _rounded(one.value)}
        for name, one in differences.items()
    }


def save_evaluation(evaluation: Evaluation, path: Path, tolerance: float = TOLERANCE) -> None:
    """Writes an evaluation to a file, for `--compare` and `--gate`.

    Raises:
        SourceError: it cannot be written.
    """
    write_text(path, json.dumps(evaluation_json(evaluation, tolerance), indent=1, ensure_ascii=False) + "\n")


def check_writable(path: Path) -> None:
    """Refuses a file for results that could not be written: better before the work than after it.

    Raises:
        SourceError: its folder is not there, or it is a folder itself.
    """
    if not path.absolute().parent.is_dir() or path.is_dir():
        raise SourceError(f"{path} cannot be written: its folder is not there, or it is a folder. Name another file.")


def write_text(path: Path, text: str) -> None:
    """Writes a file of results.

    Raises:
        SourceError: it cannot be written.
    """
    try:
        path.write_text(text, encoding="utf-8", errors="backslashreplace")
    except OSError as error:
        raise SourceError(
            f"{path} could not be written: {error.strerror}. Name a file in a folder of yours."
        ) from error


def read_saved(path: Path, digest: str) -> Baseline:
    """Reads what `save_evaluation` wrote.

    Args:
        path: the file.
        digest: of the set that it must be of.

    Raises:
        SourceError: it cannot be read, is not such a file, or is of another set.
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
            "same files, or save it anew."
        )
    return baseline


def compared(before: Evaluation, after: Evaluation) -> dict[str, Difference]:
    """The paired differences of all metrics that two evaluations of a set have, over the questions that both have.

    Raises:
        SourceError: they share no question or metric.
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
    """Refuses a baseline that the questions to be asked cannot be held against: better before the work than after it.

    Args:
        baseline: as `read_saved` gave it.
        k: passages that a question retrieves.
        questions: ids of those that will be asked.

    Raises:
        SourceError: it was saved for others, or for another k.
    """
    path, saved, asked = baseline.path, baseline.evaluation, set(questions)
    if saved.k != k:
        raise SourceError(f"{path} was saved with -k {saved.k}. Use the same.")
    if {question.id for question in saved.questions} != asked:
        raise SourceError(
            f"{path} was saved for {len(saved.questions):,} questions, and these are {len(asked):,} or others. Use the "
            "same --limit."
        )


def fallen(evaluation: Evaluation, baseline: Baseline) -> list[Fall]:
    """The metrics that fell below a baseline by more than it tolerates.

    Raises:
        SourceError: it has metrics that were not measured now.
    """
    values = {name: estimate.value for name, estimate in evaluation.metrics.items()}
    if missing := [name for name in baseline.values if name not in values]:
        raise SourceError(
            f"{baseline.path} has {', '.join(missing)}, not measured now. Answer the questions, or not, as then."
        )
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
