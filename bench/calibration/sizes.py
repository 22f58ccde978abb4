"""Measures refusal by collection size: the same documents and questions among growing numbers of other documents."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from app.answering.evidence import evidence
from app.answering.refusal import Refusal
from app.evaluation.dataset_readers import read_dataset
from app.footnote import Footnote
from bench.calibration.fit import ANSWERABLE, OFF, Example
from bench.calibration.sets import SEED, collections
from bench.data import ingested
from ingest.filters import Filter

# Sizes in chunks; the largest holds all documents.
SIZES = (1, 3, 10, 100, 1_000, 10_000)
PASSAGES = 8
# Questions asked at every size: each set's own, and those of other sets.
MOST_OWN, MOST_FOREIGN = 120, 40


@dataclass(frozen=True)
class Sized:
    """A question's evidence from a collection of a given number of chunks."""

    size: int
    example: Example


def run(shared: Path) -> None:
    """Prints the shares refused by collection size, with the shipped calibration."""
    report(list(examples(shared)), Refusal.load())


def report(found: Sequence[Sized], decision: Refusal) -> None:
    """Prints a row for each size."""
    print("| chunks | its own questions refused | questions of other collections refused |\n| ---: | ---: | ---: |")
    for size in SIZES:
        cells = []
        for kind in (ANSWERABLE, OFF):
            refused = [
                not decision.weigh(one.example.evidence).answers
                for one in found
                if one.size == size and one.example.kind == kind
            ]
            cells.append(f"{sum(refused)}/{len(refused)} = {sum(refused) / len(refused):.1%}")
        print(f"| {size:,} | {' | '.join(cells)} |", flush=True)


def examples(shared: Path) -> Iterator[Sized]:
    """Yields each question's evidence from collections of all sizes, each of which contains the answer.

    A collection is a filtered part of one index. This is equivalent, because refusal depends only on passages and their
    number, and in a small collection the passages found depend little on term weights.
    """
    sets = {name: read_dataset(shared / "eval" / name) for name in ("answerable", "scifact")}
    corpus = {key: text for data in sets.values() for key, text in (data.corpus or {}).items()}
    rng = random.Random(f"{SEED} sizes")
    own = [
        (name, question)
        for name, data in sets.items()
        for question in rng.sample([q for q in data.questions if q.relevant], MOST_OWN)
    ]
    foreign = [
        (one.name, key, text)
        for one in collections(shared)
        if one.name not in sets
        for key, text in rng.sample(sorted(one.own.items()), min(MOST_FOREIGN // 2, len(one.own)))
    ]
    with ingested(corpus) as (footnote, ids):
        chunks = {row.source: row.chunks for row in footnote.documents("default") if row.chunks}
        sources = {document: source for source, document in ids.items()}
        for name, question in own:
            gold = [sources[one] for one in question.relevant if one in sources][:1]
            yield from _at_all_sizes(
                footnote, chunks, gold, Example(name, ANSWERABLE, name, question.id, {}), question.text
            )
        for name, key, text in foreign:
            yield from _at_all_sizes(footnote, chunks, [], Example("sizes", OFF, name, key, {}), text)


def _at_all_sizes(
    footnote: Footnote, chunks: Mapping[str, int], gold: Sequence[str], example: Example, text: str
) -> Iterator[Sized]:
    retriever = footnote.retriever("default")
    others = random.Random(f"{SEED} {example.id}").sample(sorted(chunks.keys() - {*gold}), len(chunks) - len(gold))
    for size in SIZES:
        chosen, held = list(gold), sum(chunks[one] for one in gold)
        for one in others:
            if held >= size:
                break
            chosen.append(one)
            held += chunks[one]
        within = Filter(sources=tuple(chosen)) if len(chosen) < len(chunks) else None
        embedder = footnote.index("default").embedder
        passages = retriever.passages(text, PASSAGES, within=within, embedder=embedder).narrow
        found = evidence(text, passages, embedder, retriever.searched(within))
        yield Sized(size, Example(example.collection, example.kind, example.origin, example.id, found))
