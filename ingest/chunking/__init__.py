"""Splits documents into chunks that fit the embedder."""

from ingest.chunking.chunker import CHUNKER_FINGERPRINT, Chunker, Split

__all__ = ["CHUNKER_FINGERPRINT", "Chunker", "Split"]
