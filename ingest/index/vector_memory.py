"""Vectors of chunks in memory, to be compared exactly."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from ingest.docstore import DocStore, EmbedderRow
from ingest.index.sizes import SIZES
from ingest.models import chunk_id
from ingest.vectors import VectorStore

# Most vectors remembered: those of the largest collection that is searched by them.
MOST = SIZES.most_whole


@dataclass(frozen=True, slots=True)
class ChunkVectors:
    """Vectors of chunks: float32 [len(ids), dimensions]."""

    ids: Sequence[str]
    matrix: NDArray[np.float32]

    def nearest(self, vector: NDArray[np.float32], k: int) -> list[tuple[str, float]]:
        """Returns the `k` chunks most similar to `vector` as (id, cosine similarity), best first; ties ordered by id.

        Args:
            vector: float32 [dimensions], of unit length, like the chunks' vectors.
            k: number of results.
        """
        if not self.ids:
            return []
        scores = self.matrix @ vector
        some = np.argpartition(-scores, k)[:k] if k < len(scores) else np.arange(len(scores))
        best = sorted(((float(scores[i]), self.ids[i]) for i in some), key=lambda one: (-one[0], one[1]))
        return [(chunk, score) for score, chunk in best]


class VectorMemory:
    """The vectors of a collection's chunks that were read before: a chunk never changes. Thread-safe.

    So after a change of the collection only the vectors of new chunks are read.

    Args:
        docstore: caches all vectors.
    """

    def __init__(self, docstore: DocStore) -> None:
        self._docstore = docstore
        self._embedder = 0
        self._known: dict[str, NDArray[np.float32]] = {}
        self._lock = threading.Lock()

    def of_versions(self, store: VectorStore, embedder: EmbedderRow, versions: frozenset[str]) -> ChunkVectors:
        """Returns the vectors of all chunks of versions that are embedded.

        Args:
            store: the vectors in Chroma, asked for those that a format before 3 kept nowhere else.
            embedder: the embedder that made them.
            versions: ids.

        Raises:
            VectorsDamaged: Chroma was asked and cannot answer.
        """
        counts, partly = self._docstore.chunk_counts(versions), self._docstore.unembedded.versions()
        ids = [chunk_id(one, at) for one in sorted(counts) for at in range(partly.get(one, counts[one]))]
        known = self._remembered(embedder)
        missing = [one for one in ids if one not in known]
        read = self._docstore.kept.of_chunks(embedder.id, missing)
        if not embedder.kept:
            read |= store.vectors([one for one in missing if one not in read])
        found = {one: known[one] if one in known else read[one] for one in ids if one in known or one in read}
        with self._lock:
            if self._embedder == embedder.id:
                self._known = found if len(known) + len(read) > MOST else {**self._known, **read}
        return ChunkVectors([*found], np.stack([*found.values()]) if found else np.empty((0, 0), np.float32))

    def _remembered(self, embedder: EmbedderRow) -> dict[str, NDArray[np.float32]]:
        with self._lock:
            if self._embedder != embedder.id:
                self._embedder, self._known = embedder.id, {}
            return self._known
