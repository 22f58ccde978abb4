"""Evaluation sets: what is read, what is asked, and what should be found. `read_dataset` tells their forms apart."""

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
    """One question of a set, and what is known of its answer.

    Attributes:
        id: unique in the set.
        text: the question, or the last turn of a conversation.
        history: the turns before it, oldest first.
        relevant: documents that bear on it, each with its grade (above 0). Documents are named by their id in the
            set's corpus; in a set without one, by a path or the last parts of one.
        spans: the characters that answer it; [] where the set has no such references.
        quote: words that a passage must hold to answer it; "" where none are named.
        page: the page of its document that answers it.
        answerable: whether the documents answer it; None where the set does not say.
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
        name: of its folder or file.
        corpus: texts by the ids of their documents; None where the questions are about a collection of the user's.
        questions: in the set's order.
        notes: what was left out of it, and why; a sentence each.
        digest: SHA-256 (hex) over all of the above, taken before `limited`.
    """

    name: str
    corpus: Mapping[str, str] | None
    questions: tuple[EvaluationQuestion, ...]
    notes: tuple[str, ...] = ()
    digest: str = ""

    @property
    def has_spans(self) -> bool:
        """Whether the references are characters."""
        return any(question.spans for question in self.questions)

    @property
    def has_unanswerable(self) -> bool:
        """Whether some questions are marked as not answered by the documents."""
        return any(question.answerable is False for question in self.questions)

    @property
    def has_history(self) -> bool:
        """Whether some questions follow on others."""
        return any(question.history for question in self.questions)

    @property
    def corpus_digest(self) -> str:
        """SHA-256 (hex) over the corpus."""
        return _sha256(self.corpus or {})

    def limited(self, most: int | None, seed: int = 0) -> Dataset:
        """The set with at most so many of its questions: a random choice, the same for equal seeds."""
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
    """A set of these parts, with its digest."""
    facts = [
        [q.id, q.text, [[t.question, t.answer] for t in q.history], dict(q.relevant), q.quote, q.page, q.answerable]
        + [[span.document, span.start, span.end] for span in q.spans]
        for q in questions
    ]
    digest = _sha256({"corpus": _sha256(corpus or {}), "questions": facts})
    return Dataset(name, corpus, tuple(questions), tuple(notes), digest)


def document_file(number: int) -> str:
    """The name of the file that the corpus' document of this number is written to: it gives nothing away."""
    return f"{number:06d}.md"


def written(corpus: Mapping[str, str], folder: Path) -> dict[str, str]:
    """Writes a corpus as files, those that are not there yet; blank texts are left out.

    Returns:
        The id of each document, by the path it was written to.
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
