"""Embeds texts and questions as unit vectors with any sentence-transformers model.

The model is loaded at first use, once per process, under a lock.
"""

from __future__ import annotations

import hashlib
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from ingest.embedding.binary_tokens import unpacked
from ingest.embedding.runtimes import ReadText, Runtime, open_runtime
from ingest.embedding.token_kinds import TokenKinds
from ingest.embedding.token_positions import TokenPositions
from ingest.embedding.token_vectors import EncodedText, TokenVectors, unit
from ingest.models import Query, as_query
from ingest.settings import DEFAULT_EMBEDDING_MODEL

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Chunk limit for a model without one (static embeddings): about a long paragraph.
UNLIMITED_MODEL_TOKENS = 512
# Characters of a text examined to see if the model knows its script, and the fraction of letters it must know.
MOST_LOOKED_AT, LEAST_KNOWN = 1_000, 0.5
# Questions whose vectors are cached.
REMEMBERED = 32
# Cosine similarity of a text's vector to the mean of its tokens from which the model counts as pooling them.
LEAST_POOLED = 0.99


@dataclass(frozen=True, slots=True)
class EmbedderIdentity:
    """Identifies the model that an index was made with.

    Attributes:
        model: the name or folder to load it from.
        fingerprint: SHA-256 (hex) over name, weights, dimensions, token limit and prompts.
        dimensions: length of its vectors.
    """

    model: str
    fingerprint: str
    dimensions: int


