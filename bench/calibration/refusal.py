"""Measures and fits the refusal: questions asked of their own collection and of others, and near misses.

`python -m bench refusal` reports. `python -m bench.calibration.refusal` fits, writes app/answering/refusal.json and
reports. Reported judgements come from a calibration fitted without the question: models and threshold are fitted to
four fifths of the questions and judge the last. Unseen collections are measured by leaving each one, with all its own
questions, out of the fit in turn, and by one that is in no fit. The shipped calibration is fitted to all questions.
The choice of evidence, and the constants of app.answering.evidence.TOLD, were made in view of all of them.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import asdict, replace
from pathlib import Path

from app.answering.evidence import evidence
from app.answering.refusal import CALIBRATION, Judgement, Refusal
from bench.calibration import sizes as refusal_sizes
from bench.calibration.fit import ANSWERABLE, FOLDS, KINDS, NEAR, Example, auroc, crossed, fitted
from bench.calibration.sets import Collection, asked, collections, unseen

PASSAGES = 8
COMMAND = "FOOTNOTE_SHARED=... python -m bench.calibration.refusal"
DATA = (
    "eval/answerable, eval/chunking, eval/conversations, eval/scifact (sets.py says which parts) and the "
    "sample documents, each ingested by itself; off-topic: questions of the others; and the collections of 1 to 10,000 "
    "chunks of bench/calibration/sizes.py. The counts say which of them were used"
)


def run(shared: Path) -> None:
    """Prints the shares refused by collection, and the separation of near misses from answerable questions."""
    report(list(examples(shared)), list(examples(shared, unseen)))


def examples(shared: Path, of: Callable[[Path], list[Collection]] = collections) -> Iterator[Example]:
    """Yields every question's evidence from the collection that it is asked of, using the product's retrieval.

    Args:
        shared: the folder with the evaluation sets.
        of: returns the collections to ask; off-topic questions come from `collections`.
    """
    others = collections(shared)
    for one in of(shared):
        questions, seconds = list(asked(one, others)), 0.0
        with one.opened() as opened:
            retriever, embedder = opened.retriever("default"), opened.index("default").embedder
            for kind, key, text in questions:
                passages = retriever.passages(text, PASSAGES, embedder=embedder).narrow
                began = time.perf_counter()
                known = evidence(text, passages, embedder, retriever.searched())
                seconds += time.perf_counter() - began
                *elsewhere, question = key.split()
                yield Example(one.name, kind, elsewhere[0] if elsewhere else one.name, question, known)
        print(
            f"{one.name}: {len(questions)} questions, {1000 * seconds / len(questions):.0f} ms of evidence each",
            flush=True,
        )


def report(found: list[Example], never_fitted: list[Example]) -> None:
    """Prints the tables for examples, and for examples of collections that are in no fit."""
    judged, decision, shipped = list(crossed(found, found)), fitted(found), Refusal.load()
    print(f"\n| refused, {FOLDS}-fold | {' | '.join(KINDS)} |\n| --- |{' ---: |' * len(KINDS)}")
    for name in dict.fromkeys(one.collection for one in found):
        _row(name, [(one, said) for one, said in judged if one.collection == name])
    _row("all", judged)
    print(f"\n| refused, fitted without the collection | {' | '.join(KINDS)} |\n| --- |{' ---: |' * len(KINDS)}")
    for name in dict.fromkeys(one.collection for one in found):
        others = [one for one in found if name not in {one.collection, one.origin}]
        _row(name, list(crossed([one for one in found if one.collection == name], others)))
    for name in dict.fromkeys(one.collection for one in never_fitted):
        _row(name, list(crossed([one for one in never_fitted if one.collection == name], found)))
    print("\n| AUROC, near misses | |\n| --- | ---: |")
    print(f"| confidence, {FOLDS}-fold | {_auroc(judged, lambda _, said: said.confidence):.3f} |")
    print(f"| top-1 cosine alone | {_auroc(judged, lambda one, _: one.evidence['nearest passage']):.3f} |")
    print(f"\nThreshold fitted to all: {decision.threshold:.4f}; shipped: {shipped.threshold:.4f}.", flush=True)


def _row(name: str, judged: list[tuple[Example, Judgement]]) -> None:
    cells = [_refused(said for one, said in judged if one.kind == kind) for kind in KINDS]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)


def _refused(judgements: Iterable[Judgement]) -> str:
    """Formats the number and share of refused questions as a cell."""
    refused = [not one.answers for one in judgements]
    return f"{sum(refused)}/{len(refused)} = {sum(refused) / len(refused):.1%}" if refused else ""


def _auroc(judged: list[tuple[Example, Judgement]], score: Callable[[Example, Judgement], float]) -> float:
    """Returns the AUROC of a score for answerable questions against near misses, in collections with near misses."""
    missed = {one.collection for one, _ in judged if one.kind == NEAR}
    of = {
        kind: [score(one, said) for one, said in judged if one.kind == kind and one.collection in missed]
        for kind in (ANSWERABLE, NEAR)
    }
    return auroc(of[ANSWERABLE], of[NEAR])


def write(found: list[Example]) -> None:
    """Fits the calibration and writes app/answering/refusal.json with its provenance."""
    counts = {
        name: dict(Counter(one.kind for one in found if one.collection == name))
        for name in dict.fromkeys(one.collection for one in found)
    }
    provenance = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "command": COMMAND,
        "data": DATA,
        "counts": counts,
    }
    CALIBRATION.write_text(json.dumps(asdict(fitted(found)) | {"provenance": provenance}, indent=1) + "\n")


def main() -> None:
    """Fits, writes app/answering/refusal.json and reports."""
    shared = Path(os.environ["FOOTNOTE_SHARED"]).resolve()
    # All sizes, so that neither models nor threshold depend on the number of chunks.
    sized = (replace(one.example, collection=f"{one.size:,} chunks") for one in refusal_sizes.examples(shared))
    found = [*examples(shared), *sized]
    write(found)
    report(found, list(examples(shared, unseen)))


if __name__ == "__main__":
    main()
