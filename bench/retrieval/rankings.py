"""Measures the gain of each retrieval method on each set, and the cost of a search by stage."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from app.evaluation.dataset_readers import read_dataset
from app.evaluation.datasets import Dataset, EvaluationQuestion
from app.evaluation.metrics import ranking_scores, span_scores
from app.retrieval.fusion import fuse, ranking, with_nearness, with_neighbours
from app.retrieval.hybrid import NEAREST
from app.retrieval.retriever import CANDIDATES
from bench.data import ingested
from bench.retrieval.fusions import TRIED, gather
from ingest.index.index import Index
from ingest.models import StoredChunk, neighbours

DOCUMENTS = {"answerable": "Recall@1", "conversations": "nDCG@10", "scifact": "nDCG@10"}
FOOTNOTE = "Footnote"
SPAN_CHUNKS = 5
SIZES = (128, 192, 256)
# Chunks requested if documents are judged, enough to contain ten documents.
HITS = 50
# Timed questions; more than the embedder caches.
TIMED = 100
STAGES = (
    "embed the question",
    "Chroma query",
    "BM25 query",
    "cosines of the rest",
    "BM25 of the rest",
    "fusion",
    "tokens",
)
BARE, WHOLE = "embedding and one Chroma query", "a whole search"


@dataclass(frozen=True)
class Times:
    """Milliseconds, p50 and p95, of each stage over an index of a given number of chunks."""

    chunks: int
    stages: dict[str, tuple[float, ...]]

    @property
    def ratio(self) -> tuple[float, ...]:
        """Returns the time of a whole search relative to embedding the question and one Chroma query, in one run."""
        return tuple(whole / bare for whole, bare in zip(self.stages[WHOLE], self.stages[BARE], strict=True))


def run(shared: Path) -> None:
    """Prints rows for methods, for stages, and for chunk sizes."""
    columns: dict[str, dict[str, str]] = {}
    times: dict[str, Times] = {}
    folder = shared / "eval"
    for name, metric in DOCUMENTS.items():
        columns[f"{name} {metric}"], times[name] = _documents(read_dataset(folder / name), metric)
    chunking = read_dataset(folder / "chunking")
    columns["chunking recall / precision / IoU"], times["chunking"] = _spans(chunking)
    print(f"| ranking | {' | '.join(columns)} |")
    print(f"| --- |{' ---: |' * len(columns)}")
    for row in (*TRIED, FOOTNOTE):
        print(f"| {row} | {' | '.join(column[row] for column in columns.values())} |")
    print_times(times)
    _print_sizes(chunking)


def _documents(data: Dataset, metric: str) -> tuple[dict[str, str], Times]:
    """Returns each row's mean over the last turns of questions with relevant documents."""
    questions = [question for question in data.questions if question.relevant]
    relevant = {question.id: question.relevant for question in questions}
    found: dict[str, dict[str, list[str]]] = {row: {} for row in (*TRIED, FOOTNOTE)}
    with ingested(data.corpus or {}) as (footnote, sources):
        index = footnote.index("default")
        for question in questions:
            for row, chunks in _rankings(index, question.text):
                found[row][question.id] = [sources[one.source] for one in chunks]
            hits = footnote.search(question.text, HITS)
            found[FOOTNOTE][question.id] = [sources[hit.chunk.source] for hit in hits]
        times = times_of(index, footnote.search, [question.text for question in questions])
    scored = {row: ranking_scores(rankings, relevant, HITS) for row, rankings in found.items()}
    return {row: f"{np.mean([one[metric] for one in by.values()]):.3f}" for row, by in scored.items()}, times


def _spans(data: Dataset) -> tuple[dict[str, str], Times]:
    with ingested(data.corpus or {}) as (footnote, sources):
        index = footnote.index("default")
        totals = {row: np.zeros(3) for row in (*TRIED, FOOTNOTE)}
        for question in data.questions:
            found = dict(_rankings(index, question.text))
            found[FOOTNOTE] = [hit.chunk for hit in footnote.search(question.text, SPAN_CHUNKS)]
            for row, chunks in found.items():
                totals[row] += _span_row(question, chunks[:SPAN_CHUNKS], sources)
        scores = {row: _cells(total / len(data.questions)) for row, total in totals.items()}
        return scores, times_of(index, footnote.search, [question.text for question in data.questions])


