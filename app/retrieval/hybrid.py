"""Ranks the chunks of a collection for a question: by vectors, keywords, names and periods, figures, and tokens.

Each search finds candidates. It then also scores the other search's candidates and the neighbouring chunks, from stored
vectors and postings. A score of 0 therefore means "nothing in common", not "rank 51".
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field, replace

from app.retrieval.document_scope import DocumentFacts, facts_of, scope
from app.retrieval.figure_rows import figure_scores
from app.retrieval.fusion import fuse, ranking, with_bonuses, with_estimates, with_nearness, with_neighbours
from app.retrieval.label_search import LabelSearch
from app.text import Identifier, shared_language
from ingest.filters import Filter
from ingest.index import Index
from ingest.models import Query, SearchHit, StoredChunk, chunk_id, neighbours, position_of, version_of
from ingest.text import OPENING_CHARACTERS

# Chunks checked for an identifier, best keyword matches first.
NAMING = 50
# Chunks whose tokens are compared with the question's.
NEAREST = 30
# Most documents that a question can mean for a second search in these alone.
MOST_DOCUMENTS = 20
# Weight of a document's fit with the names and periods in the question, where the best fused score is 1.
SCOPE = 1.0
# Bonuses for that fit and for rows of figures grow with the document's chunks up to LONG: a chunk of a long report does
# not name its company, and its tables compete with pages of prose, while a short text is found by its words anyway.
# Without that, MT-RAG-UN lost 0.03 nDCG@10, and eval/answerable 0.02 recall@1.
LONG = 50
MOST_FACTS = 20_000


@dataclass
class _Found:
    """The chunks that searches found, with their scores by meaning and by words."""

    chunks: dict[str, StoredChunk] = field(default_factory=dict)
    meaning: dict[str, float] = field(default_factory=dict)
    words: dict[str, float] = field(default_factory=dict)

    def add(self, meaning: Iterable[SearchHit], words: Iterable[SearchHit]) -> None:
        for hits, scores in ((meaning, self.meaning), (words, self.words)):
            for hit in hits:
                self.chunks[hit.chunk.id] = hit.chunk
                scores[hit.chunk.id] = hit.score


@dataclass(frozen=True, slots=True)
class Ranked:
    """The chunks that were found with their scores, best first, and the sources of the documents that are meant.

    `meant` is empty if the question tells no document from another.
    """

    chunks: list[tuple[StoredChunk, float]]
    meant: frozenset[str]


class HybridSearch:
    """Ranks the chunks of one collection. Thread-safe.

    Args:
        index: the collection.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._pool = ThreadPoolExecutor(max_workers=4, thread_name_prefix="keyword-search")
        self._facts: dict[tuple[str, str], DocumentFacts] = {}
        self._labels = LabelSearch(index)

    def ranked(self, query: Query, n: int, within: Filter | None, wanted: Sequence[Identifier]) -> Ranked:
        """Returns both searches' candidates with their scores, best first.

        Ties keep the order of the chunks' ids, so that equal input gives equal output. Neighbours are from the same
        document, so they are inside the filter. Vectors of text unknown to the embedding model are ignored.

        Args:
            query: the question.
            n: the candidates of each search.
            within: the documents to search; None for all.
            wanted: the identifiers in the question, which are also searched separately.
        """
        found = _Found()
        self._search(found, query, n, within)
        for one in wanted:
            hits = self._index.keyword_search(one.text, NAMING, within=within)
            found.chunks |= {hit.chunk.id: hit.chunk for hit in hits}
        scoped = self._scope(query, found.chunks.values())
        best = max(scoped.values(), default=0.0)
        meant = frozenset(source for source, score in scoped.items() if score == best)
        if meant and len(meant) <= MOST_DOCUMENTS:
            self._search_in(meant, found, query, n, within)
        scores = self._scores(found, query)
        texts = {one: chunk.text for one, chunk in found.chunks.items()}
        language = shared_language(query.alone, *list(texts.values())[:1])
        named = {one: SCOPE * scoped[chunk.source] for one, chunk in found.chunks.items() if chunk.source in scoped}
        bonuses = (named, figure_scores(query.alone, texts, language))
        lengths = self._lengths(found.chunks[one] for bonus in bonuses for one in bonus)
        scores = with_bonuses(scores, [{one: lengths[one] * bonus[one] for one in bonus} for bonus in bonuses])
        if found.meaning:
            scores = with_nearness(scores, self._index.token_scores(query, ranking(scores)[:NEAREST]))
        return Ranked([(found.chunks[one], scores[one]) for one in ranking(scores)], meant)

    def _search(self, found: _Found, query: Query, n: int, within: Filter | None) -> None:
        """Adds the best chunks of both searches, which run in parallel."""
        knows = self._index.embedder.knows
        by_words = self._pool.submit(self._by_words, query, n, within)
        by_meaning = self._index.vector_search(query, n, within=within) if knows(query.text) else []
        known = [hit for hit in by_meaning if hit.chunk.id in found.meaning or knows(hit.chunk.text)]
        hits, labelled = by_words.result()
        found.add(known, hits)
        found.chunks |= labelled

    def _by_words(self, query: Query, n: int, within: Filter | None) -> tuple[list[SearchHit], dict[str, StoredChunk]]:
        """Returns the best keyword matches, and chunks with a row whose label the question contains."""
        hits = self._index.keyword_search(query, n, within=within)
        language = shared_language(query.alone, *(hit.chunk.text for hit in hits[:1]))
        return hits, self._labels.find(query, language, n, within)

    def _search_in(self, meant: frozenset[str], found: _Found, query: Query, n: int, within: Filter | None) -> None:
        """Adds the best chunks of some documents: all of them, which takes no search, if they are no more than `n`."""
        versions = {chunk.version_id for chunk in found.chunks.values() if chunk.source in meant}
        counts = self._index.docstore.chunk_counts(versions)
        if sum(counts.values()) <= n:
            ids = [chunk_id(version, position) for version in counts for position in range(counts[version])]
            found.chunks |= self._index.chunks(ids)
        else:
            self._search(found, query, n, replace(within or Filter(), sources=tuple(sorted(meant))))

    def _scores(self, found: _Found, query: Query) -> dict[str, float]:
        """Fuses both scores of all chunks that were found, and of their neighbours; words alone if not embedded yet."""
        chunks, knows = found.chunks, self._index.embedder.knows
        around = {*chunks, *(one for chunk_id in chunks for one in neighbours(chunk_id))}
        missing = sorted(around - found.words.keys())
        other_words = self._pool.submit(self._index.keyword_scores, query, missing)
        unknown = {one for one, chunk in chunks.items() if one not in found.meaning and not knows(chunk.text)}
        if found.meaning:
            found.meaning |= self._index.vector_scores(query, sorted(around - found.meaning.keys() - unknown))
        found.words |= other_words.result()
        meaning = with_estimates(found.meaning, found.words, self._unembedded(query, {*chunks, *found.words}))
        return with_neighbours(fuse([meaning, found.words]), chunks, neighbours)

    def _unembedded(self, query: Query, chunks: Iterable[str]) -> list[str]:
        """Returns those of chunks that are not embedded yet; none if the question has no vector to compare either."""
        if not self._index.count_unembedded() or not self._index.embedder.knows(query.text):
            return []
        partly = self._index.docstore.unembedded.versions()
        return [one for one in chunks if position_of(one) >= partly.get(version_of(one), math.inf)]

    def _lengths(self, chunks: Iterable[StoredChunk]) -> dict[str, float]:
        """Returns the weight of each chunk's bonuses by the length of its document, 0 to 1."""
        known = {chunk.id: chunk.version_id for chunk in chunks}
        lengths = self._index.docstore.chunk_counts(set(known.values()))
        return {one: min(1.0, lengths.get(version, 0) / LONG) for one, version in known.items()}

    def _scope(self, query: Query, chunks: Iterable[StoredChunk]) -> dict[str, float]:
        """Scores the documents of chunks by the names and periods in the question."""
        versions = {chunk.source: chunk for chunk in chunks}
        facts = {source: self._facts_of(chunk) for source, chunk in versions.items()}
        return scope(query.alone, facts, " ".join(text for text, _ in query.earlier))

    def _facts_of(self, chunk: StoredChunk) -> DocumentFacts:
        key = chunk.version_id, chunk.source
        if key not in self._facts:
            if len(self._facts) >= MOST_FACTS:
                self._facts.clear()
            docstore = self._index.docstore
            opening = docstore.excerpt(chunk.version_id, 0, OPENING_CHARACTERS)
            self._facts[key] = facts_of(chunk.source, chunk.title, opening, docstore.periods.of(chunk.version_id))
        return self._facts[key]
