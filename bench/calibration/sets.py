"""Collections with their own questions and those of others, for fitting and measuring the refusal."""

from __future__ import annotations

import random
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from app.evaluation.dataset_readers import read_dataset
from app.evaluation.datasets import Dataset, EvaluationQuestion
from app.footnote import Footnote
from app.text.terms import content_terms
from bench.calibration.fit import ANSWERABLE, NEAR, OFF
from bench.data import footnote, ingested, json_lines

ROOT = Path(__file__).resolve().parents[2]
SEED = 1
# Number of documents ingested from a large set: those with answers, and a sample of the others.
MOST_DOCUMENTS = 500
# Most questions asked of a collection: its own, and those of all others.
MOST_OWN, MOST_FOREIGN = 200, 160
# Matches questions that refer to earlier turns and cannot be understood alone.
POINTS_BACK = re.compile(
    r"\b(?:it|its|they|them|their|this|that|these|those|he|him|his|she|her|there|ones?|same|first part|you say|above|"
    r"i meant?|other|else|instead|also|too|more)\b",
    re.IGNORECASE,
)
FEWEST_TERMS = 2
TITLE = re.compile(r"#*\s*(.+)")


@dataclass(frozen=True)
class Collection:
    """Documents, the questions that they answer, and near misses, by id.

    `corpus` is texts by name, or a folder of documents; `answering` are the documents known to answer a question.
    """

    name: str
    corpus: Mapping[str, str] | Path
    own: dict[str, str]
    near: dict[str, str] = field(default_factory=dict)
    answering: Mapping[str, Sequence[str]] = field(default_factory=dict)

    def titles(self, documents: Iterable[str]) -> set[str]:
        """Returns the first headings of documents, casefolded."""
        texts = {} if isinstance(self.corpus, Path) else self.corpus
        found = (TITLE.match(texts[one]) for one in documents if one in texts)
        return {title[1].casefold() for title in found if title}

    @contextmanager
    def opened(self) -> Iterator[Footnote]:
        """Yields a Footnote with the documents ingested."""
        if isinstance(self.corpus, Path):
            with footnote() as one:
                one.ingest([self.corpus])
                yield one
        else:
            with ingested(self.corpus) as (one, _):
                yield one


def collections(shared: Path) -> list[Collection]:
    """Returns all collections, each of a different field and format."""
    folder = shared / "eval"
    return [
        _answerable(folder / "answerable"),
        _chunking(folder / "chunking"),
        _conversations(folder / "conversations"),
        _scifact(folder / "scifact"),
        _sample(),
    ]


def unseen(shared: Path) -> list[Collection]:
    """Returns collections excluded from every fit: quarterly reports in PDF, long and full of tables."""
    folder = shared / "eval" / "filings"
    asked = json_lines(folder / "questions.jsonl")
    return [Collection("filings", folder / "docs", {str(n): one["question"] for n, one in enumerate(asked)})]


def asked(one: Collection, everything: list[Collection]) -> Iterator[tuple[str, str, str]]:
    """Yields kind, id and text of the questions asked of a collection: its own, near misses, and others'."""
    yield from ((ANSWERABLE, key, text) for key, text in one.own.items())
    yield from ((NEAR, key, text) for key, text in one.near.items())
    yield from ((OFF, key, text) for key, text in _foreign(one, everything))


def _foreign(one: Collection, everything: list[Collection]) -> Iterator[tuple[str, str]]:
    """Returns a seeded sample of the questions of other collections, evenly distributed where possible.

    Excludes questions that the collection also has, and those answered by a page that it also contains: two sets come
    from Wikipedia, and share 41 pages.
    """
    rng = random.Random(f"{SEED} {one.name}")
    others = [other for other in everything if other.name != one.name]
    share = -(-MOST_FOREIGN // len(others))
    own = {text.casefold() for text in one.own.values()}
    held = one.titles(() if isinstance(one.corpus, Path) else one.corpus)
    for other in others:
        for key, text in _sampled(rng, other.own, share):
            if text.casefold() not in own and not held & other.titles(other.answering.get(key, ())):
                yield f"{other.name} {key}", text


def _sampled(rng: random.Random, found: dict[str, str], most: int) -> list[tuple[str, str]]:
    return rng.sample(sorted(found.items()), min(most, len(found)))


def _answerable(folder: Path) -> Collection:
    data = read_dataset(folder)
    own = {q.id: q.text for q in data.questions if q.answerable}
    near = {q.id: q.text for q in data.questions if not q.answerable}
    return Collection("answerable", data.corpus or {}, own, near, _answering(data))


def _chunking(folder: Path) -> Collection:
    data = read_dataset(folder)
    own = _sampled(random.Random(SEED), {q.id: q.text for q in data.questions}, MOST_OWN)
    return Collection("chunking", folder / "corpora", dict(own))


def _conversations(folder: Path) -> Collection:
    data = read_dataset(folder)
    own = {q.id: q.text for q in data.questions if q.answerable and _stands_alone(q)}
    return Collection("conversations", _part(data, own), own, answering=_answering(data))


def _answering(data: Dataset) -> dict[str, list[str]]:
    return {q.id: list(q.relevant) for q in data.questions}


def _stands_alone(question: EvaluationQuestion) -> bool:
    text = question.text
    asks = "?" in text and not POINTS_BACK.search(text) and len(content_terms(text)) >= FEWEST_TERMS
    return asks or not question.history


def _scifact(folder: Path) -> Collection:
    data = read_dataset(folder)
    own = dict(_sampled(random.Random(SEED), {q.id: q.text for q in data.questions}, MOST_OWN))
    return Collection("scifact", _part(data, own), own)


def _part(data: Dataset, own: dict[str, str]) -> dict[str, str]:
    """Returns the documents that answer the questions, and a seeded sample of the others."""
    corpus = data.corpus or {}
    answers = {document for q in data.questions if q.id in own for document in q.relevant if document in corpus}
    others = sorted(corpus.keys() - answers)
    chosen = answers.union(random.Random(SEED).sample(others, max(0, MOST_DOCUMENTS - len(answers))))
    return {one: corpus[one] for one in sorted(chosen)}


def _sample() -> Collection:
    asked = json_lines(ROOT / "tests" / "sample_questions.jsonl")
    return Collection("sample", ROOT / "data" / "sample", {one["_id"]: one["text"] for one in asked})
