"""Whether passages answer a question at all: a calibrated decision from several kinds of evidence.

The question's tokens are held against those of the best passages (app/late_interaction.py). Two small logistic models,
fitted by bench/refusal.py and kept with their provenance in refusal.json, weigh what is found: are the documents about
this (the question's tokens and terms are there, in one sentence and in all), and does one of them say it (one passage
stands out, and it holds what the question asks beyond the words of its title). The first alone refuses: the second
tells near misses apart in a collection of short passages, but where long ones hold many facts it doubts what is said in
one sentence of them. Where one sentence has nearly all of the question's terms, it is answered whatever they say. Both
together are the confidence that is told with the answer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Container, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from app import facts, terms
from app.alignment import read_lines
from app.late_interaction import matches, text_vector
from app.meaning import Embeds
from app.models import Passage
from ingest.encoded import TokenVectors

CALIBRATION = Path(__file__).with_name("refusal.json")
# What each model weighs; `evidence` says what it is.
ABOUT = ("tokens", "tokens in any", "function words", "nearest sentence", "terms in a sentence", "words lead")
SAID = (
    "nearest passage",
    "passage stands out",
    "sentence stands out",
    "terms in a sentence",
    "asked in the title",
    "words beyond the title",
)
# A sentence with so many of a question's terms, with this share of them and with some that no title above it has, says
# something of what is asked, however far its vectors are: a row of a table is no sentence to an embedder. Chosen on all
# of bench/refusal.py's questions: of 953 that were put to the wrong collection none found one such, and with three
# terms and three quarters seven did.
TOLD = "told in a sentence"
LEAST_TOLD, LEAST_SHARE, LEAST_OWN = 3, 0.8, 2
# Passages that are read, the best ones: 8 told own questions from others no better, 3 worse, and each costs its time.
MOST_READ = 5
# Characters of a document's name that are read.
MOST_NAME = 80
# What stands out does so among the best that follow it.
MOST_OTHERS = 8


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic model over named evidence; what is missing (NaN) counts as its mean."""

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float

    def probability(self, evidence: dict[str, float]) -> float:
        """From 0 to 1."""
        total = self.bias
        for name, mean, scale, weight in zip(self.names, self.mean, self.scale, self.weights, strict=True):
            value = evidence[name]
            total += 0.0 if math.isnan(value) else weight * (value - mean) / scale
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))


@dataclass(frozen=True, slots=True)
class Judgement:
    """Whether a question is answered, and how sure it is that its passages say it: 0 to 1."""

    answers: bool
    confidence: float


@dataclass(frozen=True, slots=True)
class Refusal:
    """The decision, calibrated for one embedding model.

    `threshold` is the least probability that documents are about a question for it to be answered.
    """

    about: Model
    said: Model
    threshold: float
    embedder: str

    @classmethod
    def load(cls, path: Path = CALIBRATION) -> Self:
        """The calibration that is shipped."""
        fields: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return cls(_model(fields["about"]), _model(fields["said"]), fields["threshold"], fields["embedder"])

    def judge(self, question: str, passages: Sequence[Passage], embedder: Embeds) -> Judgement:
        """Whether to answer a question from these passages."""
        return self.weigh(evidence(question, passages, embedder))

    def weigh(self, found: dict[str, float]) -> Judgement:
        """The same from evidence."""
        about = self.about.probability(found)
        if found[TOLD]:
            about = max(about, self.threshold)
        return Judgement(about >= self.threshold, about * self.said.probability(found))


