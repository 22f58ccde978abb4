"""What was retrieved and what should have been -> scores of one question. Pure.

Rankings are scored by ir_measures. Span scores are those of "Evaluating Chunking Strategies for Retrieval" (Smith and
Troynikov 2024), after its code: characters, precision over all retrieved text, repeats counted as often as they come.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterable, Mapping, Sequence

import numpy as np

from ingest.text import composed_name

Range = tuple[int, int]

NDCG, RECALL, MRR, PRECISION = "nDCG", "Recall", "MRR", "Precision"
RANKING_CUTOFF = 10
RECALL_CUTOFFS = (1, 5, 10, 100)
# Quotation marks, dashes and ligatures that programs put in place of the ones that were typed.
PLAIN = str.maketrans({**dict.fromkeys("\u2018\u2019\u201a\u2032", "'"), **dict.fromkeys("\u201c\u201d\u201e", '"')})
DASHES = re.compile(r"[\u2010-\u2015\u2212]")
INVISIBLE = re.compile(r"[\u00ad\u200b-\u200d\ufeff]")
MARKUP = re.compile(r"[*_`|#]+")


def ranking_scores(
    rankings: Mapping[str, Sequence[str]], relevant: Mapping[str, Mapping[str, int]], k: int
) -> dict[str, dict[str, float]]:
    """Scores of rankings of documents: nDCG@10, Recall@1, 5, 10 and 100, MRR@10 and Precision@k.

    Args:
        rankings: for each question its documents, best first; a repeated one counts where it first stands.
        relevant: for each question its relevant documents with their grades (above 0).
        k: the cutoff of precision.

    Returns:
        For each question of `relevant`, its scores by name; all are from 0 to 1.
    """
    import ir_measures  # noqa: PLC0415 - half a second that other commands do without

    measures = {
        ir_measures.nDCG @ RANKING_CUTOFF: f"{NDCG}@{RANKING_CUTOFF}",
        **{ir_measures.R @ cutoff: f"{RECALL}@{cutoff}" for cutoff in RECALL_CUTOFFS},
        ir_measures.RR @ RANKING_CUTOFF: f"{MRR}@{RANKING_CUTOFF}",
        ir_measures.P @ k: f"{PRECISION}@{k}",
    }
    run = {
        question: {document: 1 / rank for rank, document in enumerate(dict.fromkeys(rankings[question]), start=1)}
        for question in relevant
        if rankings.get(question)
    }
    qrels = {question: dict(grades) for question, grades in relevant.items()}
    scores = {question: dict.fromkeys(measures.values(), 0.0) for question in relevant}
    if run:
        for metric in ir_measures.iter_calc(list(measures), qrels, run):
            scores[metric.query_id][measures[metric.measure]] = float(metric.value)
    return scores


def span_scores(retrieved: Sequence[tuple[str, Range]], document: str, references: Sequence[Range]) -> dict[str, float]:
    """Recall, precision and IoU of retrieved characters.

    Args:
        retrieved: document and [start, end) of each chunk.
        document: the document that the references lie in.
        references: [start, end) of what answers the question.

    Returns:
        "recall", "precision" and "IoU", each from 0 to 1. IoU is the characters found, over those retrieved and those
        missed together.
    """
    chunks = [span for source, span in retrieved if source == document]
    found = union(_intersections(chunks, references))
    hit, all_retrieved = length(found), sum(end - start for _, (start, end) in retrieved)
    wanted = sum(end - start for start, end in references)
    missed = length(union(references)) - hit
    return {
        "recall": _share(hit, wanted),
        "precision": _share(hit, all_retrieved),
        "IoU": _share(hit, all_retrieved + missed),
    }


def precision_omega(chunks: Iterable[Range], references: Sequence[Range]) -> float:
    """The precision of perfect retrieval: of all chunks of the document that hold a part of the references.

    It measures the chunks alone: how much they carry besides what was wanted.
    """
    touching = [chunk for chunk in chunks if _intersections([chunk], references)]
    return _share(length(union(_intersections(touching, references))), length(union(touching)))


def quote_found(quote: str, texts: Iterable[str]) -> bool:
    """Whether one of the texts holds a quote; case, white space, quotation marks, dashes and markup do not count."""
    wanted = plain(quote)
    return any(wanted in plain(text) for text in texts)


def plain(text: str) -> str:
    """Text as `quote_found` compares it."""
    text = INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(PLAIN)
    return " ".join(MARKUP.sub(" ", DASHES.sub("-", text)).casefold().split())


def names_source(expected: str, source: str) -> bool:
    """Whether a path names a document: all of it, or its last parts ("b/c.pdf" names "/a/b/c.pdf")."""
    wanted, parts = _parts(expected), _parts(source)
    return bool(wanted) and parts[-len(wanted) :] == wanted


def percentile(seconds: Sequence[float], percent: float) -> float:
    """A percentile of times, in seconds; NaN of none."""
    return float(np.percentile(seconds, percent)) if seconds else math.nan


def union(ranges: Iterable[Range]) -> list[Range]:
    """The same characters as ranges that are in order and apart."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged


def length(ranges: Iterable[Range]) -> int:
    """How many characters ranges hold, together."""
    return sum(end - start for start, end in ranges)


def _intersections(first: Sequence[Range], second: Sequence[Range]) -> list[Range]:
    pairs = ((max(a, c), min(b, d)) for a, b in first for c, d in second)
    return [(start, end) for start, end in pairs if start < end]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _parts(path: str) -> list[str]:
    name = composed_name(path).replace("\\", "/")
    return [part for part in name.split("/") if part not in {"", "."}]
