"""Whether passages answer a question at all: a calibrated decision from several kinds of evidence.

The question's tokens are held against those of the best passages (app/late_interaction.py). Two small logistic models,
fitted by bench/calibration/refusal.py and kept with their provenance in refusal.json, weigh what is found: are the
documents about this (the question's tokens and terms are there, in one sentence and in all), and does one of them say
it (one passage stands out, and it holds what the question asks beyond the words of its title). The first alone refuses:
the second tells near misses apart in a collection of short passages, but where long ones hold many facts it doubts what
is said in one sentence of them. The best of many chunks are nearer to any question than the best of few: how many were
searched is weighed too, so that a question is refused as often among ten thousand chunks as in one. Where one sentence
has nearly all of the question's terms, it is answered whatever they say. Both together are the confidence that is told
with the answer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from app.answering.evidence import LEAST_OWN, TOLD, evidence, texts_of, told_share
from app.answering.identifier_lookup import named
from app.models import Passage
from app.protocols import Embeds
from app.text import content_terms, find_identifiers, shared_language
from ingest.text import ENGLISH, language_of

CALIBRATION = Path(__file__).with_name("refusal.json")
# What each model weighs; `evidence` says what it is.
ABOUT = (
    "tokens",
    "tokens in any",
    "function words",
    "nearest sentence",
    "terms in a sentence",
    "passage stands out",
    "sentence stands out",
    "chunks searched",
)
SAID = (
    "nearest passage",
    "passage stands out",
    "sentence stands out",
    "terms in a sentence",
    "asked in the title",
    "words beyond the title",
)
# Shares of a question's terms that a sentence must have where it is judged by words: alone, and where the models think
# that the documents are about it.
HALF, SOME = 0.5, 0.3
OTHER_LANGUAGE = (
    "The question seems to be in {asked}, the nearest passages in {spoken}, and the embedding model in use does not "
    "bridge the two. Ask in {spoken}, or change to a multilingual model with `footnote reembed --model NAME`."
)


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
    """Whether a question is answered, and how sure it is that its passages say it: 0 to 1.

    `reason` says why not, where it is no matter of what the passages say.
    """

    answers: bool
    confidence: float
    reason: str = ""


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

    def judge(
        self,
        question: str,
        passages: Sequence[Passage],
        embedder: Embeds,
        *,
        searched: int | None = None,
        last: str | None = None,
    ) -> Judgement:
        """Whether to answer a question from these passages.

        What names a thing by its identifier is answered where a passage has that. The models were fitted to English:
        questions in other languages are judged by the words that a sentence shares with them, those in scripts that the
        embedder does not know by these alone.

        Args:
            question: in words that are understood alone.
            passages: the best, in order.
            embedder: the collection's.
            searched: the number of chunks that the passages are the best of; None where nobody counted them.
            last: the question as asked, where it was put after those before it: what these share with the passages
                is no sign that they say anything of this one.
        """
        found = self.weigh(evidence(question, passages, embedder, searched))
        if named(passages, [one for one in find_identifiers(question) if not one.is_label]):
            return replace(found, answers=True)
        language = shared_language(question, *texts_of(passages))
        told = told_share(question, passages, language)
        if last is not None and len(content_terms(last, language)) >= LEAST_OWN:
            found = replace(found, answers=found.answers and told_share(last, passages, language) > 0)
        if not embedder.knows(question):
            return Judgement(told > HALF, told)
        if language == ENGLISH:
            return found
        spoken = language_of(" ".join(texts_of(passages)))
        if spoken and spoken != language:
            reason = OTHER_LANGUAGE.format(asked=language.title(), spoken=spoken.title())
            return Judgement(told >= HALF, told, "" if told >= HALF else reason)
        return Judgement(told > HALF or (told >= SOME and found.answers), max(told, found.confidence))

    def weigh(self, found: dict[str, float]) -> Judgement:
        """The same from evidence."""
        about = self.about.probability(found)
        if found[TOLD]:
            about = max(about, self.threshold)
        return Judgement(about >= self.threshold, about * self.said.probability(found))


def _model(fields: dict[str, Any]) -> Model:
    names, mean, scale, weights = (tuple(fields[name]) for name in ("names", "mean", "scale", "weights"))
    return Model(names, mean, scale, weights, fields["bias"])
