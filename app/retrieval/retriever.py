"""Finds the chunks that best answer a question, without duplicates, and the passages around them."""

from __future__ import annotations

import logging
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from app.models import Passage, Retrieval, SearchResult
from app.retrieval.hybrid import NAMING, HybridSearch
from app.retrieval.mentions import mentions
from app.retrieval.ordering import Scored, by_turns, named_first, unique, words_of_chunk
from app.retrieval.passages import passage_of
from app.retrieval.reranking import Reranked, Reranker
from app.retrieval.widening import Wide, widened
from app.text import (
    compared_words,
    contains_identifier,
    find_identifiers,
    most_tokens,
    nearest_identifiers,
    shared_language,
)
from ingest.embedding import Embedder
from ingest.errors import DocumentStoreError, QuestionError
from ingest.filters import Filter
from ingest.index import Index
from ingest.models import Query, SearchHit, as_query
from ingest.text import storable

logger = logging.getLogger(__name__)
# Minimum candidates per search, so that a low rank in one can still be raised by the other. 100 and 200 found nothing
# more (bench/retrieval/rankings.py).
CANDIDATES = 50
UNKNOWN_SCRIPT = "The embedding model does not support this script: only keywords were searched."
MOST_HITS = 1_000
MORE_MENTIONS = f"Only the best {MOST_HITS:,} matching passages were looked through: more documents may mention it."
MOST_PASSAGES = 50
# Chunks of `Retrieval.found` if no number of passages is given.
FOUND = 8
MOST_CHARACTERS = 8_000


@dataclass(frozen=True, slots=True)
class _Best:
    """The best chunks, the sources of the documents that the question means, and lines for the user."""

    found: list[Scored]
    meant: frozenset[str] = frozenset()
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
        self._hybrid = HybridSearch(index)

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
        best = self._best(question, k, within)
        hits = [SearchHit(rank, one.score, one.chunk) for rank, one in enumerate(best.found[:k], start=1)]
        return SearchResult(hits, best.notices)

    def passages(
        self,
        question: str | Query,
        k: int | None,
        *,
        within: Filter | None = None,
        tokens: int = 0,
        embedder: Embedder | None = None,
    ) -> Retrieval:
        """Finds the passages for an answer: the best chunks, widened to the text around them.

        A notice is added if the embedding model does not support the question's script.

        Args:
            question: the question, alone or with the earlier ones.
            k: the number of passages; None: as many as fit into `tokens`, at least one and at most MOST_PASSAGES.
            within: the documents to search; None for all.
            tokens: the budget, as `most_tokens` counts.
            embedder: the model whose token vectors the chunks in `Retrieval.found` get, where they are stored.
        """
        unknown = () if self._index.embedder.knows(as_query(question).text) else (UNKNOWN_SCRIPT,)
        chosen = self._best(question, k or FOUND, within)
        best = chosen.found
        if compared_words(as_query(question).alone):
            best = by_turns(best, chosen.meant)
        passages: list[Passage] = []
        for wide in widened(self._index.docstore, [one.chunk for one in best]):
            passage = passage_of(self._index.docstore, len(passages) + 1, best[wide.best], wide)
            tokens -= most_tokens(passage.text)
            if len(passages) == (k or MOST_PASSAGES) or (k is None and passages and tokens < 0):
                break
            passages.append(passage)
        return Retrieval(
            tuple(passages),
            (*unknown, *chosen.notices),
            self._narrow(best[: k or FOUND], embedder),
            meant=chosen.meant,
        )

    def _narrow(self, best: Sequence[Scored], embedder: Embedder | None = None) -> tuple[Passage, ...]:
        """Returns chunks as passages that are not widened, with the token vectors of a model that are stored."""
        stored = {one.chunk.id: one for one in self._index.docstore.indexed_chunks([one.chunk.id for one in best])}
        tokens = self._index.token_vectors(list(stored.values()), embedder) if embedder else {}
        alone = [
            Wide(i, (stored[one.chunk.id],), one.chunk.text) for i, one in enumerate(best) if one.chunk.id in stored
        ]
        made = (passage_of(self._index.docstore, n, best[one.best], one) for n, one in enumerate(alone, start=1))
        return tuple(
            replace(passage, context=one.chunks[0].context, tokens=tokens.get(one.chunks[0].chunk.id))
            for passage, one in zip(made, alone, strict=True)
        )

    def _best(self, question: str | Query, k: int, within: Filter | None) -> _Best:
        query = as_query(question)
        query = replace(query, text=storable(query.text))
        check_question(query.text)
        check_k(k)
        n = max(CANDIDATES, 2 * k, self._reranker.candidates if self._reranker else 0)
        wanted = find_identifiers(query.text)
        ranked = self._index.consistent(lambda: self._hybrid.ranked(query, n, within, wanted))
        found = unique([Scored(chunk, score) for chunk, score in ranked.chunks])
        notice = ""
        if self._reranker:
            found, notice = self._reranked(self._reranker, query.alone, found)
        found = named_first(found, wanted)
        notices = filter(None, (notice, self._unembedded(found[:k], within)))
        return _Best(found, ranked.meant, tuple(notices))

    def _unembedded(self, found: Sequence[Scored], within: Filter | None) -> str:
        """Returns a notice if vectors are missing, and has the documents that were found embedded first."""
        waiting = self._index.count_unembedded(within)
        if not waiting:
            return ""
        with suppress(DocumentStoreError):  # a full disk is no reason not to answer
            self._index.docstore.unembedded.ask_for({one.chunk.version_id for one in found})
        return (
            f"{waiting:,} of {self._index.count_chunks(within):,} passages are not embedded yet: they were found by "
            "their words only."
        )

    def mentioning(self, topic: str, *, within: Filter | None = None) -> Retrieval:
        """Finds every document that mentions a topic, each with its best chunk, in order of their names.

        A notice is added if there may be more than the best MOST_HITS chunks show.
        """
        hits = self._index.keyword_search(topic, MOST_HITS, within=within)
        language = shared_language(topic, *(hit.chunk.text for hit in hits[:1]))
        first: dict[str, Scored] = {}
        for hit in hits:
            if mentions(hit.chunk.text, topic, language):
                first.setdefault(hit.chunk.source, Scored(hit.chunk, hit.score))
        best = [first[source] for source in sorted(first)]
        notice = MORE_MENTIONS if len(hits) == MOST_HITS else ""
        return Retrieval(self._narrow(best), (notice,) if notice else ())

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
        texts = {one: [words_of_chunk(hit.chunk) for hit in hits[one]] for one in wanted}
        missing = [one for one in wanted if not any(contains_identifier(text, one) for text in texts[one])]
        around = self._index.keyword_search(question, NAMING, within=within) if missing else []
        nearby = [words_of_chunk(hit.chunk) for hit in around]
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
