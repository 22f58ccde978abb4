"""Measures how often supported claims are accepted, and unsupported ones flagged.

Pairs are built from eval/answerable: human answers with the passages that they were written from. Rules and constants
were chosen on the development half of the questions only; the other half is reported separately.
"""

from __future__ import annotations

import random
import time
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from app.grounding.verifier import Verifier
from app.models import Passage
from app.text.sentences import split_sentences
from bench.answers.changes import CHANGES, NAME, SUBTLE
from bench.data import Answered, answered
from ingest.embedding.embedder import Embedder

SEED = 1
HALVES = ("development", "held out")
VERDICTS = ("supported", "partly", "unsupported", "not checked", "no claim")
WORST = ("unsupported", "partly", "not checked", "supported", "no claim")
VERBATIM, HUMAN = "verbatim", "the humans' own"
OTHER, NEAREST = "another passage", "nearest other passage"


@dataclass
class _Outcomes:
    """Counts of verdicts by kind of pair and half."""

    verdicts: dict[tuple[str, str], Counter[str]] = field(default_factory=dict)
    seconds: float = 0.0

    def flagged(self, kind: str, half: str) -> tuple[int, int]:
        """Returns the number flagged, and the total."""
        counts = self.verdicts.get((kind, half), Counter())
        return counts["partly"] + counts["unsupported"], counts.total()


def half(question_id: str) -> str:
    """Assigns a question permanently to a half."""
    return HALVES[zlib.crc32(question_id.encode()) % 2]


def run(shared: Path) -> None:
    """Prints the share of flagged sentences by kind of pair, and the verdicts by kind of change."""
    data = answered(shared / "eval" / "answerable")
    embedder = Embedder(device="cpu")
    verifier, outcomes = Verifier(embedder), _Outcomes()
    for kind, which, text, passages in _pairs(data, embedder):
        cited = dict(enumerate(passages, start=1))
        marked = text + "".join(f" [{n}]" for n in cited)
        began = time.perf_counter()
        found = verifier.verify(marked, cited, passages).sentences
        outcomes.seconds += time.perf_counter() - began
        worst = min(found, key=lambda one: WORST.index(one.verdict))
        outcomes.verdicts.setdefault((kind, which), Counter())[worst.verdict] += 1
    _print(outcomes)


def _pairs(data: Answered, embedder: Embedder) -> Iterator[tuple[str, str, str, list[Passage]]]:
    """Yields kind of pair, half, sentence, passages."""
    rng, more = random.Random(SEED), random.Random(SEED)
    names = sorted({name for text in data.texts.values() for name in NAME.findall(text)})
    ids = list(data.texts)
    vectors = embedder.encode_documents([f"{data.titles[one]}: {data.texts[one]}" for one in ids])
    for question in data.questions:
        which = half(question.id)
        gold = [data.passage(one) for one in question.relevant]
        others = [one for one in ids if one not in question.relevant]
        nearest = ids[_nearest(vectors, ids, question.relevant)]
        for passage in gold:
            yield from ((VERBATIM, which, sentence, gold) for sentence in _sentences(passage.text))
        for sentence in dict.fromkeys(one for answer in question.answers for one in _sentences(answer)):
            yield HUMAN, which, sentence, gold
            yield OTHER, which, sentence, [data.passage(rng.choice(others))]
            yield NEAREST, which, sentence, [data.passage(nearest)]
            for kind, change in CHANGES.items():
                changed = change(rng, sentence, " ".join(passage.text for passage in gold), names)
                if changed and changed != sentence:
                    yield kind, which, changed, gold
            for kind, change in SUBTLE.items():
                if changed := change(more, sentence, " ".join(passage.text for passage in gold), names):
                    yield kind, which, changed, gold


def _sentences(text: str) -> tuple[str, ...]:
    return tuple(text[start:end] for start, end in split_sentences(text))


def _nearest(vectors: np.ndarray, ids: list[str], relevant: list[str]) -> int:
    near = vectors @ vectors[ids.index(relevant[0])]
    near[[ids.index(one) for one in relevant]] = -1
    return int(near.argmax())


def _print(outcomes: _Outcomes) -> None:
    total = sum(counts.total() for counts in outcomes.verdicts.values())
    print(f"{total:,} sentences, {1000 * outcomes.seconds / total:.1f} ms each\n")
    print(f"| flagged | wanted | {' | '.join(HALVES)} |")
    print("| --- | ---: | ---: | ---: |")
    wanted = {VERBATIM: "<= 1%", HUMAN: "<= 12%", OTHER: ">= 98%", NEAREST: ""}
    for kind, want in wanted.items():
        print(f"| {kind} | {want} | {' | '.join(_share([outcomes.flagged(kind, which)]) for which in HALVES)} |")
    changed = (_share([outcomes.flagged(kind, which) for kind in CHANGES]) for which in HALVES)
    print(f"| something changed | >= 90% | {' | '.join(changed)} |")
    for kind in SUBTLE:
        print(f"| {kind} |  | {' | '.join(_share([outcomes.flagged(kind, which)]) for which in HALVES)} |")
    print(f"\n| kind | half | {' | '.join(VERDICTS)} |")
    print("| --- | --- |" + " ---: |" * len(VERDICTS))
    for kind in (*wanted, *CHANGES, *SUBTLE):
        for which in HALVES:
            counts = outcomes.verdicts.get((kind, which), Counter())
            print(f"| {kind} | {which} | {' | '.join(str(counts[verdict]) for verdict in VERDICTS)} |")


def _share(counts: list[tuple[int, int]]) -> str:
    flagged, total = (sum(column) for column in zip(*counts, strict=True))
    return f"{flagged}/{total} = {flagged / max(1, total):.1%}"
