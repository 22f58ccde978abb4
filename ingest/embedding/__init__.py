"""Embeds texts and questions as vectors with any sentence-transformers model."""

from ingest.embedding.binary_tokens import nearness, packed
from ingest.embedding.embedder import Embedder, query_vector
from ingest.embedding.token_vectors import TokenVectors, unit

__all__ = ["Embedder", "TokenVectors", "nearness", "packed", "query_vector", "unit"]
