"""LlamaIndex with its defaults: SimpleDirectoryReader, SentenceSplitter and HuggingFaceEmbedding, stored in Chroma."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

import chromadb
from contestant import HITS, Search, run
from llama_index.core import SimpleDirectoryReader, StorageContext, VectorStoreIndex
from llama_index.core.node_parser import SentenceSplitter
from llama_index.core.schema import BaseNode, MetadataMode
from llama_index.embeddings.huggingface import HuggingFaceEmbedding
from llama_index.vector_stores.chroma import ChromaVectorStore

COLLECTION = "quickstart"


def split(documents: Path) -> list[BaseNode]:
    """Reads and splits all Markdown files of a folder, as `VectorStoreIndex.from_documents` does by default."""
    read = SimpleDirectoryReader(str(documents), recursive=True, required_exts=[".md"]).load_data()
    return SentenceSplitter().get_nodes_from_documents(read)


def store(chunks: Sequence[BaseNode], folder: Path, model: str) -> None:
    """Embeds and stores chunks."""
    collection = chromadb.PersistentClient(path=str(folder)).get_or_create_collection(COLLECTION)
    context = StorageContext.from_defaults(vector_store=ChromaVectorStore(chroma_collection=collection))
    VectorStoreIndex(list(chunks), storage_context=context, embed_model=HuggingFaceEmbedding(model_name=model))


def given(chunks: Sequence[BaseNode]) -> list[str]:
    """Returns the texts that the model is given, each with the path of its file."""
    return [chunk.get_content(metadata_mode=MetadataMode.EMBED) for chunk in chunks]


def most_tokens(model: str) -> int:
    """Returns the most tokens of a text that the model reads, special tokens included."""
    return HuggingFaceEmbedding(model_name=model).max_length


def open_search(folder: Path, model: str) -> Search:
    """Opens a stored index. Returns a function that finds HITS chunks for a question."""
    collection = chromadb.PersistentClient(path=str(folder)).get_or_create_collection(COLLECTION)
    index = VectorStoreIndex.from_vector_store(
        ChromaVectorStore(chroma_collection=collection), embed_model=HuggingFaceEmbedding(model_name=model)
    )
    return index.as_retriever(similarity_top_k=HITS).retrieve


if __name__ == "__main__":
    run(sys.modules[__name__], sys.argv[1:])
