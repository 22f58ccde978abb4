"""When silence is kept: questions asked of their own collection and of others, near misses, and how this is fitted.

`python -m bench refusal` reports; `python -m bench.refusal` fits anew and writes app/refusal.json. Questions are split
in halves for ever: models and threshold see the development half alone. What a collection that was never seen would
get is told by leaving each one out of the fit in turn, and by one that is in no fit.
"""

from __future__ import annotations

import datetime as dt
import json
import os
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import asdict
from pathlib import Path

from app.refusal import CALIBRATION, Refusal, evidence
from bench.refusal_fit import ANSWERABLE, KINDS, NEAR, Example, about, auroc, said, threshold
from bench.refusal_sets import Collection, asked, collections, unseen
from bench.verification import HALVES, half
from ingest.embedding import Embedder

PASSAGES = 8
COMMAND = "FOOTNOTE_SHARED=... python -m bench.refusal"
DATA = (
    "eval/answerable, eval/chunking, eval/conversations, eval/scifact (bench/refusal_sets.py says which parts) and the "
    "sample documents, each ingested by itself; off-topic: questions of the others"
)


def run(shared: Path) -> None:
    """Prints the shares refused by collection and half, and how well near misses are told from answerable questions."""
    report([*examples(shared), *examples(shared, unseen)], Refusal.load())


def examples(shared: Path, of: Callable[[Path], list[Collection]] = collections) -> Iterator[Example]:
    """Every question's evidence from the collection that it is asked of, through the product's own retrieval.

    Args:
        shared: the folder with the evaluation sets.
        of: gives the collections that are asked; the questions that are off their topic are those of `collections`.
    """
    others, embedder = collections(shared), Embedder(device="cpu")
    for one in of(shared):
        questions, seconds = list(asked(one, others)), 0.0
        with one.opened() as opened:
            retrieve = opened.retriever("default").passages
            for kind, key, text in questions:
                passages = retrieve(text, PASSAGES)
                began = time.perf_counter()
                known = evidence(text, passages, embedder)
                seconds += time.perf_counter() - began
                yield Example(one.name, kind, half(key.split()[-1]), known)
        print(
            f"{one.name}: {len(questions)} questions, {1000 * seconds / len(questions):.0f} ms of evidence each",
            flush=True,
        )


def report(found: list[Example], decision: Refusal) -> None:
    """Prints the tables for examples."""
    names = list(dict.fromkeys(one.collection for one in found))
    print(f"\n| refused | {' | '.join(f'{kind}, {which}' for kind in KINDS for which in HALVES)} |")
    print("| --- |" + " ---: |" * len(KINDS) * len(HALVES))
    for name in names:
        cells = [refused(decision, _only(found, name, kind, which)) for kind in KINDS for which in HALVES]
        print(f"| {name} | {' | '.join(cells)} |")
    print(f"\n| AUROC, near misses | {' | '.join(HALVES)} |\n| --- | ---: | ---: |")
    for label, score in (
        ("confidence", lambda one: decision.weigh(one.evidence).confidence),
        ("top-1 cosine alone", lambda one: one.evidence["nearest passage"]),
    ):
        cells = []
        for which in HALVES:
            near = [one for one in found if one.kind == NEAR and one.half == which]
            own = [one for name in {one.collection for one in near} for one in _only(found, name, ANSWERABLE, which)]
            cells.append(f"{auroc([score(one) for one in own], [score(one) for one in near]):.3f}")
        print(f"| {label} | {' | '.join(cells)} |", flush=True)


def report_left_out(found: list[Example]) -> None:
    """Prints what each collection gets from a calibration that never saw it."""
    print(f"\n| refused, fitted without it | {' | '.join(KINDS)} |\n| --- |{' ---: |' * len(KINDS)}")
    for name in dict.fromkeys(one.collection for one in found):
        decision = fitted([one for one in found if one.collection != name])
        cells = [refused(decision, [one for one in found if (one.collection, one.kind) == (name, k)]) for k in KINDS]
        print(f"| {name} | {' | '.join(cells)} |", flush=True)


def refused(decision: Refusal, put: list[Example]) -> str:
    """How many of the questions are refused, as a cell."""
    count = sum(not decision.weigh(one.evidence).answers for one in put)
    return f"{count}/{len(put)} = {count / len(put):.1%}" if put else ""


def _only(found: list[Example], name: str, kind: str, which: str) -> list[Example]:
    return [one for one in found if (one.collection, one.kind, one.half) == (name, kind, which)]


def fitted(found: list[Example]) -> Refusal:
    """The calibration fitted on the development half of examples.

    Where none is a near miss, the shipped model of them is kept.
    """
    known = [one for one in found if one.half == HALVES[0]]
    shipped = Refusal.load()
    near = any(one.kind == NEAR for one in known)
    model = about(known)
    return Refusal(model, said(known) if near else shipped.said, threshold(known, model), shipped.embedder)


def write(found: list[Example]) -> None:
    """Fits and writes app/refusal.json with its provenance."""
    decision = fitted(found)
    known = [one for one in found if one.half == HALVES[0]]
    counts = {
        name: dict(Counter(one.kind for one in known if one.collection == name))
        for name in dict.fromkeys(one.collection for one in known)
    }
    provenance = {
        "date": dt.datetime.now(dt.UTC).date().isoformat(),
        "command": COMMAND,
        "data": DATA,
        "half": f"{HALVES[0]} (bench.verification.half)",
        "counts": counts,
    }
    CALIBRATION.write_text(json.dumps(asdict(decision) | {"provenance": provenance}, indent=1) + "\n")


def main() -> None:
    """Fits, writes app/refusal.json and reports."""
    shared = Path(os.environ["FOOTNOTE_SHARED"]).resolve()
    found = list(examples(shared))
    write(found)
    report([*found, *examples(shared, unseen)], Refusal.load())
    report_left_out(found)


if __name__ == "__main__":
    main()
