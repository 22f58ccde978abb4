"""Scores the results of one question against the expected ones. Pure.

Rankings are scored by ir_measures. Span scores follow "Evaluating Chunking Strategies for Retrieval" (Smith and
Troynikov 2024) and its code: by characters, with precision over all retrieved text, repeats counted each time.
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
# Quotation marks, dashes and ligatures that programs substitute for typed characters.
PLAIN = str.maketrans({**dict.fromkeys("\u2018\u2019\u201a\u2032", "'"), **dict.fromkeys("\u201c\u201d\u201e", '"')})
DASHES = re.compile(r"[\u2010-\u2015\u2212]")
INVISIBLE = re.compile(r"[\u00ad\u200b-\u200d\ufeff]")
MARKUP = re.compile(r"[*_`|#]+")


def ranking_scores(
    rankings: Mapping[str, Sequence[str]], relevant: Mapping[str, Mapping[str, int]], k: int
) -> dict[str, dict[str, float]]:
    """Scores document rankings: nDCG@10, Recall@1, 5, 10 and 100, MRR@10 and Precision@k.

    Args:
        rankings: each question's documents, best first; a repeated one counts at its first position.
        relevant: each question's relevant documents with their grades (above 0).
        k: the cutoff of precision.

    Returns:
        Scores by name, 0 to 1, for each question in `relevant`.
    """
    import ir_measures  # noqa: PLC0415 - half a second, not needed by other commands

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
    """Returns recall, precision and IoU of retrieved characters.

    Args:
        retrieved: document and [start, end) of each chunk.
        document: the document with the references.
        references: [start, end) of the text that answers the question.

    Returns:
        "recall", "precision" and "IoU", each from 0 to 1. IoU is the relevant characters found, divided by those
        retrieved plus those missed.
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
    """Returns the precision of perfect retrieval: of all of the document's chunks that contain a part of a reference.

    It measures only the chunking: how much irrelevant text the chunks contain.
    """
    touching = [chunk for chunk in chunks if _intersections([chunk], references)]
    return _share(length(union(_intersections(touching, references))), length(union(touching)))


def quote_found(quote: str, texts: Iterable[str]) -> bool:
    """Returns True if a text contains the quote, ignoring case, white space, quotation marks, dashes and markup."""
    wanted = plain(quote)
    return any(wanted in plain(text) for text in texts)


def plain(text: str) -> str:
    """Normalizes text for `quote_found`."""
    text = INVISIBLE.sub("", unicodedata.normalize("NFKC", text)).translate(PLAIN)
    return " ".join(MARKUP.sub(" ", DASHES.sub("-", text)).casefold().split())


def names_source(expected: str, source: str) -> bool:
    """Returns True if a path is a document's path or its last parts ("b/c.pdf" names "/a/b/c.pdf")."""
    wanted, parts = _parts(expected), _parts(source)
    return bool(wanted) and parts[-len(wanted) :] == wanted


def percentile(seconds: Sequence[float], percent: float) -> float:
    """Returns a percentile of times, in seconds; NaN if there are none."""
    return float(np.percentile(seconds, percent)) if seconds else math.nan


def union(ranges: Iterable[Range]) -> list[Range]:
    """Merges ranges into sorted, disjoint ranges of the same characters."""
    merged: list[Range] = []
    for start, end in sorted(ranges):
        if merged and start <= merged[-1][1]:
            merged[-1] = (merged[-1][0], max(end, merged[-1][1]))
        elif start < end:
            merged.append((start, end))
    return merged


def length(ranges: Iterable[Range]) -> int:
    """Returns the total number of characters in ranges."""
    return sum(end - start for start, end in ranges)


def _intersections(first: Sequence[Range], second: Sequence[Range]) -> list[Range]:
    pairs = ((max(a, c), min(b, d)) for a, b in first for c, d in second)
    return [(start, end) for start, end in pairs if start < end]


def _share(part: int, whole: int) -> float:
    return part / whole if whole else 0.0


def _parts(path: str) -> list[str]:
    name = composed_name(path).replace("\\", "/")
    return [part for part in name.split("/") if part not in {"", "."}]
