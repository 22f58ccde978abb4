"""Finds tables by the labels of their rows, which weigh little among all the words of a long table."""

from __future__ import annotations

from dataclasses import replace

from app.retrieval.figure_rows import labels
from app.text import content_terms, other_figure_names
from ingest.filters import Filter
from ingest.index import Index
from ingest.models import Query, SearchHit

# Chunks looked at, best keyword matches first. Of the 181 figures of bench/answers/filings.py, 300 found one less in
# four passages, four more in eight and seven more in twenty; 150 found two more in eight.
LABELLED = 300
MOST_REMEMBERED = 50_000

Labels = frozenset[frozenset[str]]


class LabelSearch:
    """Finds chunks with a row of figures whose label consists of words of the question. Thread-safe.

    Words of other names of the figures in the question count too: "Net sales" for revenue.

    The labels of chunks that were looked at are remembered: a chunk never changes.

    Args:
        index: the collection.
    """

    def __init__(self, index: Index) -> None:
        self._index = index
        self._labels: dict[tuple[str, str], Labels] = {}

    def hits(self, query: Query, language: str, within: Filter | None = None) -> list[SearchHit]:
        """Returns such chunks among the best keyword matches, with their BM25 scores, best first.

        Args:
            query: the question.
            language: the language of question and chunks.
            within: the documents to search; None for all.
        """
        others = [name for names in other_figure_names(query.alone).values() for name in names]
        asked = content_terms(" ".join([query.alone, *others]), language)
        query = replace(query, text=" ".join([query.text, *others]))
        scores = dict(self._index.keyword_ids(query, LABELLED, within=within))
        if len(self._labels) > MOST_REMEMBERED:
            self._labels.clear()
        known = self._labels
        unknown = [one for one in scores if (one, language) not in known]
        for chunk_id, chunk in self._index.chunks(unknown).items():
            known[chunk_id, language] = frozenset(terms for terms, _ in labels(chunk.text, language) if terms)
        wanted = [one for one in scores if any(label <= asked for label in known.get((one, language), ()))]
        chunks = self._index.chunks(wanted)
        found = [(chunks[one], scores[one]) for one in wanted if one in chunks]
        return [SearchHit(rank, score, chunk) for rank, (chunk, score) in enumerate(found, start=1)]
