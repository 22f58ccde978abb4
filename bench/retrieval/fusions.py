"""Alternative ways to fuse vector and keyword results; `app.retrieval.retriever` implements the best."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial

import numpy as np

from app.retrieval.fusion import FALL, NEARNESS, RISE, fuse, ranking, with_nearness, with_neighbours
from app.retrieval.hybrid import NEAREST
from app.retrieval.retriever import CANDIDATES
from ingest.index.index import Index
from ingest.lexical.store import LexicalStore
from ingest.models import SearchHit, neighbours

MANY = 200
RRF = 60
# A weight that makes all other terms irrelevant.
ALONE = 1e6
FEEDBACK, FEEDBACK_WEIGHT = 3, 0.4

Scores = dict[str, float]


@dataclass(frozen=True)
class Evidence:
    """Scores for one question: each leg's results, best first, and scores of all results and their neighbours.

    `words` are keyword results including stop words; `lone` and `all_lone` are keyword results and scores without
    neighbours' text; `vectors` are those of the candidates.
    """

    dense: Scores
    keyword: Scores
    words: Scores
    lone: Scores
    all_dense: Scores
    all_keyword: Scores
    all_lone: Scores
    question: np.ndarray
    vectors: Mapping[str, np.ndarray]
    nearness: Callable[[Sequence[str]], Scores]


def gather(index: Index, question: str) -> Evidence:
    """Queries both legs for more results than in use."""
    dense, keyword = (_scores(leg(question, MANY)) for leg in (index.vector_search, index.keyword_search))
    every_word = LexicalStore(index.lexical.folder, stop_words=False)
    no_windows = LexicalStore(index.lexical.folder, windows=False)
    found = {*dense, *keyword}
    around = sorted({*found, *(one for chunk in found for one in neighbours(chunk))})
    row = index.embedders()["current"]
    return Evidence(
        dense,
        keyword,
        dict(every_word.search(question, MANY)),
        dict(no_windows.search(question, MANY)),
        index.vector_scores(question, around),
        index.keyword_scores(question, around),
        no_windows.scores(question, around),
        index.embedder.encode_query(question),
        index.docstore.kept.of_chunks(row.id, sorted(found)),
        partial(index.token_scores, question),
    )


def _scores(hits: Sequence[SearchHit]) -> Scores:
    return {hit.chunk.id: hit.score for hit in hits}


def _first(scores: Scores, n: int = CANDIDATES) -> Scores:
    return dict(list(scores.items())[:n])


def _legs(one: Evidence, n: int = CANDIDATES) -> list[Scores]:
    return [_first(one.dense, n), _first(one.keyword, n)]


def reciprocal(one: Evidence) -> Scores:
    """Reciprocal rank fusion, Cormack et al. (2009)."""
    scores: Scores = {}
    for leg in _legs(one):
        for rank, chunk in enumerate(leg, start=1):
            scores[chunk] = scores.get(chunk, 0.0) + 1 / (RRF + rank)
    return scores


def filled(one: Evidence, n: int = CANDIDATES, weight: float = 0.5) -> Scores:
    """Scores every candidate by both legs; `weight` is BM25's."""
    dense, keyword = fuse([one.all_dense]), fuse([one.all_keyword])
    found = {chunk for leg in _legs(one, n) for chunk in leg}
    return {c: (1 - weight) * dense.get(c, 0.0) + weight * keyword.get(c, 0.0) for c in found}


def standardised(one: Evidence) -> Scores:
    """Adds z-scores within each leg, using the leg's lowest for missing candidates."""
    scores: Scores = {}
    for leg in _legs(one):
        values = np.array(list(leg.values()) or [0.0])
        spread = float(values.std()) or 1.0
        for chunk in {*one.dense, *one.keyword}:
            value = leg.get(chunk, float(values.min()))
            scores[chunk] = scores.get(chunk, 0.0) + (value - float(values.mean())) / spread
    return scores


def stretched(one: Evidence) -> Scores:
    """Averages each leg's scores, scaled from 0 (its lowest) to 1 (its best)."""
    legs = []
    for leg in _legs(one):
        low = min(leg.values(), default=0.0)
        legs.append({chunk: score - low for chunk, score in leg.items()})
    return fuse(legs)


def beside(one: Evidence, n: int = CANDIDATES, rise: float = RISE, fall: float = FALL) -> Scores:
    """`filled`, including each chunk's better neighbour."""
    scores = fuse([one.all_dense, one.all_keyword])
    found = {chunk for leg in _legs(one, n) for chunk in leg}
    return with_neighbours(scores, found, neighbours, rise=rise, fall=fall)


