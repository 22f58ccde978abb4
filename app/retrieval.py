"""Question -> the chunks that answer it best: both legs, fused, each text once."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from app.models import Passage
from ingest.errors import QuestionError
from ingest.index import Index
from ingest.models import SearchHit, StoredChunk

# Candidates a leg gives at least, so that what ranks low in one leg can still be lifted by the other.
CANDIDATES = 100
MOST_HITS = 1_000
MOST_CHARACTERS = 8_000


@dataclass(frozen=True, slots=True)
class _Fused:
    """A chunk with its fused score, and the other sources that hold the same words."""

    chunk: StoredChunk
    score: float
    also_in: tuple[str, ...] = ()


class Retriever:
    """Hybrid search over one collection. Thread-safe.

    Args:
        index: the collection.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="keyword-search")

    def search(self, question: str, k: int) -> list[SearchHit]:
        """The `k` best chunks, best first; scores from 0 to 1, comparable within one result.

        Raises:
            QuestionError: the question is blank or too long, or `k` is out of range.
        """
        check_question(question)
        check_k(k)
        return [SearchHit(rank, one.score, one.chunk) for rank, one in enumerate(self._best(question, k), start=1)]

    def passages(self, question: str, k: int) -> list[Passage]:
        """The same as `search`, as numbered passages to ground an answer in."""
        check_question(question)
        check_k(k)
        return [_passage(n, one) for n, one in enumerate(self._best(question, k), start=1)]

    def _best(self, question: str, k: int) -> list[_Fused]:
        n = max(CANDIDATES, 2 * k)
        keyword_leg = self._pool.submit(self._index.keyword_search, question, n)
        vector_hits = self._index.vector_search(question, n)
        return unique(fuse([vector_hits, keyword_leg.result()]))[:k]


def fuse(legs: Sequence[Sequence[SearchHit]]) -> list[_Fused]:
    """Averages the legs' scores, each divided by its leg's best; a chunk that a leg did not find scores 0 there.

    Compared with reciprocal rank fusion by `bench/retrieval.py`. Ties keep the order of the chunks' ids, so that
    equal input gives equal output.
    """
    chunks: dict[str, StoredChunk] = {}
    scores: dict[str, float] = {}
    for leg in legs:
        best = max((hit.score for hit in leg), default=0.0)
        for hit in leg:
            chunks[hit.chunk.id] = hit.chunk
            share = max(0.0, hit.score) / best if best > 0 else 0.0
            scores[hit.chunk.id] = scores.get(hit.chunk.id, 0.0) + share / len(legs)
    order = sorted(chunks, key=lambda chunk_id: (-scores[chunk_id], chunk_id))
    return [_Fused(chunks[chunk_id], scores[chunk_id]) for chunk_id in order]


def unique(fused: Sequence[_Fused]) -> list[_Fused]:
    """Each text once, where it ranked best; the other sources that hold it are named in `also_in`."""
    first: dict[str, _Fused] = {}
    for one in fused:
        words = " ".join(one.chunk.text.split())
        seen = first.get(words)
        if seen is None:
            first[words] = one
        elif one.chunk.source != seen.chunk.source and one.chunk.source not in seen.also_in:
            first[words] = replace(seen, also_in=(*seen.also_in, one.chunk.source))
    return list(first.values())


def check_question(question: str) -> None:
    """Refuses what cannot be searched.

    Raises:
        QuestionError: the question is blank or too long.
    """
    if not question.strip():
        raise QuestionError("The question is empty. Write what you want to know.")
    if len(question) > MOST_CHARACTERS:
        raise QuestionError(
            f"The question has {len(question):,} characters; {MOST_CHARACTERS:,} are the most. Shorten it, or ingest "
            "the long text as a document and ask about that."
        )


def check_k(k: int, most: int = MOST_HITS) -> None:
    """Refuses a number of results that makes no sense.

    Raises:
        QuestionError: it is not from 1 to `most`.
    """
    if not 1 <= k <= most:
        raise QuestionError(f"k is {k:,}, but must be from 1 to {most:,}.")


def _passage(n: int, one: _Fused) -> Passage:
    chunk = one.chunk
    return Passage(
        n=n,
        document=chunk.source,
        version_id=chunk.version_id,
        title=chunk.title,
        page=chunk.page,
        heading=chunk.heading,
        start=chunk.start,
        end=chunk.end,
        text=chunk.text,
        score=one.score,
        also_in=one.also_in,
        place=chunk.place,
    )