class Embedder(Embeddings):
    """A sentence-transformers model as a LangChain `Embeddings`, with its tokenizer and its identity.

    Args:
        model: a sentence-transformers name or a folder; "" means the bundled all-MiniLM-L6-v2.
        device: "cpu", "cuda", "mps", or "" for the fastest available.
        fetch: downloads a model that is not on this machine.
        runtime: "torch", "onnx", or "auto" for the one that suits the model and the device.
        open_model: loads the model; takes the arguments of `open_runtime`.
    """

    def __init__(
        self,
        model: str = "",
        device: str = "",
        *,
        fetch: bool = True,
        runtime: str = "auto",
        open_model: Callable[..., Runtime] = open_runtime,
    ) -> None:
        self.model = model or DEFAULT_EMBEDDING_MODEL
        self._fetch, self._open = fetch, open_model
        self._device, self._wanted = device, runtime
        self._lock = threading.Lock()
        self._loaded: Runtime | None = None
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._encode_query)

    @property
    def ready(self) -> bool:
        """Returns True if the model is in memory."""
        return self._loaded is not None

    def load(self) -> Runtime:
        """Loads the model, or returns the one already loaded.

        Raises:
            EmbedderError: it was not found, its weights are not the official ones, it has no tokenizer that can
                count tokens, or the runtime asked for cannot run it.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = self._open(self.model, self._device, fetch=self._fetch, wanted=self._wanted)
            return self._loaded

    @cached_property
    def identity(self) -> EmbedderIdentity:
        """Returns name, fingerprint and dimensions; loads the model."""
        model = self.load()
        dimensions = self.dimensions
        facts = {
            "name": Path(self.model).name,
            "weights": model.weights,
            "dimensions": dimensions,
            "max_tokens": self.max_tokens,
            "prompts": dict(model.facts.prompts),
            "default_prompt": model.facts.default_prompt,
        }
        fingerprint = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return EmbedderIdentity(self.model, fingerprint, dimensions)

    @cached_property
    def dimensions(self) -> int:
        """Returns the length of the vectors."""
        return self.load().facts.dimensions or len(self.embed_query("dimensions"))

    @cached_property
    def max_tokens(self) -> int:
        """Returns the most tokens of a text that the model reads, special tokens and its document prompt included."""
        limit = self.load().facts.max_tokens
        return UNLIMITED_MODEL_TOKENS if limit is None else limit

    @property
    def _tokenizer(self) -> Tokenizer:
        return self.load().tokenizer

    def count_tokens(self, text: str) -> int:
        """Counts the tokens that the model would read of `text` as a document, special tokens and prompt included."""
        return self._special_tokens + self._positions.count(self._document_prompt + text)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Returns the character offsets [start, end) of the tokens of `text`, without special tokens."""
        return self._positions.spans(text)

    @cached_property
    def _positions(self) -> TokenPositions:
        return TokenPositions(self._tokenizer)

    @cached_property
    def _special_tokens(self) -> int:
        return int(self._tokenizer.num_special_tokens_to_add(is_pair=False))

    def knows(self, text: str) -> bool:
        """Returns True if most of a text consists of word pieces in the model's vocabulary.

        Text in an unknown script becomes unknown tokens or single letters, so that all such texts look alike.
        """
        text = text[:MOST_LOOKED_AT]
        if text.isascii():
            return True
        letters = sum(map(str.isalpha, text))
        if sum(c.isascii() and c.isalpha() for c in text) >= LEAST_KNOWN * letters:
            return True
        read = self._tokenizer.encode(text, add_special_tokens=False)
        unknown = getattr(self._tokenizer.model, "unk_token", None)
        sizes = [
            (end - start, token != unknown and end - start > 1)
            for token, (start, end) in zip(read.tokens, read.offsets, strict=True)
            if any(map(str.isalpha, text[start:end]))
        ]
        return sum(size for size, known in sizes if known) >= LEAST_KNOWN * sum(size for size, _ in sizes)

    @cached_property
    def _document_prompt(self) -> str:
        facts = self.load().facts
        names = ("document", "passage", "corpus", facts.default_prompt or "")
        return next((prompt for name in names if (prompt := facts.prompts.get(name))), "")

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeds documents.

        Returns:
            float32 [n, dimensions], rows of unit length, in the order of `texts`.
        """
        return self.load().documents(texts).reshape(len(texts), -1)

    @cached_property
    def _kinds(self) -> TokenKinds:
        return TokenKinds(self._tokenizer)

    def encode_chunks(self, texts: Sequence[str]) -> Iterator[tuple[int, EncodedText]]:
        """Embeds documents and their tokens. Yields the position of each text with its vectors, longest text first."""
        return self._encode(list(texts), query=False)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Embeds a question: float32 [dimensions], of unit length, read-only.

        Recent questions are cached: searching, scoring missed chunks and quoting all need the same vector.
        """
        return self._remembered(text)[0]

    def query_tokens(self, text: str) -> NDArray[np.float32]:
        """Embeds a question's content tokens: float32 [tokens, width], of unit length, read-only."""
        return self._remembered(text)[1]

    def _encode_query(self, text: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        ((_, made),) = self._encode([text], query=True)
        vector, tokens = made.vector, made.tokens
        vector.flags.writeable = tokens.flags.writeable = False
        return vector, tokens

    def encode_sentences(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeds texts to compare with documents, as `encode_documents` does but for rounding, in less time."""
        return self.load().sentences(texts)

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embeds the tokens of each text, as many as the model reads, without a prompt."""
        return self.load().tokens(texts)

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """Implements LangChain's form of `encode_documents`."""
        rows: list[list[float]] = self.encode_documents(texts).tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        """Implements LangChain's form of `encode_query`."""
        row: list[float] = self.encode_query(text).tolist()
        return row

    def restored_tokens(self, context: str, text: str, tokens: tuple[bytes, bytes]) -> TokenVectors | None:
        """Rebuilds the token vectors of a document from the signs of `encode_chunks`, if the model pools tokens.

        Args:
            context: the beginning of what was embedded, before `text`; its tokens have negative spans.
            text: the rest.
            tokens: its content tokens and its other tokens, as `packed` returns them.

        Returns:
            Vectors of unit length; None if the signs are not those of exactly these tokens, or have no use: the
            vectors of tokens are then not comparable with those of texts.
        """
        if not self.pools_tokens:
            return None
        read = self._tokenizer.encode(context + text, add_special_tokens=False)
        content, others = self._kinds.of(np.array(read.ids, dtype=np.int64))
        try:
            signs = [unpacked(some, self.dimensions) for some in tokens]
        except ValueError:
            return None
        if [len(one) for one in signs] != [content.sum(), others.sum()]:
            return None
        rows = np.empty((len(read.ids), self.dimensions), dtype=np.float32)
        rows[content], rows[others] = signs
        kept = content | others
        spans = np.array(read.offsets, dtype=np.intp).reshape(-1, 2)[kept] - len(context)
        return TokenVectors(rows[kept], spans)

    @cached_property
    def pools_tokens(self) -> bool:
        """Returns True if the vector of a text is the mean of those of its tokens, so that parts of it have one too."""
        ((_, made),) = self.load().read(["Part of a text."], query=False)
        if not len(made.tokens) or made.tokens.shape[1] != len(made.vector):
            return False
        return float(unit(made.tokens.mean(axis=0)) @ unit(made.vector)) > LEAST_POOLED

    def _encode(self, texts: list[str], *, query: bool) -> Iterator[tuple[int, EncodedText]]:
        for i, made in self.load().read(texts, query=query):
            yield i, EncodedText(unit(made.vector), *self._tokens(made))

    def _tokens(self, made: ReadText) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        """Returns the vectors of content tokens and of the others, excluding the prompt."""
        if not len(made.tokens):
            return made.tokens, made.tokens
        content, others = self._kinds.of(made.ids[made.prompt_tokens :])
        rows = unit(made.tokens[made.prompt_tokens :])
        return rows[content], rows[others]


# Builds an embedder; takes the arguments of `Embedder`.
OpenEmbedder: TypeAlias = Callable[..., Embedder]


def query_vector(encode: Callable[[str], NDArray[np.float32]], query: str | Query) -> NDArray[np.float32]:
    """Combines the vectors of a question and of earlier questions by their weights.

    Args:
        encode: embeds a question, as a vector of unit length.
        query: the question.

    Returns:
        float32 [dimensions], of unit length.
    """
    query = as_query(query)
    vector = encode(query.text)
    if not query.earlier:
        return vector
    moved: NDArray[np.float32] = vector + sum(weight * encode(text) for text, weight in query.earlier)
    return moved / np.linalg.norm(moved)
