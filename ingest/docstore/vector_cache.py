"""The vectors that an embedder made of texts and of their tokens, kept in the document store.

Chroma's own files do not survive a kill in the middle of their being written: what was lost there is put back from
here, without the model. A vector stands for every chunk of its collection with the same text (`embed_key`).
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ingest.docstore.database import Database, batches

# CROSS JOIN holds SQLite to this order: left to itself it goes through all vectors of the embedder (200 chunks of
# 10,000 took 17 ms of CPU, and 0.8 so).
OF_CHUNKS = """
SELECT c.id, k.vector FROM chunks c CROSS JOIN vectors k ON k.embedder = ? AND k.embed_key = c.embed_key
"""
OF_VERSIONS = """
SELECT c.id, k.vector FROM json_each(?) v CROSS JOIN chunks c ON c.version = v.value
LEFT JOIN vectors k ON k.embedder = ? AND k.embed_key = c.embed_key
"""
TOKENS_OF_CHUNKS = """
SELECT c.id, t.tokens FROM chunks c CROSS JOIN token_vectors t ON t.embedder = ? AND t.embed_key = c.embed_key
"""
# Texts of active chunks whose tokens have no vectors: an older Footnote kept none. Their own may be in Chroma alone.
TOKENLESS = """
SELECT DISTINCT c.embed_key FROM embedders e JOIN stored_chunks c ON c.collection = e.collection AND c.status = 'active'
WHERE e.id = ?1 AND (NOT e.kept OR EXISTS (SELECT 1 FROM vectors k WHERE k.embedder = ?1 AND k.embed_key = c.embed_key))
AND NOT EXISTS (SELECT 1 FROM token_vectors t WHERE t.embedder = ?1 AND t.embed_key = c.embed_key)
"""
# One vector, where no chunk of its collection has that text any more.
ORPHANED = """
DELETE FROM vectors WHERE embedder IN (SELECT id FROM embedders WHERE collection = ?1) AND embed_key = ?2
AND NOT EXISTS (SELECT 1 FROM stored_chunks WHERE embed_key = ?2 AND collection = ?1)
"""
ALL_ORPHANED = """
DELETE FROM vectors WHERE embedder = ?1 AND embed_key NOT IN (
    SELECT embed_key FROM stored_chunks WHERE collection = (SELECT collection FROM embedders WHERE id = ?1))
"""


@dataclass(frozen=True, slots=True)
class ChunkVectors:
    """Vectors of chunks: float32 [len(ids), dimensions]; `missing` are chunks whose vector is not kept."""

    ids: Sequence[str]
    matrix: NDArray[np.float32]
    missing: Sequence[str] = ()

    def nearest(self, vector: NDArray[np.float32], k: int) -> list[tuple[str, float]]:
        """The `k` chunks most similar to `vector` as (id, cosine similarity), best first; ties in order of ids.

        Args:
            vector: float32 [dimensions], of unit length, as the chunks' own are.
            k: how many.
        """
        if not self.ids:
            return []
        scores = self.matrix @ vector
        some = np.argpartition(-scores, k)[:k] if k < len(scores) else np.arange(len(scores))
        best = sorted(((float(scores[i]), self.ids[i]) for i in some), key=lambda one: (-one[0], one[1]))
        return [(chunk, score) for score, chunk in best]

    def with_more(self, vectors: Mapping[str, NDArray[np.float32]]) -> ChunkVectors:
        """These and others, by the chunks' ids."""
        rows = [*self.matrix, *vectors.values()]
        return ChunkVectors([*self.ids, *vectors], np.stack(rows) if rows else self.matrix)


