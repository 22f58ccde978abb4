"""The embedder: texts and questions to unit vectors, by any sentence-transformers model.

The model is loaded at first use (importing torch takes seconds), once per process, under a lock.
"""

from __future__ import annotations

import hashlib
import json
import math
import threading
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
from langchain_core.embeddings import Embeddings
from numpy.typing import NDArray

from ingest.embedding.model_files import load_model, weights_digest
from ingest.embedding.token_vectors import Encoded, TokenVectors, array, unit
from ingest.errors import EmbedderError
from ingest.models import Query, as_query
from ingest.settings import DEFAULT_EMBEDDING_MODEL
from ingest.text import STOP_WORDS

if TYPE_CHECKING:
    from sentence_transformers import SentenceTransformer
    from tokenizers import Tokenizer

# Chunks for a model without a limit of its own (static embeddings): as long as a long paragraph.
UNLIMITED_MODEL_TOKENS = 512
# Sentences per forward pass; 16, 32 and 64 embedded equally fast on two cores.
BATCH_SIZE = 16
# What tokenizers write before a token that begins a word: SentencePiece's, and byte-level BPE's.
WORD_STARTS = "\u2581\u0120"
# Characters of a text that tell whether the model knows its script, and the share of its letters that it must know.
MOST_LOOKED_AT, LEAST_KNOWN = 1_000, 0.5
# Questions whose vectors are kept in memory.
REMEMBERED = 32


