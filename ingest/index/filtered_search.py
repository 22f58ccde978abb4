"""Searching only the documents that a filter lets through, at a cost that does not grow as they get fewer.

Chroma's own filters go through all it holds (bench/retrieval/filters.py). Few chunks are scored one by one, exactly,
from the vectors that the document store keeps; of many, enough of the nearest are asked for that the wanted ones are
among them.
"""

from __future__ import annotations

import math
import threading
from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from ingest.docstore import ChunkVectors, DocStore
from ingest.filters import Filter
from ingest.index.sizes import SIZES, Sizes
from ingest.vectors import VectorStore

# Asked of Chroma: so many times what would do if the nearest were spread evenly; at the next try, so many times that.
MARGIN = 1.5
GROWTH = 4
MOST_FETCHED = 5_000
# Vectors that are remembered of a filter at most; 15 MB at 384 dimensions.
MOST_KEPT = 10_000
# Filters remembered with what they let through; conversations keep theirs for many questions.
REMEMBERED = 4


@dataclass(slots=True)
class Chosen:
    """What a filter lets through at one moment.

    Attributes:
        versions: of the documents.
        chunks: how many those have.
        share: of the collection's chunks, 0 to 1; told only where there are more than `Sizes.most_exact`.
        vectors: those of the chunks by one embedder, once they were read.
    """

    versions: frozenset[str]
    chunks: int
    share: float
    vectors: dict[int, ChunkVectors] = field(default_factory=dict)

    def holds(self, chunk_id: str) -> bool:
        """Whether a chunk is of one of the documents."""
        return chunk_id.rpartition("-")[0] in self.versions


class Choosing:
    """Finds what filters let through in one collection, and remembers it until the collection changes. Thread-safe.

    Args:
        docstore: the document store.
        collection: the collection's number.
        sizes: from where on Chroma is asked.
    """

    def __init__(self, docstore: DocStore, collection: int, sizes: Sizes = SIZES) -> None:
        self._sizes = sizes
        self._docstore = docstore
        self._collection = collection
        self._known: OrderedDict[tuple[int, Filter], Chosen] = OrderedDict()
        self._total = (-1, 0)
        self._lock = threading.Lock()

    def chosen(self, within: Filter) -> Chosen:
        """What a filter lets through now."""
        key = (self._docstore.catalog.changes(self._collection), within)
        with self._lock:
            if key not in self._known:
                self._known[key] = self._look(*key)
            self._known.move_to_end(key)
            while len(self._known) > REMEMBERED:
                self._known.popitem(last=False)
            return self._known[key]

    def count(self) -> int:
        """How many chunks the whole collection has now."""
        changes = self._docstore.catalog.changes(self._collection)
        with self._lock:
            return self._count(changes)

    def _count(self, changes: int) -> int:
        if self._total[0] != changes:
            self._total = changes, self._docstore.count_chunks(self._collection)
        return self._total[1]

    def _look(self, changes: int, within: Filter) -> Chosen:
        versions = self._docstore.selection.versions(self._collection, within)
        chunks = self._docstore.selection.count_chunks(versions)
        share = chunks / max(1, self._count(changes)) if chunks > self._sizes.most_exact else 1.0
        return Chosen(frozenset(versions), chunks, min(1.0, share))

    def nearest(
        self, store: VectorStore, embedder: int, vector: NDArray[np.float32], k: int, chosen: Chosen
    ) -> list[tuple[str, float]]:
        """The `k` nearest of the chunks that a filter lets through, as (id, cosine similarity), best first.

        Args:
            store: the vectors in Chroma.
            embedder: the number of the embedder that made them.
            vector: float32 [dimensions], of unit length.
            k: how many.
            chosen: by this object.
        """
        n = math.ceil(k / max(chosen.share, 1e-9) * MARGIN)
        while not self._is_quicker_exact(chosen, embedder, n):
            found = [(chunk, score) for chunk, score in store.search(vector, n) if chosen.holds(chunk)]
            if len(found) >= k:
                return found[:k]
            n *= GROWTH
        return self._exact(store, embedder, vector, k, chosen)

    def _exact(
        self, store: VectorStore, embedder: int, vector: NDArray[np.float32], k: int, chosen: Chosen
    ) -> list[tuple[str, float]]:
        known = chosen.vectors.get(embedder)
        if known is None:
            known = self._docstore.kept.of_versions(embedder, sorted(chosen.versions))
            if known.missing:  # of an index that was made before vectors were kept
                known = known.with_more(store.vectors(known.missing))
            if len(known.ids) <= MOST_KEPT:
                chosen.vectors[embedder] = known
        return known.nearest(vector, k)

    def _is_quicker_exact(self, chosen: Chosen, embedder: int, n: int) -> bool:
        """Whether scoring all chunks of a filter takes less time than asking Chroma for the nearest `n` of all."""
        enough = max(self._sizes.most_exact, self._sizes.chunks_a_result * n)
        return embedder in chosen.vectors or chosen.chunks <= enough or n > MOST_FETCHED
