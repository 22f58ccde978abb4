"""Finds the nearest chunks of a small collection, or of the documents that match a filter.

A few chunks are scored exactly, from the vectors in the document store: that takes less time than asking Chroma, and no
server. Chroma's own filters scan the whole collection (bench/retrieval/filters.py), so if many chunks match, Chroma is
asked for enough nearest chunks to include the wanted ones.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.docstore import DocStore, EmbedderRow
from ingest.filters import Filter
from ingest.index.sizes import SIZES, Sizes
from ingest.index.vector_memory import MOST, ChunkVectors, VectorMemory
from ingest.models import version_of
from ingest.vectors import VectorStore

# Chroma is asked for this multiple of the count that evenly spread matches would need; again at each retry.
MARGIN = 1.5
GROWTH = 4
MOST_FETCHED = 5_000
# Number of filters whose matches are cached; conversations reuse theirs for many questions.
REMEMBERED = 4


@dataclass(slots=True)
class Chosen:
    """The documents that match a filter at one moment.

    Attributes:
        versions: their active version ids.
        chunks: number of their chunks.
        unembedded: number of those whose vectors are not written yet.
        share: fraction of the collection's chunks, 0 to 1; set only if there are more than `Sizes.most_exact`.
        vectors: vectors of the chunks by embedder, once loaded.
    """

    versions: frozenset[str]
    chunks: int
    unembedded: int
    share: float
    vectors: dict[int, ChunkVectors] = field(default_factory=dict)

    def holds(self, chunk_id: str) -> bool:
        """Returns True if a chunk belongs to one of the documents."""
        return version_of(chunk_id) in self.versions


class Choosing:
    """Resolves filters in one collection; caches results until the collection changes. Thread-safe.

    Args:
        docstore: the document store.
        collection: the collection's number.
        sizes: thresholds above which Chroma is asked.
    """

    def __init__(self, docstore: DocStore, collection: int, sizes: Sizes = SIZES) -> None:
        self._sizes = sizes
        self._docstore = docstore
        self._collection = collection
        self._known: OrderedDict[tuple[int, Filter], Chosen] = OrderedDict()
        self._total = (-1, 0, 0)
        self._memory = VectorMemory(docstore)
        self._lock = threading.Lock()

    def chosen(self, within: Filter) -> Chosen:
        """Returns the documents that currently match a filter."""
        key = (self._docstore.catalog.changes(self._collection), within)
        with self._lock:
            if key not in self._known:
                if any(changes != key[0] for changes, _ in self._known):  # their vectors take memory
                    self._known.clear()
                self._known[key] = self._look(*key)
            self._known.move_to_end(key)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            return self._known[key]

    def count(self) -> tuple[int, int]:
        """Returns the numbers of chunks of the whole collection, and of those not embedded yet."""
        changes = self._docstore.catalog.changes(self._collection)
        with self._lock:
            return self._count(changes)

    def _count(self, changes: int) -> tuple[int, int]:
        if self._total[0] != changes:
            chunks = self._docstore.count_chunks(self._collection)
            self._total = changes, chunks, self._docstore.unembedded.count(self._collection)
        return self._total[1:]

    def _look(self, changes: int, within: Filter) -> Chosen:
        versions = self._docstore.selection.versions(self._collection, within)
        chunks = self._docstore.selection.count_chunks(versions)
        share = chunks / max(1, self._count(changes)[0]) if chunks > self._sizes.most_exact else 1.0
        unembedded = self._docstore.unembedded.count(self._collection, versions)
        return Chosen(frozenset(versions), chunks, unembedded, min(1.0, share))

    def nearest(
        self, store: VectorStore, embedder: EmbedderRow, vector: NDArray[np.float32], k: int, chosen: Chosen
    ) -> list[tuple[str, float]]:
        """Returns the `k` nearest chunks that match a filter, as (id, cosine similarity), best first.

        Args:
            store: the vectors in Chroma.
            embedder: the embedder that made them.
            vector: float32 [dimensions], of unit length.
            k: number of results.
            chosen: a result of `chosen`.

        Raises:
            VectorsDamaged: Chroma was asked and cannot answer.
        """
        n = math.ceil(k / max(chosen.share, 1e-9) * MARGIN)
        while not self._is_quicker_exact(chosen, embedder, n):
            found = [(chunk, score) for chunk, score in store.search(vector, n) if chosen.holds(chunk)]
            if len(found) >= k:
                return found[:k]
            n *= GROWTH
        return self.exact(store, embedder, vector, k, chosen)

    def exact(
        self, store: VectorStore, embedder: EmbedderRow, vector: NDArray[np.float32], k: int, chosen: Chosen
    ) -> list[tuple[str, float]]:
        """Scores all chunks that match a filter; arguments and result as for `nearest`."""
        known = chosen.vectors.get(embedder.id)
        if known is None:
            known = self._memory.of_versions(store, embedder, chosen.versions)
            if len(known.ids) <= MOST:
                chosen.vectors[embedder.id] = known
        return known.nearest(vector, k)

    def _is_quicker_exact(self, chosen: Chosen, embedder: EmbedderRow, n: int) -> bool:
        """Returns True if scoring all chunks of a filter is faster than asking Chroma for the `n` nearest overall."""
        enough = max(self._sizes.most_exact, self._sizes.chunks_a_result * n)
        return embedder.id in chosen.vectors or chosen.chunks <= enough or n > MOST_FETCHED
