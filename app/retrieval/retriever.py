"""Finds the chunks that best answer a question, by vector and keyword search, fused and without duplicates.

Each search finds candidates. It then also scores the other search's candidates and the neighbouring chunks, from stored
vectors and postings. A score of 0 therefore means "nothing in common", not "rank 51".
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace

from app.models import Passage, Retrieval
from app.retrieval.fusion import fuse, ranking, with_nearness, with_neighbours
from app.retrieval.reranking import Reranked, Reranker
from app.text import Identifier, contains_identifier, file_names, find_identifiers, nearest_identifiers
from ingest.errors import QuestionError
from ingest.filters import Filter
from ingest.index import Index
from ingest.models import Query, SearchHit, StoredChunk, as_query, neighbours
from ingest.text import storable

logger = logging.getLogger(__name__)
# Minimum candidates per search, so that a low rank in one can still be raised by the other. 100 and 200 found nothing
# more (bench/retrieval/rankings.py).
CANDIDATES = 50
# Chunks checked for an identifier, best keyword matches first.
NAMING = 50
UNKNOWN_SCRIPT = "The embedding model does not support this script: only keywords were searched."
# Chunks whose tokens are compared with the question's.
NEAREST = 30
MOST_HITS = 1_000
MOST_CHARACTERS = 8_000


@dataclass(frozen=True, slots=True)
class Scored:
    """A chunk with its fused score and the other sources that contain the same text."""

    chunk: StoredChunk
    score: float
    also_in: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class SearchResult:
    """The chunks that a search found, best first, with lines for the user about the search."""

    hits: list[SearchHit]
    notices: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Absent:
    """An identifier that no document contains, and the most similar ones that exist."""

    text: str
    nearest: tuple[str, ...] = ()


class Retriever:
    """Hybrid search over one collection. Thread-safe.

    Args:
        index: the collection.
        reranker: reorders the best candidates; None: the fused scores decide.
    """

    def __init__(self, index: Index, reranker: Reranker | None = None) -> None:
        self._index = index
        self._reranker = reranker
        self._logged = ""
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="keyword-search")

    def search(self, question: str | Query, k: int, *, within: Filter | None = None) -> list[SearchHit]:
        """Returns the hits of `retrieve` and logs its notices."""
        found = self.retrieve(question, k, within=within)
        for notice in found.notices:
            if notice != self._logged:  # once, not for every question
                self._logged = notice
                logger.warning("%s", notice)
        return found.hits

    def retrieve(self, question: str | Query, k: int, *, within: Filter | None = None) -> SearchResult:
        """Finds the `k` best chunks, best first; scores from 0 to 1, comparable within one result.

        Args:
            question: the question, alone or with the earlier ones.
            k: the number of chunks.
            within: the documents to search; None for all.

        Raises:
            QuestionError: the question is blank or too long, or `k` is out of range.
            RerankerError: the configured reranker cannot be used at all.
        """
        best, notices = self._best(question, k, within)
        hits = [SearchHit(rank, one.score, one.chunk) for rank, one in enumerate(best, start=1)]
        return SearchResult(hits, notices)

    def passages(self, question: str | Query, k: int, *, within: Filter | None = None) -> Retrieval:
        """Returns the results of `retrieve` as numbered passages for an answer.

        A notice is added if the embedding model does not support the question's script.
        """
        unknown = () if self._index.embedder.knows(as_query(question).text) else (UNKNOWN_SCRIPT,)
        best, notices = self._best(question, k, within)
        stored = self._index.docstore.indexed_chunks([one.chunk.id for one in best])
        headers = {one.chunk.id: one.table_header for one in stored}
        passages = [_passage(n, one, headers.get(one.chunk.id, "")) for n, one in enumerate(best, start=1)]
        return Retrieval(tuple(passages), (*unknown, *notices))

    def _best(self, question: str | Query, k: int, within: Filter | None) -> tuple[list[Scored], tuple[str, ...]]:
        query = as_query(question)
        query = replace(query, text=storable(query.text))
        check_question(query.text)
        check_k(k)
        n = max(CANDIDATES, 2 * k, self._reranker.candidates if self._reranker else 0)
        wanted = [one for one in find_identifiers(query.text) if not one.is_label]
        found = unique(self._index.consistent(lambda: self._ranked(query, n, within, wanted)))
        notice = ""
        if self._reranker:
            found, notice = self._reranked(self._reranker, query.alone, found)
        return _named_first(found, wanted)[:k], (notice,) if notice else ()

    def searched(self, within: Filter | None = None) -> int:
        """Counts the chunks of the documents `within`; None for all."""
        return self._index.count_chunks(within)

    def absent(self, question: str, *, within: Filter | None = None) -> list[Absent]:
        """Returns the question's identifiers that no document contains, each with the most similar ones that exist.

        Args:
            question: as the user wrote it.
            within: the documents to search; None for all.
        """
        wanted = find_identifiers(question)
        hits = {one: self._index.keyword_search(one.text, NAMING, within=within) for one in wanted}
        texts = {one: [_words(hit.chunk) for hit in hits[one]] for one in wanted}
        missing = [one for one in wanted if not any(contains_identifier(text, one) for text in texts[one])]
        around = self._index.keyword_search(question, NAMING, within=within) if missing else []
        nearby = [_words(hit.chunk) for hit in around]
        return [Absent(one.text, tuple(nearest_identifiers(one, [*texts[one], *nearby]))) for one in missing]

    def _reranked(self, reranker: Reranker, question: str, found: Sequence[Scored]) -> tuple[list[Scored], str]:
        """Returns the candidates in the reranker's order, and a notice if it failed, else "".

        Duplicates are already removed. The reranker reads the same text as the embedder: the passage below its title,
        headings and table header. That text shows the topic, and fits a cross-encoder's 512 tokens.
        """
        chunks = [one.chunk for one in found[: reranker.candidates]]
        embedded = {
            one.chunk.id: one.embedded_text for one in self._index.docstore.indexed_chunks([one.id for one in chunks])
        }
        texts = [embedded.get(one.id, one.text) for one in chunks]
        done = reranker.rerank(question, texts, [one.score for one in found]) if texts else Reranked((), ())
        ordered = [replace(found[i], score=score) for i, score in zip(done.order, done.scores, strict=True)]
        return ordered, done.notice

    def _ranked(self, query: Query, n: int, within: Filter | None, wanted: Sequence[Identifier]) -> list[Scored]:
        """Returns both searches' candidates, ranked by their own and neighbours' scores, the best also by tokens.

        Ties keep the order of the chunks' ids, so that equal input gives equal output. Neighbours are from the same
        document, so they are inside the filter. Vectors of text unknown to the embedding model are ignored. Identifiers
        in the question are also searched separately.
        """
        knows = self._index.embedder.knows
        keyword_leg = self._pool.submit(self._index.keyword_search, query, n, within=within)
        vector_hits = self._index.vector_search(query, n, within=within) if knows(query.text) else []
        vector_hits = [hit for hit in vector_hits if knows(hit.chunk.text)]
        naming = [hit for one in wanted for hit in self._index.keyword_search(one.text, NAMING, within=within)]
        keyword_hits = keyword_leg.result()
        chunks = {hit.chunk.id: hit.chunk for hit in (*vector_hits, *keyword_hits, *naming)}
        meaning, words = ({hit.chunk.id: hit.score for hit in hits} for hits in (vector_hits, keyword_hits))
        around = {*chunks, *(one for chunk_id in chunks for one in neighbours(chunk_id))}
        other_words = self._pool.submit(self._index.keyword_scores, query, sorted(around - words.keys()))
        if vector_hits:
            unknown = {one for one, chunk in chunks.items() if not knows(chunk.text)}
            meaning |= self._index.vector_scores(query, sorted(around - meaning.keys() - unknown))
        words |= other_words.result()
        fused = fuse([meaning, words])
        scores = with_neighbours(fused, chunks, neighbours)
        if vector_hits:
            scores = with_nearness(scores, self._index.token_scores(query, ranking(scores)[:NEAREST]))
        return [Scored(chunks[one], scores[one]) for one in ranking(scores)]


def _named_first(found: list[Scored], wanted: Sequence[Identifier]) -> list[Scored]:
    """Moves the chunks with most of the requested identifiers to the front and gives them the best score."""
    if not wanted or not found:
        return found
    counts = [sum(contains_identifier(_words(one.chunk), name) for name in wanted) for one in found]
    order = sorted(range(len(found)), key=lambda i: -counts[i])
    best = max(one.score for one in found)
    return [replace(found[i], score=best) if counts[i] else found[i] for i in order]


def _words(chunk: StoredChunk) -> str:
    """Returns all text by which a chunk can be identified."""
    return "\n".join((file_names(chunk.source), chunk.title, *chunk.heading, chunk.place, chunk.text))


def unique(fused: Sequence[Scored]) -> list[Scored]:
    """Keeps each text once, at its best rank; `also_in` lists the other sources that contain it."""
    first: dict[str, Scored] = {}
    for one in fused:
        words = " ".join(one.chunk.text.split())
        seen = first.get(words)
        if seen is None:
            first[words] = one
        elif one.chunk.source != seen.chunk.source and one.chunk.source not in seen.also_in:
            first[words] = replace(seen, also_in=(*seen.also_in, one.chunk.source))
    return list(first.values())


def check_question(question: str) -> None:
    """Checks that a question can be searched.

    Raises:
        QuestionError: the question is blank or too long.
    """
    if not question.strip():
        raise QuestionError("The question is empty. Write what you want to know.")
    if len(question) > MOST_CHARACTERS:
        raise QuestionError(
            f"The question has {len(question):,} characters; the limit is {MOST_CHARACTERS:,}. Shorten it, or ingest "
            "the long text as a document and ask about that."
        )


def check_k(k: int, most: int = MOST_HITS) -> None:
    """Checks the number of results.

    Raises:
        QuestionError: `k` is not from 1 to `most`.
    """
    if not 1 <= k <= most:
        raise QuestionError(f"k is {k:,}, but must be from 1 to {most:,}.")


def _passage(n: int, one: Scored, header: str) -> Passage:
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
        header=header,
    )
