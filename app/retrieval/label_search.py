"""Finds tables by the labels of their rows, which weigh little among all the words of a long table."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from app.retrieval.figure_rows import labels
from app.text import content_terms, other_figure_names
from ingest.filters import Filter
from ingest.index import Index
from ingest.models import Query, StoredChunk

# Chunks looked at, best keyword matches first. Of the 181 figures of bench/answers/filings.py, 300 found one less in
# four passages, four more in eight and seven more in twenty; 150 found two more in eight.
LABELLED = 300
# The labels of a chunk take about 4 KB.
MOST_REMEMBERED = 10_000

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

    def find(self, query: Query, language: str, n: int, within: Filter | None = None) -> dict[str, StoredChunk]:
        """Returns such chunks among the best keyword matches by id, best first.

        Args:
            query: the question.
            language: the language of question and chunks.
            n: the most chunks.
            within: the documents to search; None for all.
        """
        others = [name for names in other_figure_names(query.alone).values() for name in names]
        asked = content_terms(" ".join([query.alone, *others]), language)
        query = replace(query, text=" ".join([query.text, *others]))
        ids = [one for one, _ in self._index.keyword_ids(query, LABELLED, within=within)]
        known = self._labels_of(ids, language)
        wanted = [one for one in ids if any(label <= asked for label in known.get(one, ()))]
        return self._index.chunks(wanted[:n])

    def _labels_of(self, ids: Sequence[str], language: str) -> dict[str, Labels]:
        """Returns the labels of those chunks that are stored."""
        known = {one: found for one in ids if (found := self._labels.get((one, language))) is not None}
        unknown = [one for one in ids if one not in known]
        if len(self._labels) + len(unknown) > MOST_REMEMBERED:
            self._labels.clear()
        for chunk_id, text in self._index.docstore.texts(unknown).items():
            found = frozenset(terms for terms, _ in labels(text, language) if terms)
            known[chunk_id] = self._labels[chunk_id, language] = found
        return known
