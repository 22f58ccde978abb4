"""Stores vectors in Chroma, and runs its server."""

from ingest.vectors.client import Chroma
from ingest.vectors.run_folder import RunFolder
from ingest.vectors.server import ChromaServer
from ingest.vectors.store import VectorStore

__all__ = ["Chroma", "ChromaServer", "RunFolder", "VectorStore"]
