"""Evaluation sets: documents, questions and expected results. `read_dataset` recognises their formats."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from app.models import Turn


@dataclass(frozen=True, slots=True)
class Span:
    """Characters [start, end) of a document of the set."""

    document: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class EvaluationQuestion:
    """One question of a set and its expected result.

    Attributes:
        id: unique in the set.
        text: the question, or the last turn of a conversation.
        history: the earlier turns, oldest first.
        relevant: relevant documents with their grades (above 0). Documents are named by their id in the set's corpus;
            in a set without one, by a path or its last parts.
        spans: the characters that answer it; [] if the set has no such references.
        quote: words that an answering passage must contain; "" if none are given.
        page: the page of the document with the answer.
        answerable: True if the documents answer it; None if unknown.
    """

    id: str
    text: str
    history: tuple[Turn, ...] = ()
    relevant: Mapping[str, int] = field(default_factory=dict)
    spans: tuple[Span, ...] = ()
    quote: str = ""
    page: int | None = None
    answerable: bool | None = None


@dataclass(frozen=True, slots=True)
class Dataset:
    """An evaluation set.

    Attributes:
        name: the name of its folder or file.
        corpus: texts by document id; None if the questions are about a user's collection.
        questions: in the set's order.
        notes: what was left out and why, one sentence each.
        digest: SHA-256 (hex) over all of the above, taken before `limited`.
    """

    name: str
    corpus: Mapping[str, str] | None
    questions: tuple[EvaluationQuestion, ...]
    notes: tuple[str, ...] = ()
    digest: str = ""

    @property
    def has_spans(self) -> bool:
        """True if the references are character spans."""
        return any(question.spans for question in self.questions)

    @property
    def has_unanswerable(self) -> bool:
        """True if some questions are marked as not answered by the documents."""
        return any(question.answerable is False for question in self.questions)

    @property
    def has_history(self) -> bool:
        """True if some questions follow earlier turns."""
        return any(question.history for question in self.questions)

    @property
    def corpus_digest(self) -> str:
        """SHA-256 (hex) over the corpus."""
        return _sha256(self.corpus or {})

    def limited(self, most: int | None, seed: int = 0) -> Dataset:
        """Returns the set with at most `most` questions, chosen at random; equal seeds choose the same."""
        if most is None or most >= len(self.questions):
            return self
        chosen = sorted(random.Random(seed).sample(range(len(self.questions)), most))  # noqa: S311 - no secret
        note = f"{most:,} of {len(self.questions):,} questions, chosen at random."
        return replace(self, questions=tuple(self.questions[i] for i in chosen), notes=(*self.notes, note))


def made(
    name: str,
    corpus: Mapping[str, str] | None,
    questions: Sequence[EvaluationQuestion],
    notes: Iterable[str] = (),
) -> Dataset:
    """Builds a set from these parts, with its digest."""
    facts = [
        [q.id, q.text, [[t.question, t.answer] for t in q.history], dict(q.relevant), q.quote, q.page, q.answerable]
        + [[span.document, span.start, span.end] for span in q.spans]
        for q in questions
    ]
    digest = _sha256({"corpus": _sha256(corpus or {}), "questions": facts})
    return Dataset(name, corpus, tuple(questions), tuple(notes), digest)


def document_file(number: int) -> str:
    """Returns the file name for the corpus' document of this number; it reveals nothing about the content."""
    return f"{number:06d}.md"


def written(corpus: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Writes a corpus as files, skipping existing files and blank texts.

    Returns:
        Each document's id, by the path of its file.
    """
    folder.mkdir(parents=True, exist_ok=True)
    ids: dict[str, str] = {}
    for number, (document, text) in enumerate(corpus.items()):
        path = folder / document_file(number)
        if text.strip():
            ids[str(path)] = document
            if not path.exists() or path.read_text(encoding="utf-8") != text:
                path.write_text(text, encoding="utf-8", errors="replace", newline="\n")
    return ids


def _sha256(value: Any) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, default=dict).encode()).hexdigest()
