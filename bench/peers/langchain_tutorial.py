"""LangChain's RAG tutorial: chunks of 1,000 characters with 200 of overlap, HuggingFaceEmbeddings, and Chroma."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from contestant import HITS, Search, run
from langchain_chroma import Chroma
from langchain_core.documents import Document
from langchain_huggingface import HuggingFaceEmbeddings
from langchain_text_splitters import RecursiveCharacterTextSplitter


def split(documents: Path) -> list[Document]:
    """Reads and splits all Markdown files of a folder."""
    read = [
        Document(page_content=path.read_text(encoding="utf-8"), metadata={"source": str(path)})
        for path in sorted(documents.rglob("*.md"))
    ]
    splitter = RecursiveCharacterTextSplitter(chunk_size=1000, chunk_overlap=200, add_start_index=True)
    return splitter.split_documents(read)


def store(chunks: Sequence[Document], folder: Path, model: str) -> None:
    """Embeds and stores chunks; `from_documents` writes them in parts of the size that Chroma accepts."""
    Chroma.from_documents(list(chunks), HuggingFaceEmbeddings(model_name=model), persist_directory=str(folder))


def given(chunks: Sequence[Document]) -> list[str]:
    """Returns the texts that the model is given."""
    return [chunk.page_content for chunk in chunks]


def most_tokens(model: str) -> int:
    """Returns the most tokens of a text that the model reads, special tokens included."""
    return HuggingFaceEmbeddings(model_name=model)._client.max_seq_length  # noqa: SLF001 - it has no public name


def open_search(folder: Path, model: str) -> Search:
    """Opens a stored index. Returns a function that finds HITS chunks for a question."""
    opened = Chroma(embedding_function=HuggingFaceEmbeddings(model_name=model), persist_directory=str(folder))
    return lambda question: opened.similarity_search(question, k=HITS)


if __name__ == "__main__":
    run(sys.modules[__name__], sys.argv[1:])
