"""Measures searches of a collection: the whole, its stages, and the share of the true nearest chunks that are found."""

from __future__ import annotations

import sqlite3
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from app.retrieval.hybrid import NEAREST
from app.retrieval.label_search import LabelSearch
from app.retrieval.retriever import CANDIDATES, Retriever
from app.text import shared_language
from bench.peers.results import percentiles
from ingest.index.index import Index
from ingest.models import as_query, neighbours

K = 10
WHOLE, FIRST = "a whole search", "the first search after a change"
VECTORS, KEYWORDS, LABELS = "vector leg", "keyword leg", "label search"
NEIGHBOURS, TOKENS = "scores of neighbours", "token scores"
STAGES = (VECTORS, KEYWORDS, LABELS, NEIGHBOURS, TOKENS)
# Vectors read at once: 6 MB at 384 dimensions.
BLOCK = 4_096
# Scores of one pair of vectors differ by this much between Chroma and numpy.
ROUNDING = 1e-5
# Milliseconds on the clock, and of this process's processors, by stage.
Spent = dict[str, list[tuple[float, float]]]


@dataclass(frozen=True, slots=True)
class Searched:
    """Figures of searches.

    Attributes:
        times: p50 and p95 in milliseconds of the whole and of its stages.
        processor: milliseconds of this process's processors for each of them, p50: Chroma's are not in it.
        first: milliseconds of the first search after the collection has changed.
        nearest: the scores of the K chunks that the vector leg finds nearest to each question whose stages were timed.
    """

    times: dict[str, tuple[float, float]]
    processor: dict[str, float]
    first: float
    nearest: list[list[float]]


class Searches:
    """Searches one collection; keeps between measurements what an application keeps between questions."""

    def __init__(self, index: Index) -> None:
        self._index = index
        self._retriever = Retriever(index)
        self._labels = LabelSearch(index)

    def measure(self, whole: Sequence[str], staged: Sequence[str]) -> Searched:
        """Measures whole searches, and the stages of as many others, by turns.

        Args:
            whole: questions for whole searches; the first is not counted with the others.
            staged: other questions, each stage of which runs alone.
        """
        spent: Spent = {}
        with _timed(spent, FIRST):
            self._retriever.retrieve(whole[0], K)
        nearest = [self._stages(staged[0], {})]  # what only the first question loads
        for one, other in zip(whole[1:], staged[1:], strict=True):
            with _timed(spent, WHOLE):
                self._retriever.retrieve(one, K)
            nearest.append(self._stages(other, spent))
        ((first, _),) = spent.pop(FIRST)
        times = {stage: percentiles([clock for clock, _ in some]) for stage, some in spent.items()}
        processor = {stage: statistics.median(used for _, used in some) for stage, some in spent.items()}
        return Searched(times, processor, first, nearest)

    def _stages(self, question: str, spent: Spent) -> list[float]:
        """Times the stages of a search one after another; returns the scores of the nearest chunks."""
        index, query = self._index, as_query(question)
        with _timed(spent, VECTORS):
            near = index.vector_search(query, CANDIDATES)
        with _timed(spent, KEYWORDS):
            hits = index.keyword_search(query, CANDIDATES)
        language = shared_language(question, *(hit.chunk.text for hit in hits[:1]))
        with _timed(spent, LABELS):
            self._labels.find(query, language, CANDIDATES)
        found = {hit.chunk.id: hit.score for hit in chain(hits, near)}
        around = {*found, *chain.from_iterable(map(neighbours, found))}
        with _timed(spent, NEIGHBOURS):
            index.vector_scores(query, sorted(around - {hit.chunk.id for hit in near}))
            index.keyword_scores(query, sorted(around - {hit.chunk.id for hit in hits}))
        with _timed(spent, TOKENS):
            index.token_scores(query, list(found)[:NEAREST])
        return [hit.score for hit in near[:K]]


def recall(index: Index, questions: Sequence[str], nearest: Sequence[Sequence[float]]) -> float:
    """Returns the fraction of the true K nearest chunks that were found, mean over the questions.

    Args:
        index: the collection.
        questions: the questions.
        nearest: the scores of what was found for each.
    """
    current = index.embedders()["current"]
    encode = index.leg(current).embedder.encode_query
    asked = np.stack([encode(question) for question in questions])
    least = exact_scores(index.docstore.database.path, current.id, asked, K)[:, -1] - ROUNDING
    found = [sum(score >= one for score in scores) for scores, one in zip(nearest, least.tolist(), strict=True)]
    return float(np.mean(found)) / K


def exact_scores(database: Path, embedder: int, questions: NDArray[np.float32], k: int) -> NDArray[np.float32]:
    """Returns the scores of the `k` nearest chunks to each question, best first, from all stored vectors.

    Args:
        database: the document store's file.
        embedder: the id of the model in it.
        questions: float32 [n, dimensions], rows of unit length.
        k: at most the number of chunks.

    Returns:
        float32 [n, k], cosine similarities.
    """
    with closing(sqlite3.connect(f"{database.as_uri()}?mode=ro", uri=True)) as db:
        scores, rows = np.full((len(questions), k), -2, np.float32), np.zeros((len(questions), k), np.int64)
        for numbers, vectors in _blocks(db, embedder):
            scores = np.hstack([scores, questions @ vectors.T])
            rows = np.hstack([rows, np.broadcast_to(numbers, (len(questions), len(numbers)))])
            best = np.argsort(-scores, axis=1, kind="stable")[:, :k]
            scores, rows = np.take_along_axis(scores, best, 1), np.take_along_axis(rows, best, 1)
        chunks = _count_chunks(db, np.unique(rows))
    repeated = (
        np.repeat(some, [chunks[one] for one in each])[:k] for some, each in zip(scores, rows.tolist(), strict=True)
    )
    return np.stack([*repeated])


def _blocks(db: sqlite3.Connection, embedder: int) -> Iterator[tuple[NDArray[np.int64], NDArray[np.float32]]]:
    """Yields the rows of stored vectors and the vectors, a few at a time."""
    cursor = db.execute("SELECT rowid, vector FROM vectors WHERE +embedder = ?", (embedder,))
    while some := cursor.fetchmany(BLOCK):
        vectors = np.frombuffer(b"".join(vector for _, vector in some), dtype="<f4").reshape(len(some), -1)
        yield np.array([row for row, _ in some]), vectors


def _count_chunks(db: sqlite3.Connection, rows: NDArray[np.int64]) -> dict[int, int]:
    """Counts the chunks that share each of some stored vectors."""
    counted = "SELECT count(*) FROM vectors v JOIN chunks c ON c.embed_key = v.embed_key WHERE v.rowid = ?"
    return {row: db.execute(counted, (row,)).fetchone()[0] for row in rows.tolist()}


@contextmanager
def _timed(spent: Spent, stage: str) -> Iterator[None]:
    began = time.perf_counter(), time.process_time()
    yield
    clock, used = time.perf_counter() - began[0], time.process_time() - began[1]
    spent.setdefault(stage, []).append((1000 * clock, 1000 * used))
