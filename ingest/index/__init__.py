"""The index of one collection: combines document store, vectors, text index and embedder."""

from ingest.index.index import CHROMA_NAME, Index
from ingest.index.indexing import write_tokens
from ingest.index.recovery import adopt, rebuild_text, rebuild_vectors
from ingest.index.reembedding import drop_others, reembed, roll_back
from ingest.index.sizes import SIZES, Sizes
from ingest.index.staging import Prepared
from ingest.index.vector_leg import VectorLeg
from ingest.index.writer import IndexWriter, writing

__all__ = [
    "CHROMA_NAME",
    "SIZES",
    "Index",
    "IndexWriter",
    "Prepared",
    "Sizes",
    "VectorLeg",
    "adopt",
    "drop_others",
    "rebuild_text",
    "rebuild_vectors",
    "reembed",
    "roll_back",
    "write_tokens",
    "writing",
]
