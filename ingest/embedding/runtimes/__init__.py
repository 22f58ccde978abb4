"""Runs embedding models: torch for any sentence-transformers model, ONNX Runtime for BERT encoders on a CPU."""

from ingest.embedding.runtimes.runtime import ModelFacts, ReadText, Runtime
from ingest.embedding.runtimes.selection import open_runtime

__all__ = ["ModelFacts", "ReadText", "Runtime", "open_runtime"]