def by_itself(one: Evidence) -> Scores:
    """`beside`, with BM25 on each chunk without its neighbours' text."""
    return beside(replace(one, keyword=one.lone, all_keyword=one.all_lone))


def near(one: Evidence, n: int = NEAREST, weight: float = NEARNESS) -> Scores:
    """`beside`, with the best reranked by token similarity to the question: Footnote's method."""
    scores = beside(one)
    return with_nearness(scores, one.nearness(ranking(scores)[:n]), weight=weight)


def fed_back(one: Evidence) -> Scores:
    """Pseudo-relevance feedback: moves the question's vector towards the mean of the best hits (Rocchio); reranks."""
    scores = filled(one)
    best = [chunk for chunk in ranking(scores)[:FEEDBACK] if chunk in one.vectors]
    if not best:
        return scores
    moved = one.question + FEEDBACK_WEIGHT * np.mean([one.vectors[chunk] for chunk in best], axis=0)
    moved /= np.linalg.norm(moved)
    return _rescored(one, {chunk: float(vector @ moved) for chunk, vector in one.vectors.items()})


def smaller(one: Evidence, dimensions: float = 1.0, levels: int = 0) -> Scores:
    """`filled`, with vectors of fewer dimensions or fewer bits per dimension.

    Args:
        one: scores of the question.
        dimensions: fraction of a vector's dimensions that is kept, the first ones.
        levels: quantisation steps on either side of zero, relative to the vector's largest value; 0: exact.
    """

    def small(vector: np.ndarray) -> np.ndarray:
        part = vector[: int(dimensions * len(vector))]
        part = np.round(part / np.abs(part).max() * levels) if levels else part
        return part / np.linalg.norm(part)

    question = small(one.question)
    return _rescored(one, {chunk: float(small(vector) @ question) for chunk, vector in one.vectors.items()})


def signs(one: Evidence) -> Scores:
    """`filled`, with one bit per dimension: the share of equal signs estimates the angle (Charikar, 2002)."""
    asked = one.question > 0
    equal = {chunk: float(np.mean((vector > 0) == asked)) for chunk, vector in one.vectors.items()}
    return _rescored(one, {chunk: math.cos(math.pi * (1 - share)) for chunk, share in equal.items()})


def _rescored(one: Evidence, dense: Scores) -> Scores:
    """`filled`, with other scores of the vector leg."""
    found = {chunk for leg in _legs(one) for chunk in leg}
    return {chunk: score for chunk, score in fuse([dense, one.all_keyword]).items() if chunk in found}


TRIED: dict[str, Callable[[Evidence], Scores]] = {
    "BM25 alone, every word": lambda one: _first(one.words),
    "BM25 alone, each chunk by itself": lambda one: _first(one.lone),
    "BM25 alone": lambda one: _first(one.keyword),
    "dense alone": lambda one: _first(one.dense),
    "both: reciprocal rank fusion": reciprocal,
    "both: z-scores": standardised,
    "both: stretched to 0 to 1": stretched,
    "both: shares of the best, every word": lambda one: fuse([_first(one.dense), _first(one.words)]),
    "both: shares of the best": lambda one: fuse(_legs(one)),
    "+ scored by both legs": filled,
    "+ BM25 weighs 0.4": lambda one: filled(one, weight=0.4),
    "+ BM25 weighs 0.6": lambda one: filled(one, weight=0.6),
    "+ feedback": fed_back,
    "+ vectors of 8 bits a dimension": lambda one: smaller(one, levels=127),
    "+ vectors of one bit a dimension": signs,
    "+ vectors of half the dimensions": lambda one: smaller(one, dimensions=0.5),
    "+ neighbours, rise only 0.3": lambda one: beside(one, rise=0.3, fall=0.0),
    "+ neighbours, 0.1 both ways": lambda one: beside(one, rise=0.1, fall=0.1),
    "+ neighbours, 0.3 both ways": lambda one: beside(one, rise=0.3, fall=0.3),
    "+ neighbours, rise 0.5, fall 0.1": beside,
    "the same, BM25 of each chunk by itself": by_itself,
    "+ 200 candidates": lambda one: beside(one, MANY),
    "+ tokens of the best 30": near,
    "the same, of the best 50": lambda one: near(one, CANDIDATES),
    "the same, weighs half": lambda one: near(one, weight=NEARNESS / 2),
    "the same, weighs double": lambda one: near(one, weight=NEARNESS * 2),
    "best 30 by their tokens alone": lambda one: near(one, weight=ALONE),
}
