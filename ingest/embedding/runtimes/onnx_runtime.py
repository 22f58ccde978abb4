"""Runs a BERT encoder with ONNX Runtime on the CPU. Imports neither torch nor transformers."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.embedding.runtimes.bert_graph import IDS, LENGTHS
from ingest.embedding.runtimes.encoder import TOKENIZER, Encoder, Unsuitable
from ingest.embedding.runtimes.runtime import ModelFacts, ReadText
from ingest.embedding.token_vectors import TokenVectors, unit

if TYPE_CHECKING:
    from onnxruntime import InferenceSession
    from tokenizers import Encoding, Tokenizer

# Tokens in a pass, padding included, and the fraction of them that may be padding.
PASS_TOKENS, MOST_PADDING = 512, 0.1
THREADS = "OMP_NUM_THREADS"
ERRORS_ONLY = 3


class GraphError(Exception):
    """ONNX Runtime cannot load a graph."""


class OnnxRuntime:
    """A BERT encoder run by ONNX Runtime. Thread-safe.

    Args:
        encoder: the model's files.
        graph: the model's graph: the file, or its content.
        weights: SHA-256 (hex) over names and bytes of all tensors.

    Raises:
        GraphError: the graph cannot be loaded.
        Unsuitable: the tokenizer cannot be loaded or adds no special tokens, so that an empty text has no tokens.
    """

    name = "onnx"

    def __init__(self, encoder: Encoder, graph: Path | bytes, weights: str) -> None:
        self._encoder, self.weights = encoder, weights
        self.tokenizer = _load_tokenizer(encoder)
        self._limit = encoder.facts.max_tokens or 0
        self._session = _load_session(graph)
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
        for i, rows in self._passes(encodings):
            kept = np.array(encodings[i].special_tokens_mask) == 0
            found[i] = TokenVectors(rows[kept], np.array(encodings[i].offsets, dtype=np.intp).reshape(-1, 2)[kept])
        return [found[i] for i in range(len(texts))]

    def read(self, texts: Sequence[str], *, query: bool) -> Iterator[tuple[int, ReadText]]:
        """Yields the position of each text and what the model made of it, longest first."""
        prompt = self.facts.prompts["query" if query else "document"]
        encodings = self._encodings([prompt + text for text in texts])
        size = self._prompt_size(prompt)
        for i, rows in self._passes(encodings):
            vector: NDArray[np.float32] = rows.mean(axis=0) if self._encoder.pooling == "mean" else rows[0]
            yield i, ReadText(vector, rows, np.array(encodings[i].ids, dtype=np.int64), size)

    def one_pass(self, ids: Sequence[Sequence[int]]) -> list[NDArray[np.float32]]:
        """Runs the model once.

        Args:
            ids: the tokens of each text.

        Returns:
            The vectors of each text's tokens, float32 [tokens, width].
        """
        lengths = np.array([len(one) for one in ids], dtype=np.int32)
        padded = np.zeros((len(ids), lengths.max()), dtype=np.int32)
        for row, one in zip(padded, ids, strict=True):
            row[: len(one)] = one
        (made,) = self._session.run(None, {IDS: padded, LENGTHS: lengths})
        return [rows[:length] for rows, length in zip(made, lengths, strict=True)]

    def _passes(self, encodings: Sequence[Encoding]) -> Iterator[tuple[int, NDArray[np.float32]]]:
        for some in passes([len(one) for one in encodings]):
            yield from zip(some, self.one_pass([encodings[i].ids for i in some]), strict=True)

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


def passes(lengths: Sequence[int]) -> Iterator[list[int]]:
    """Yields the positions of texts to run together, longest first.

    Large passes are slower, because what a layer makes no longer fits into the processor's cache, and padding is
    computed like text.

    Args:
        lengths: the lengths of the texts, in tokens.
    """
    order = sorted(range(len(lengths)), key=lambda i: -lengths[i])
    some: list[int] = []
    used = 0
    for i in order:
        longest = lengths[some[0]] if some else 0
        size = (len(some) + 1) * longest
        if some and (size > PASS_TOKENS or size - used - lengths[i] > MOST_PADDING * size):
            yield some
            some, used = [], 0
        some.append(i)
        used += lengths[i]
    if some:
        yield some


def threads() -> int:
    """Returns the number of threads that compute: OMP_NUM_THREADS, as torch reads it, or the cores of this process."""
    named = os.environ.get(THREADS, "").partition(",")[0].strip()
    if named.isdigit() and int(named):
        return int(named)
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return cores or 1


def _load_session(graph: Path | bytes) -> InferenceSession:
    import onnxruntime  # noqa: PLC0415 - compiled library, loaded with the model only

    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = threads()
    options.inter_op_num_threads = 1
    options.log_severity_level = ERRORS_ONLY
    try:
        return onnxruntime.InferenceSession(
            graph if isinstance(graph, bytes) else str(graph), options, providers=["CPUExecutionProvider"]
        )
    except Exception as error:  # the library raises errors of many types
        raise GraphError(str(error)) from error


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
