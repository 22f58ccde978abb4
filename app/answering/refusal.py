"""Decides whether passages answer a question at all, with a classifier calibrated on several kinds of evidence.

The question's tokens are compared with those of the best passages (app/late_interaction.py). Two small logistic models
weigh the evidence; they are fitted by bench/calibration/refusal.py and stored with their provenance in refusal.json.
The first asks whether the documents are about the topic: whether the question's tokens and terms occur, in one sentence
and overall. The second asks whether one passage states the answer: whether one stands out, and has the question's words
beyond its title. Only the first causes refusals. The second detects near misses among short passages, but in long
passages with many facts it doubts answers stated in a single sentence. The more chunks are searched, the more similar
the best are to any question, so the number searched is weighed too: the rate of refusals is the same for one chunk as
for ten thousand. A question is always answered if one sentence contains nearly all of its terms. The product of both
probabilities is the confidence reported with the answer.
"""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Self

from app.answering.evidence import LEAST_OWN, TOLD, evidence, nowhere, texts_of, told_share
from app.answering.identifier_lookup import named
from app.models import Passage
from app.protocols import Embeds
from app.text import content_terms, find_identifiers, shared_language
from ingest.text import ENGLISH, language_of

CALIBRATION = Path(__file__).with_name("refusal.json")
# The evidence each model weighs; see `evidence`.
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
# Shares of a question's terms that one sentence must have when words decide: by themselves, and when the first model
# finds the documents relevant.
HALF, SOME = 0.5, 0.3
# Words of a question for an item by its number that no passage needs to have: "What does clause 4 say?".
MOST_UNKNOWN = 1
OTHER_LANGUAGE = (
    "The question seems to be in {asked}, the nearest passages in {spoken}, and the embedding model does not "
    "connect the two. Ask in {spoken}, or switch to a multilingual model with `footnote reembed --model NAME`."
)


@dataclass(frozen=True, slots=True)
class Model:
    """A logistic model over named evidence; a missing value (NaN) counts as the mean."""

    names: tuple[str, ...]
    mean: tuple[float, ...]
    scale: tuple[float, ...]
    weights: tuple[float, ...]
    bias: float

    def probability(self, evidence: dict[str, float]) -> float:
        """Returns the probability, 0 to 1."""
        total = self.bias
        for name, mean, scale, weight in zip(self.names, self.mean, self.scale, self.weights, strict=True):
            value = evidence[name]
            total += 0.0 if math.isnan(value) else weight * (value - mean) / scale
        return 1 / (1 + math.exp(-max(-50.0, min(50.0, total))))


@dataclass(frozen=True, slots=True)
class Judgement:
    """The decision to answer or not, and the confidence, 0 to 1, that the passages state the answer.

    `reason` explains a refusal that has another cause than the passages' content.
    """

    answers: bool
    confidence: float
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Refusal:
    """Decides whether to answer; calibrated for one embedding model.

    `threshold` is the lowest probability that the documents are about the question at which it is answered.
    """

    about: Model
    said: Model
    threshold: float
    embedder: str

    @classmethod
    def load(cls, path: Path = CALIBRATION) -> Self:
        """Loads the calibration that ships with Footnote."""
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
        """Decides whether to answer a question from these passages.

        A question that names an identifier is answered if a passage contains it, and one that names an item by its
        number if a passage has the item and all but MOST_UNKNOWN of the question's words. The models were fitted to
        English. Questions in other languages are judged mainly by the words they share with a sentence; if the embedder
        does not know the script, only by those.

        Args:
            question: the standalone question.
            passages: the best passages, in order.
            embedder: the collection's embedder.
            searched: the number of chunks searched; None if unknown.
            last: the question as asked, if earlier questions were added to it. Words that only the earlier questions
                share with the passages are no evidence that they answer this one.
        """
        found = self.weigh(evidence(question, passages, embedder, searched))
        language = shared_language(question, *texts_of(passages))
        if _is_named(question, passages):
            return replace(found, answers=True)
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
        """Judges measures that `evidence` has computed."""
        about = self.about.probability(found)
        if found[TOLD]:
            about = max(about, self.threshold)
        return Judgement(about >= self.threshold, about * self.said.probability(found))


def _is_named(question: str, passages: Sequence[Passage]) -> bool:
    wanted = find_identifiers(question)
    if others := [one for one in wanted if not one.is_label]:
        return named(passages, others)
    labels = {one.label for one in wanted}
    unknown = [word for word in nowhere(question, passages) if word.casefold() not in labels]
    return named(passages, wanted) and len(unknown) <= MOST_UNKNOWN


def _model(fields: dict[str, Any]) -> Model:
    names, mean, scale, weights = (tuple(fields[name]) for name in ("names", "mean", "scale", "weights"))
    return Model(names, mean, scale, weights, fields["bias"])