def _span_row(question: EvaluationQuestion, chunks: Sequence[StoredChunk], sources: Mapping[str, str]) -> np.ndarray:
    retrieved = [(sources[one.source], (one.start, one.end)) for one in chunks]
    references = [(span.start, span.end) for span in question.spans]
    return np.array(list(span_scores(retrieved, question.spans[0].document, references).values()))


def _cells(shares: np.ndarray) -> str:
    return " / ".join(f"{100 * share:.1f}" for share in shares)


def _print_sizes(data: Dataset) -> None:
    """Prints Footnote's own ranking with other chunk sizes."""
    print("\n| most tokens in a chunk | chunks | recall / precision / IoU |\n| ---: | ---: | ---: |")
    for size in SIZES:
        with ingested(data.corpus or {}, chunk_tokens=size) as (footnote, sources):
            total = np.zeros(3)
            for question in data.questions:
                hits = footnote.search(question.text, SPAN_CHUNKS)
                total += _span_row(question, [hit.chunk for hit in hits], sources)
            print(f"| {size} | {footnote.status()[0].chunks:,} | {_cells(total / len(data.questions))} |", flush=True)


def _rankings(index: Index, question: str) -> Iterator[tuple[str, list[StoredChunk]]]:
    evidence = gather(index, question)
    orders = {row: ranking(idea(evidence)) for row, idea in TRIED.items()}
    chunks = index.docstore.active_chunks(index.collection.id, sorted({c for order in orders.values() for c in order}))
    for row, order in orders.items():
        yield row, [chunks[one] for one in order if one in chunks]


def times_of(index: Index, search: Callable[[str, int], object], questions: Sequence[str]) -> Times:
    """Returns p50 and p95 in milliseconds of each stage, of a whole search, and of embedding plus one Chroma query."""
    questions = questions[:TIMED]
    spent: dict[str, list[float]] = {}
    for number, question in enumerate(questions):
        _stages(index, question, spent)
        # A whole search of a question that the embedder has not cached.
        with _timed(spent, WHOLE):
            search(questions[number - len(questions) // 2], 10)
    spent[BARE] = [sum(two) for two in zip(*(spent[s] for s in STAGES[:2]), strict=True)]
    stages = {stage: tuple(np.percentile(some, (50, 95)).tolist()) for stage, some in spent.items()}
    return Times(index.docstore.count_chunks(index.collection.id), stages)


def _stages(index: Index, question: str, spent: dict[str, list[float]]) -> None:
    leg = index.leg(index.embedders()["current"])
    with _timed(spent, STAGES[0]):
        vector = leg.embedder.encode_query(question)
    with _timed(spent, STAGES[1]):
        dense = dict(leg.store.search(vector, CANDIDATES))
    with _timed(spent, STAGES[2]):
        keyword = {hit.chunk.id: hit.score for hit in index.keyword_search(question, CANDIDATES)}
    found = {*dense, *keyword}
    around = {*found, *(one for chunk in found for one in neighbours(chunk))}
    with _timed(spent, STAGES[3]):
        dense |= index.vector_scores(question, sorted(around - dense.keys()))
    with _timed(spent, STAGES[4]):
        keyword |= index.keyword_scores(question, sorted(around - keyword.keys()))
    with _timed(spent, STAGES[5]):
        scores = with_neighbours(fuse([dense, keyword]), found, neighbours)
    with _timed(spent, STAGES[6]):
        with_nearness(scores, index.token_scores(question, ranking(scores)[:NEAREST]))


@contextmanager
def _timed(spent: dict[str, list[float]], stage: str) -> Iterator[None]:
    start = time.perf_counter()
    yield
    spent.setdefault(stage, []).append((time.perf_counter() - start) * 1000)


def print_times(times: dict[str, Times]) -> None:
    print("\nMilliseconds, p50 / p95:\n")
    print(f"| stage | {' | '.join(f'{name}, {one.chunks:,} chunks' for name, one in times.items())} |")
    print(f"| --- |{' ---: |' * len(times)}")
    for stage in (*STAGES, BARE, WHOLE):
        print(f"| {stage} | {' | '.join('{:.1f} / {:.1f}'.format(*one.stages[stage]) for one in times.values())} |")
    print(f"| ratio | {' | '.join('{:.2f} / {:.2f}'.format(*one.ratio) for one in times.values())} |", flush=True)
