"""Caches the embedder's vectors of texts and of their tokens in the document store.

Chroma's files may be damaged if it is killed during a write. Lost vectors are restored from here, without the model. A
vector is shared by all chunks of its collection with the same text (`embed_key`).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import numpy as np
from numpy.typing import NDArray

from ingest.docstore.database import Database, batches

# CROSS JOIN forces this join order: SQLite would otherwise scan all vectors of the embedder (200 chunks of 10,000 took
# 17 ms of CPU instead of 0.8).
OF_CHUNKS = """
SELECT c.id, k.vector FROM chunks c CROSS JOIN vectors k ON k.embedder = ? AND k.embed_key = c.embed_key
WHERE c.id"""
OF_TEXTS = "SELECT embed_key, vector FROM vectors WHERE embedder = ? AND embed_key"
TOKENS_OF_CHUNKS = """
SELECT c.id, t.tokens FROM chunks c CROSS JOIN token_vectors t ON t.embedder = ? AND t.embed_key = c.embed_key
WHERE c.id"""
ALL_TOKENS = """
SELECT embed_key, tokens, others FROM token_vectors WHERE others IS NOT NULL AND embedder = ? AND embed_key"""
# Texts of active chunks without vectors of all tokens: older versions stored none, or not those of `others`, and stored
# some vectors only in Chroma.
TOKENLESS = """
SELECT DISTINCT c.embed_key FROM embedders e JOIN stored_chunks c ON c.collection = e.collection AND c.status = 'active'
WHERE e.id = ?1 AND (NOT e.kept OR EXISTS (SELECT 1 FROM vectors k WHERE k.embedder = ?1 AND k.embed_key = c.embed_key))
AND NOT EXISTS (SELECT 1 FROM token_vectors t
    WHERE t.embedder = ?1 AND t.embed_key = c.embed_key AND t.others IS NOT NULL)
"""
# A vector whose text no chunk of its collection has any more.
ORPHANED = """
DELETE FROM vectors WHERE embedder IN (SELECT id FROM embedders WHERE collection = ?1) AND embed_key = ?2
AND NOT EXISTS (SELECT 1 FROM stored_chunks WHERE embed_key = ?2 AND collection = ?1)
"""
ALL_ORPHANED = """
DELETE FROM vectors WHERE embedder = ?1 AND embed_key NOT IN (
    SELECT embed_key FROM stored_chunks WHERE collection = (SELECT collection FROM embedders WHERE id = ?1))
"""


class KeptVectors:
    """Vectors by embedder and text, in the document store's database.

    Args:
        database: the database, opened with `ingest.docstore.schema`.
    """

    def __init__(self, database: Database) -> None:
        self._query = database.query
        self._transaction = database.transaction

    def get(self, embedder: int, keys: Sequence[bytes]) -> dict[bytes, NDArray[np.float32]]:
        """Returns the cached vectors of `keys`: float32 [dimensions] each."""
        return {key: np.frombuffer(vector, dtype="<f4") for key, vector in self._rows(OF_TEXTS, embedder, keys)}

    def of_chunks(self, embedder: int, chunk_ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Returns the cached vectors of chunks by id: float32 [dimensions] each."""
        return {one: np.frombuffer(vector, dtype="<f4") for one, vector in self._rows(OF_CHUNKS, embedder, chunk_ids)}

    def tokens_of_chunks(self, embedder: int, chunk_ids: Sequence[str]) -> dict[str, bytes]:
        """Returns the vectors of the chunks' content tokens by id, packed by `ingest.embedding.binary_tokens`."""
        return dict(map(tuple, self._rows(TOKENS_OF_CHUNKS, embedder, chunk_ids)))

    def tokens(self, embedder: int, keys: Sequence[bytes]) -> dict[bytes, tuple[bytes, bytes]]:
        """Returns the packed vectors of content tokens and of the others, of those texts that have both."""
        return {key: (tokens, others) for key, tokens, others in self._rows(ALL_TOKENS, embedder, keys)}

    def _rows(self, select: str, embedder: int, keys: Sequence[bytes] | Sequence[str]) -> Iterator[sqlite3.Row]:
        """Yields the rows of a query that ends with the column of the keys."""
        for some in batches(keys):
            yield from self._query(f"{select} IN ({','.join('?' * len(some))})", embedder, *some)

    def put(
        self,
        embedder: int,
        vectors: Mapping[bytes, NDArray[np.float32]],
        tokens: Mapping[bytes, tuple[bytes, bytes]] = MappingProxyType({}),
    ) -> None:
        """Stores vectors of texts and of their tokens, replacing existing ones.

        Args:
            embedder: id of the embedder that made them.
            vectors: float32 [dimensions] each.
            tokens: of content tokens and of the others, packed by `ingest.embedding.binary_tokens`; of these texts, or
                of texts whose vectors are stored.
        """
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO vectors (embedder, embed_key, vector) VALUES (?, ?, ?)",
                ((embedder, key, np.asarray(vector, dtype="<f4").tobytes()) for key, vector in vectors.items()),
            )
            db.executemany(
                "INSERT OR REPLACE INTO token_vectors (embedder, embed_key, tokens, others) VALUES (?, ?, ?, ?)",
                ((embedder, key, *packed) for key, packed in tokens.items()),
            )

    def tokenless(self, embedder: int) -> list[bytes]:
        """Returns the keys of texts in use that have a vector but not the vectors of all of their tokens."""
        return [key for (key,) in self._query(TOKENLESS, embedder)]

    def drop_all_unused(self, embedder: int) -> None:
        """Deletes vectors that no chunk of the embedder's collection uses."""
        with self._transaction() as db:
            db.execute(ALL_ORPHANED, (embedder,))

    def count_unused(self, embedder: int) -> int:
        """Counts the cached vectors that no chunk of the embedder's collection uses."""
        rows = self._query(ALL_ORPHANED.replace("DELETE", "SELECT count(*)", 1), embedder)
        return int(rows[0][0])

    def all_kept(self, embedder: int) -> None:
        """Records that all vectors of the embedder are cached."""
        with self._transaction() as db:
            db.execute("UPDATE embedders SET kept = 1 WHERE id = ?", (embedder,))
