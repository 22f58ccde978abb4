"""Defines the interface that every runtime of an embedding model implements."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.embedding.token_vectors import TokenVectors

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class ModelFacts:
    """Describes a model, whatever runs it.

    Attributes:
        dimensions: length of its vectors; None if it does not say.
        max_tokens: the most tokens of a text that it reads, special tokens included; None if there is no limit.
        prompts: the texts put before documents and questions, by name. "query" and "document" are always there.
        default_prompt: the name of the prompt of texts that are neither; None if they have none.
    """

    dimensions: int | None
    max_tokens: int | None
    prompts: Mapping[str, str]
    default_prompt: str | None


@dataclass(frozen=True, slots=True, eq=False)
class ReadText:
    """A text as the model read it.

    Attributes:
        vector: float32 [dimensions], of any length.
        tokens: float32 [tokens, width], special tokens and prompt included; no rows if the model has no token vectors.
        ids: int64 [tokens], the numbers of the tokens in the vocabulary.
        prompt_tokens: the number of tokens at the beginning that belong to the prompt.
    """

    vector: NDArray[np.float32]
    tokens: NDArray[np.float32]
    ids: NDArray[np.int64]
    prompt_tokens: int


class Runtime(Protocol):
    """A loaded model. Thread-safe.

    Attributes:
        name: "torch" or "onnx".
    """

    name: str

    @property
    def facts(self) -> ModelFacts:
        """Returns the description of the model."""

    @property
    def weights(self) -> str:
        """Returns the SHA-256 (hex) over names and bytes of all tensors; equal weights are the same model anywhere."""

    @property
    def tokenizer(self) -> Tokenizer:
        """Returns the model's tokenizer, which neither truncates nor pads. Do not change it.

        Raises:
            EmbedderError: the model's tokenizer does not report the positions of tokens.
        """

    def documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeds documents: float32 [n, dimensions], rows of unit length, in the order of `texts`."""

    def sentences(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Embeds at least one text as `documents` does; may round more where that takes less time."""

    def read(self, texts: Sequence[str], *, query: bool) -> Iterator[tuple[int, ReadText]]:
        """Yields the position of each text and what the model made of it, in any order; keeps a few in memory only.

        Args:
            texts: documents, or questions.
            query: True for questions.
        """

    def tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Embeds the tokens of each text, without special tokens or a prompt; may round more, as `sentences` does."""
