"""Compares questions with the stored token vectors of chunks, and restores these."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from ingest.docstore import DocStore
from ingest.embedding import Embedder, TokenVectors, nearness
from ingest.models import IndexedChunk, Query, as_query


class StoredTokens:
    """The token vectors of one model of a collection.

    Args:
        docstore: keeps them.
        row: the id of the model in the document store.
        embedder: the model.
    """

    def __init__(self, docstore: DocStore, row: int, embedder: Embedder) -> None:
        self._docstore, self._row, self.embedder = docstore, row, embedder

    def scores(self, query: str | Query, chunk_ids: Sequence[str]) -> dict[str, float]:
        """Scores how well the tokens of each chunk match those of a question; see `Index.token_scores`."""
        kept = self._docstore.kept.tokens_of_chunks(self._row, chunk_ids)
        if not kept or len(kept) < len(chunk_ids) or not all(kept.values()):
            return {}
        asked, rows, weights = as_query(query), [], []
        for text, weight in ((asked.text, 1.0), *asked.earlier):
            tokens = self.embedder.query_tokens(text)
            rows.append(tokens)
            weights += [weight] * len(tokens)
        if not weights:
            return {}
        found = nearness(np.concatenate(rows), np.array(weights, dtype=np.float32), list(kept.values()))
        return dict(zip(kept, found.tolist(), strict=True))

    def vectors(self, chunks: Sequence[IndexedChunk]) -> dict[str, TokenVectors]:
        """Restores the token vectors of chunks by id; see `Index.token_vectors`."""
        kept = self._docstore.kept.tokens(self._row, list({one.embed_key for one in chunks}))
        found: dict[str, TokenVectors] = {}
        for one in chunks:
            if one.embed_key in kept:
                context = one.embedded_text.removesuffix(one.chunk.text)
                tokens = self.embedder.restored_tokens(context, one.chunk.text, kept[one.embed_key])
                found |= {one.chunk.id: tokens} if tokens else {}
        return found