def evidence(question: str, passages: Sequence[Passage], embedder: Embeds) -> dict[str, float]:
    """What speaks for the first passages answering a question, by name.

    "terms in a sentence" is the logarithm of one more than their number, "told in a sentence" whether these are nearly
    all that are asked (1 or 0), "words lead" the greatest `Passage.lead`, a difference of BM25 scores; all others are
    shares or cosine similarities. NaN stands for what there is none of. "tokens" is how near the question's tokens come
    to those of a passage, on average, and "tokens in any" to those of all passages; "function words" are those that
    carry no meaning. A passage "stands out" by how much nearer the words that carry meaning come to it than to the
    others, a sentence by how much nearer all tokens come to it. "words beyond the title" is how near those that the
    title of the nearest passage lacks come to that passage; the nearest is the one whose own vector is.
    """
    read = passages[:MOST_READ]
    (asked,) = embedder.encode_tokens([question])
    there = embedder.encode_tokens([_titled(passage) for passage in read])
    lines = [line for passage, one in zip(read, there, strict=True) for line in _sentences(passage, one)] or there
    vector = embedder.encode_query(question)
    whole, single = (np.stack([text_vector(one) for one in some]) @ vector for some in (there, lines))
    nearest = int(whole.argmax())
    found, in_lines = (np.stack([matches(asked, one) for one in some]) for some in (there, lines))
    wanted, titled = terms.content_terms(question), terms.content_terms(read[nearest].name)
    held = _held(wanted, read)
    most = max(LEAST_TOLD, LEAST_SHARE * len(wanted))
    words, untitled = _in_words(question, asked.spans), _in_words(question, asked.spans, titled)
    return {
        "nearest passage": float(whole[nearest]),
        "nearest sentence": float(single.max()),
        "tokens": float(_mean(found).max()),
        "tokens in any": float(_mean(found.max(axis=0))),
        "function words": float(_mean(found[:, ~words]).max()),
        "terms in a sentence": math.log1p(max((all_held for _, all_held in held), default=0)),
        TOLD: float(any(own >= LEAST_OWN and all_held >= most for own, all_held in held)),
        "words lead": max(passage.lead for passage in read),
        "passage stands out": _stands_out(_mean(found[:, words if words.any() else ~words])),
        "sentence stands out": _stands_out(_mean(in_lines)),
        "asked in the title": _share(wanted & titled, wanted),
        "words beyond the title": float(_mean(found[nearest, untitled])),
    }


def nowhere(question: str, passages: Sequence[Passage]) -> list[str]:
    """The words of a question that carry meaning and stand in none of the passages, as written."""
    there = set[str]().union(*(_terms(p, f"{p.header} {p.text}") for p in passages))
    words = (word for word in terms.tokens(question) if terms.content_terms(word) - there)
    return list(dict.fromkeys(words))


def _titled(passage: Passage) -> str:
    """What is embedded of a passage: its words under what its document is called.

    A file's name was not counted when the chunk was made to fit the model: a long one would push out its end.
    """
    header = f"{passage.header}\n" if passage.header else ""
    return f"{passage.name[:MOST_NAME]}: {header}{passage.text}"


def _sentences(passage: Passage, tokens: TokenVectors) -> list[TokenVectors]:
    """The tokens of each sentence of a passage, of those that the model has read."""
    before = len(_titled(passage)) - len(passage.text)
    found = (tokens.part(before + line.start, before + line.end) for line in read_lines(passage))
    return [one for one in found if len(one.vectors)]


def _held(wanted: set[str], passages: Sequence[Passage]) -> list[tuple[int, int]]:
    """How many terms of a question each sentence holds: itself, and with the title, headings and header above it."""
    found = []
    for passage in passages:
        above = wanted & _terms(passage, "")
        for line in read_lines(passage):
            own = wanted & terms.content_terms(line.text)
            found.append((len(own), len(above | own | (wanted & terms.content_terms(line.header)))))
    return found


def _in_words(question: str, spans: NDArray[np.intp], but: Container[str] = ()) -> NDArray[np.bool_]:
    """Which tokens are part of words that carry meaning, but for these terms: bool [tokens]."""
    inside = np.zeros(len(spans), dtype=bool)
    for word in facts.read(question):
        if word.says and word.term not in but:
            inside |= (spans[:, 0] < word.end) & (spans[:, 1] > word.start)
    return inside


def _mean(nearness: NDArray[np.float32]) -> NDArray[np.float32]:
    """Over the last axis; NaN where there are no tokens."""
    return nearness.mean(axis=-1) if nearness.shape[-1] else np.full(nearness.shape[:-1], math.nan, np.float32)


def _terms(passage: Passage, text: str) -> set[str]:
    return terms.content_terms(" ".join((passage.name, *passage.heading, text)))


def _share(found: set[str], of: set[str]) -> float:
    return len(found) / len(of) if of else 0.0


def _stands_out(near: NDArray[np.float32]) -> float:
    """How much the best is above the mean of those after it; NaN where it is alone."""
    best, *others = np.sort(near)[::-1][: 1 + MOST_OTHERS]
    return float(best - np.mean(others)) if others else math.nan


def _model(fields: dict[str, Any]) -> Model:
    names, mean, scale, weights = (tuple(fields[name]) for name in ("names", "mean", "scale", "weights"))
    return Model(names, mean, scale, weights, fields["bias"])