class KeptVectors:
    """Vectors by embedder and text, in the document store's file.

    Args:
        database: the file, opened with `ingest.docstore.schema`.
    """

    def __init__(self, database: Database) -> None:
        self._query = database.query
        self._transaction = database.transaction

    def get(self, embedder: int, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """The vectors that are kept for those `keys`: float32 [dimensions] each."""
        found: dict[bytes, NDArray[np.float32]] = {}
        for some in batches(keys):
            marks = ",".join("?" * len(some))
            rows = self._query(
                f"SELECT embed_key, vector FROM vectors WHERE embedder = ? AND embed_key IN ({marks})",  # noqa: S608 - marks
                embedder,
                *some,
            )
            found.update((key, np.frombuffer(vector, dtype="<f4")) for key, vector in rows)
        return found

    def of_chunks(self, embedder: int, chunk_ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """The vectors that are kept for chunks, by the chunk's id: float32 [dimensions] each."""
        found: dict[str, NDArray[np.float32]] = {}
        for some in batches(chunk_ids):
            marks = ",".join("?" * len(some))
            rows = self._query(f"{OF_CHUNKS} WHERE c.id IN ({marks})", embedder, *some)
            found.update((chunk_id, np.frombuffer(vector, dtype="<f4")) for chunk_id, vector in rows)
        return found

    def tokens_of_chunks(self, embedder: int, chunk_ids: Sequence[str]) -> dict[str, bytes]:
        """The vectors kept of chunks' tokens, by the chunk's id, as `ingest.embedding.binary_tokens` packs them."""
        found: dict[str, bytes] = {}
        for some in batches(chunk_ids):
            marks = ",".join("?" * len(some))
            rows = self._query(f"{TOKENS_OF_CHUNKS} WHERE c.id IN ({marks})", embedder, *some)
            found.update((chunk_id, tokens) for chunk_id, tokens in rows)
        return found

    def of_versions(self, embedder: int, version_ids: Sequence[str]) -> ChunkVectors:
        """The vectors that are kept for all chunks of versions."""
        rows = self._query(OF_VERSIONS, json.dumps(version_ids), embedder)
        found = [row for row in rows if row[1] is not None]
        matrix = np.frombuffer(b"".join(vector for _, vector in found), dtype="<f4").reshape(len(found) or 1, -1)
        return ChunkVectors(
            [chunk_id for chunk_id, _ in found], matrix, [chunk_id for chunk_id, vector in rows if vector is None]
        )

    def put(
        self,
        embedder: int,
        vectors: Mapping[bytes, NDArray[np.float32]],
        tokens: Mapping[bytes, bytes] = MappingProxyType({}),
    ) -> None:
        """Keeps vectors of texts and of their tokens; what is kept already of a text is replaced.

        Args:
            embedder: which made them.
            vectors: float32 [dimensions] each.
            tokens: as `ingest.embedding.binary_tokens` packs them; of these texts, or of some whose vectors are kept.
        """
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO vectors (embedder, embed_key, vector) VALUES (?, ?, ?)",
                ((embedder, key, np.asarray(vector, dtype="<f4").tobytes()) for key, vector in vectors.items()),
            )
            db.executemany(
                "INSERT OR REPLACE INTO token_vectors (embedder, embed_key, tokens) VALUES (?, ?, ?)",
                ((embedder, key, packed) for key, packed in tokens.items()),
            )

    def tokenless(self, embedder: int) -> list[bytes]:
        """The keys of texts in use that have a vector, and none of their tokens: an older Footnote made them."""
        return [key for (key,) in self._query(TOKENLESS, embedder)]

    def drop_all_unused(self, embedder: int) -> None:
        """Deletes what no chunk of the embedder's collection has."""
        with self._transaction() as db:
            db.execute(ALL_ORPHANED, (embedder,))

    def count_unused(self, embedder: int) -> int:
        """How many vectors are kept that no chunk of the embedder's collection has."""
        rows = self._query(ALL_ORPHANED.replace("DELETE", "SELECT count(*)", 1), embedder)
        return int(rows[0][0])

    def all_kept(self, embedder: int) -> None:
        """Remembers that every vector of the embedder is here."""
        with self._transaction() as db:
            db.execute("UPDATE embedders SET kept = 1 WHERE id = ?", (embedder,))
