"""Embeds texts and questions as vectors with any sentence-transformers model."""

from ingest.embedding.binary_tokens import nearness, packed, unpacked
from ingest.embedding.embedder import Embedder, OpenEmbedder, query_vector
from ingest.embedding.token_vectors import TokenVectors, unit

__all__ = [
    "Embedder",
    "OpenEmbedder",
    "TokenVectors",
    "nearness",
    "packed",
    "query_vector",
    "unit",
    "unpacked",
]