@dataclass(frozen=True, slots=True)
class EmbedderIdentity:
    """What an index remembers of the model it was made with.

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
        device: "cpu", "cuda", "mps", or "" for the fastest there is.
        fetch: whether a model that is not on this machine is fetched.
    """

    def __init__(self, model: str = "", device: str = "", *, fetch: bool = True) -> None:
        self.model = model or DEFAULT_EMBEDDING_MODEL
        self._fetch = fetch
        self._device = device or None
        self._lock = threading.Lock()
        self._encoding = threading.Lock()
        self._loaded: SentenceTransformer | None = None
        self._remembered = lru_cache(maxsize=REMEMBERED)(self._encode_query)

    @property
    def ready(self) -> bool:
        """Whether the model is in memory."""
        return self._loaded is not None

    def load(self) -> SentenceTransformer:
        """Loads the model, or returns the one loaded before.

        Raises:
            EmbedderError: it is not to be found, its weights are not the official ones, or it has no tokenizer
                that can count.
        """
        with self._lock:
            if self._loaded is None:
                self._loaded = load_model(self.model, self._device, fetch=self._fetch)
            return self._loaded

    @cached_property
    def identity(self) -> EmbedderIdentity:
        """Name, fingerprint and dimensions; loads the model."""
        model = self.load()
        dimensions = self.dimensions
        facts = {
            "name": Path(self.model).name,
            "weights": weights_digest(model),
            "dimensions": dimensions,
            "max_tokens": self.max_tokens,
            "prompts": dict(model.prompts),
            "default_prompt": model.default_prompt_name,
        }
        fingerprint = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()
        return EmbedderIdentity(self.model, fingerprint, dimensions)

    @cached_property
    def dimensions(self) -> int:
        """Length of the vectors."""
        dimensions = self.load().get_embedding_dimension()
        return int(dimensions) if dimensions else len(self.embed_query("dimensions"))

    @cached_property
    def max_tokens(self) -> int:
        """Most tokens of a text that the model reads, special tokens and its document prompt included."""
        limit = self.load().max_seq_length
        return UNLIMITED_MODEL_TOKENS if limit is None or math.isinf(limit) else int(limit)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        """A tokenizer of our own: the model's is switched to truncate, and is not safe between threads."""
        from tokenizers import Tokenizer  # noqa: PLC0415 - compiled library, loaded with the model only

        found: Any = self.load().tokenizer
        backend = getattr(found, "backend_tokenizer", found)
        if not isinstance(backend, Tokenizer):
            raise EmbedderError(
                f"The embedding model {self.model} has no tokenizer that can count tokens with their places "
                f"({type(found).__name__}). Choose a model with a fast tokenizer in FOOTNOTE_EMBEDDING_MODEL."
            )
        own: Tokenizer = Tokenizer.from_str(backend.to_str())
        own.no_truncation()
        own.no_padding()
        return own

    def count_tokens(self, text: str) -> int:
        """Tokens that the model would read of `text` as a document, special tokens and prompt included."""
        return len(self._tokenizer.encode(self._document_prompt + text).ids)

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Character offsets [start, end) of the tokens of `text`, without special tokens."""
        return list(self._tokenizer.encode(text, add_special_tokens=False).offsets)

    def knows(self, text: str) -> bool:
        """Whether most of a text is written in pieces of words that the model has learnt.

        A script that its vocabulary hardly has becomes unknown tokens or single letters: all its texts look alike.
        """
        text = text[:MOST_LOOKED_AT]
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
        model = self.load()
        names = ("document", "passage", "corpus", model.default_prompt_name or "")
        return next((prompt for name in names if (prompt := model.prompts.get(name))), "")

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Vectors of documents.

        Returns:
            float32 [n, dimensions], rows of unit length, in the order of `texts`.
        """
        model = self.load()
        with self._encoding:  # two threads in one model gain nothing on a CPU, and the tokenizer is shared
            vectors = model.encode_document(
                list(texts),
                batch_size=BATCH_SIZE,
                normalize_embeddings=True,
                convert_to_numpy=True,
                show_progress_bar=False,
            )
        return np.asarray(vectors, dtype=np.float32).reshape(len(texts), -1)

    @cached_property
    def _telling(self) -> NDArray[np.bool_]:
        """Which tokens of the vocabulary tell what a text is about: no special ones, stop words or punctuation."""
        words = {number: token.lstrip(WORD_STARTS).lower() for token, number in self._tokenizer.get_vocab().items()}
        special = {number for number, token in self._tokenizer.get_added_tokens_decoder().items() if token.special}
        telling = np.zeros(max(words, default=0) + 1, dtype=np.bool_)
        for number, word in words.items():
            telling[number] = number not in special and word not in STOP_WORDS and any(c.isalnum() for c in word)
        return telling

    def encode_chunks(self, texts: Sequence[str]) -> Encoded:
        """Vectors of documents and of their tokens."""
        return self._encode(list(texts), query=False)

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Vector of a question: float32 [dimensions], of unit length, not to be written to.

        The last questions' are remembered: searching, scoring what a search missed, and quoting ask for the same one.
        """
        return self._remembered(text)[0]

    def query_tokens(self, text: str) -> NDArray[np.float32]:
        """Vectors of a question's telling tokens: float32 [tokens, width], of unit length, not to be written to."""
        return self._remembered(text)[1]

    def _encode_query(self, text: str) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
        made = self._encode([text], query=True)
        vector, tokens = made.vectors[0], made.tokens[0]
        vector.flags.writeable = tokens.flags.writeable = False
        return vector, tokens

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Vectors of the tokens of each text, of as many as the model reads; no prompt stands before them."""
        model = self.load()
        with self._encoding:
            found = model.encode(
                list(texts),
                prompt="",
                output_value="token_embeddings",
                batch_size=BATCH_SIZE,
                convert_to_numpy=False,
                show_progress_bar=False,
            )
        return [self._content(text, array(rows)) for text, rows in zip(texts, found, strict=True)]

    def _content(self, text: str, rows: NDArray[np.float32]) -> TokenVectors:
        """The rows that stand for characters; where the text was cut off, the last one is the model's closing token."""
        read = self._tokenizer.encode(text)
        whole = len(rows) == len(read.ids)
        kept = np.array(read.special_tokens_mask[: len(rows) if whole else len(rows) - 1], dtype=np.intp) == 0
        spans = np.array(read.offsets[: len(kept)], dtype=np.intp).reshape(-1, 2)
        return TokenVectors(rows[: len(kept)][kept], spans[kept])

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        """LangChain's form of `encode_documents`."""
        rows: list[list[float]] = self.encode_documents(texts).tolist()
        return rows

    def embed_query(self, text: str) -> list[float]:
        """LangChain's form of `encode_query`."""
        row: list[float] = self.encode_query(text).tolist()
        return row

    def _encode(self, texts: list[str], *, query: bool) -> Encoded:
        """A batch at a time, those of like length together: the vectors of all tokens would take gigabytes."""
        model = self.load()
        encode: Any = model.encode_query if query else model.encode_document
        order = sorted(range(len(texts)), key=lambda i: -len(texts[i]))
        found: dict[int, tuple[NDArray[np.float32], NDArray[np.float32]]] = {}
        for at in range(0, len(texts), BATCH_SIZE):
            some = order[at : at + BATCH_SIZE]
            with self._encoding:
                made = encode(
                    [texts[i] for i in some], batch_size=BATCH_SIZE, output_value=None, show_progress_bar=False
                )
            found.update(
                (i, (array(one["sentence_embedding"]), self._tokens(one))) for i, one in zip(some, made, strict=True)
            )
        both = [found[i] for i in range(len(texts))]
        return Encoded(unit(np.stack([vector for vector, _ in both])), [tokens for _, tokens in both])

    def _tokens(self, made: Mapping[str, Any]) -> NDArray[np.float32]:
        """The vectors of telling tokens; of a text that has none, of all. The prompt before it tells nothing of it."""
        if not {"token_embeddings", "input_ids", "attention_mask"} <= made.keys():
            return np.zeros((0, len(made["sentence_embedding"])), dtype=np.float32)
        numbers, read = array(made["input_ids"]), array(made["attention_mask"]) > 0
        read &= np.cumsum(read) > made.get("prompt_length", 0)
        telling = read & self._telling[numbers.astype(np.int64)]
        return unit(array(made["token_embeddings"])[telling if telling.any() else read])


# Builds the embedding model of a name; takes what `Embedder` takes.
OpenEmbedder: TypeAlias = Callable[..., Embedder]


def query_vector(encode: Callable[[str], NDArray[np.float32]], query: str | Query) -> NDArray[np.float32]:
    """The vector of a question and, by their weights, of those before it.

    Args:
        encode: gives a question's vector, of unit length.
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
