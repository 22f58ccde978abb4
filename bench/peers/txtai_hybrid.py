"""txtai's hybrid index: paragraphs, searched by vectors and BM25, with their text stored."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from contestant import HITS, Search, run
from txtai import Embeddings
from txtai.pipeline import Segmentation


def split(documents: Path) -> list[str]:
    """Reads and splits all Markdown files of a folder."""
    segment = Segmentation(paragraphs=True)
    return [text for path in sorted(documents.rglob("*.md")) for text in segment(path.read_text(encoding="utf-8"))]


def store(chunks: Sequence[str], folder: Path, model: str) -> None:
    """Embeds and stores chunks."""
    embeddings = Embeddings(path=model, content=True, hybrid=True)
    embeddings.index(chunks)
    embeddings.save(str(folder))


def given(chunks: Sequence[str]) -> list[str]:
    """Returns the texts that the model is given."""
    return list(chunks)


def most_tokens(model: str) -> int:
    """Returns the most tokens of a text that the model reads, special tokens included: txtai takes the tokenizer's."""
    return Embeddings(path=model).model.model.maxlength


def open_search(folder: Path, model: str) -> Search:  # noqa: ARG001 - txtai stores the folder of the model
    """Opens a stored index. Returns a function that finds HITS chunks for a question."""
    embeddings = Embeddings()
    embeddings.load(str(folder))
    return lambda question: embeddings.search(question, HITS)


if __name__ == "__main__":
    run(sys.modules[__name__], sys.argv[1:])
