"""Counts the tokens in Footnote's index, and times its searches: steps of `bench.peers.footnote_side`.

    count MODEL                  chunks, and the tokens of the texts given to the model
    warm QUESTIONS UNTIMED       milliseconds of searches, and of embedding each question plus one Chroma query

The data folder is the one in the settings.
"""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from app.bootstrap import open_footnote
from app.footnote import Footnote
from bench.peers.contestant import HITS, counted, token_counts
from ingest.settings import load_settings


def run(step: str, *arguments: str) -> None:
    """Runs a step and prints its result as one line of JSON."""
    with open_footnote(load_settings()) as footnote:
        print(json.dumps(STEPS[step](footnote, *arguments)))


def count(footnote: Footnote, model: str) -> dict[str, int]:
    """Counts the chunks, and the tokens given to the model and read by it. Equal texts are embedded once."""
    index = footnote.index(footnote.settings.collection)
    ids = index.docstore.chunk_ids(index.collection.id)
    texts = {one.embed_key: one.embedded_text for part in index.docstore.in_parts(ids) for one in part}
    most = index.leg(index.embedders()["current"]).embedder.max_tokens
    return {"chunks": len(ids), **counted(token_counts(list(texts.values()), model), most)}


def warm(footnote: Footnote, questions: str, untimed: str) -> dict[str, list[float]]:
    """Times searches and, in turn, their least cost: embedding a question and one query of Chroma.

    The embedder caches recent questions, so each question is searched for long before or after it is embedded.
    """
    index = footnote.index(footnote.settings.collection)
    leg = index.leg(index.embedders()["current"])

    def bare(question: str) -> object:
        return leg.store.search(leg.embedder.encode_query(question), HITS)

    def search(question: str) -> object:
        return footnote.search(question, HITS)

    asked = json.loads(Path(questions).read_text(encoding="utf-8"))
    for question in asked[: int(untimed)]:
        search(question)
    asked = asked[int(untimed) :]
    times: dict[str, list[float]] = {"search": [], "bare": []}
    for number, question in enumerate(asked):
        times["bare"].append(_milliseconds(bare, question))
        times["search"].append(_milliseconds(search, asked[number - len(asked) // 2]))
    return times


def _milliseconds(work: Callable[[str], object], question: str) -> float:
    began = time.perf_counter()
    found = work(question)
    spent = 1000 * (time.perf_counter() - began)
    if not found:
        sys.exit(f"Nothing was found for {question!r}: the index is empty or damaged.")
    return spent


STEPS: dict[str, Callable[..., dict[str, Any]]] = {"count": count, "warm": warm}

if __name__ == "__main__":
    run(*sys.argv[1:])
