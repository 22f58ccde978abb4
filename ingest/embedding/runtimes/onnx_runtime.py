"""Runs a BERT encoder with ONNX Runtime on the CPU. Imports neither torch nor transformers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.embedding.runtimes.encoder import TOKENIZER, Encoder, Unsuitable
from ingest.embedding.runtimes.onnx_session import Session
from ingest.embedding.runtimes.runtime import ModelFacts, ReadText
from ingest.embedding.token_vectors import TokenVectors, unit

if TYPE_CHECKING:
    from tokenizers import Encoding, Tokenizer


class OnnxRuntime:
    """A BERT encoder run by ONNX Runtime. Thread-safe.

    Args:
        encoder: the model's files.
        graph: the model's graph: the file, or its content.
        weights: SHA-256 (hex) over names and bytes of all tensors.

    Attributes:
        session: the model without its tokenizer.

    Raises:
        GraphError: the graph cannot be loaded.
        Unsuitable: the tokenizer cannot be loaded or adds no special tokens, so that an empty text has no tokens.
    """

    name = "onnx"

    def __init__(self, encoder: Encoder, graph: Path | bytes, weights: str) -> None:
        self._encoder, self.weights = encoder, weights
        self.tokenizer = _load_tokenizer(encoder)
        self._limit = encoder.facts.max_tokens or 0
        self.session = Session(graph)
        self._prompt_sizes: dict[str, int] = {}

    @property
    def facts(self) -> ModelFacts:
        """Returns the description of the model."""
        return self._encoder.facts

    def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeds documents: float32 [n, dimensions], rows of unit length, in the order of `texts`."""
        vectors = np.empty((len(texts), self.facts.dimensions or 0), dtype=np.float32)
        for i, made in self.read(texts, query=False):
            vectors[i] = made.vector
        return unit(vectors)

    def sentences(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeds texts as `documents` does."""
        return self.documents(texts)

    def tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embeds the tokens of each text, without special tokens or a prompt."""
        encodings = self._encodings(texts)
        found: dict[int, TokenVectors] = {}
        for i, rows in self.session.run([one.ids for one in encodings]):
            kept = np.array(encodings[i].special_tokens_mask) == 0
            found[i] = TokenVectors(rows[kept], np.array(encodings[i].offsets, dtype=np.intp).reshape(-1, 2)[kept])
        return [found[i] for i in range(len(texts))]

    def read(self, texts: Sequence[str], *, query: bool) -> Iterator[tuple[int, ReadText]]:
        """Yields the position of each text and what the model made of it, longest first."""
        prompt = self.facts.prompts["query" if query else "document"]
        encodings = self._encodings([prompt + text for text in texts])
        size = self._prompt_size(prompt)
        for i, rows in self.session.run([one.ids for one in encodings]):
            vector: NDArray[np.float32] = rows.mean(axis=0) if self._encoder.pooling == "mean" else rows[0]
            yield i, ReadText(vector, rows, np.array(encodings[i].ids, dtype=np.int64), size)

    def _encodings(self, texts: Sequence[str]) -> list[Encoding]:
        """Reads texts as tokens, truncated to the model's limit."""
        found: list[Encoding] = self.tokenizer.encode_batch(list(texts))
        return [
            one if len(one) <= self._limit else self._truncating.encode(text)
            for one, text in zip(found, texts, strict=True)
        ]

    @cached_property
    def _truncating(self) -> Tokenizer:
        truncating = _load_tokenizer(self._encoder)
        truncating.enable_truncation(self._limit)
        return truncating

    def _prompt_size(self, prompt: str) -> int:
        """Counts the tokens of a prompt as sentence-transformers does: without the one that ends a text."""
        if not prompt:
            return 0
        if prompt not in self._prompt_sizes:
            (read,) = self._encodings([prompt])
            self._prompt_sizes[prompt] = len(read) - read.special_tokens_mask[-1]
        return self._prompt_sizes[prompt]


def _load_tokenizer(encoder: Encoder) -> Tokenizer:
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer  # noqa: PLC0415 - compiled library, loaded with the model only

    try:
        tokenizer = Tokenizer.from_file(str(encoder.folder / TOKENIZER))
    except Exception as error:  # the library raises no other type
        raise Unsuitable(f"{TOKENIZER} cannot be read ({error})") from error
    tokenizer.no_truncation()
    tokenizer.no_padding()
    if not tokenizer.num_special_tokens_to_add(is_pair=False):
        raise Unsuitable("its tokenizer adds no special tokens")
    return tokenizer
