"""The interfaces of the models used for verification, quoting and refusal."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.embedding import TokenVectors


class Embeds(Protocol):
    """Encodes texts and their tokens as vectors; the vectors of whole texts have unit length."""

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns float32 [n, dimensions]."""
        ...

    def encode_sentences(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Returns what `encode_documents` returns, rounded: for texts that are compared and not stored."""
        ...

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """Returns float32 [dimensions]."""
        ...

    def knows(self, text: str) -> bool:
        """Returns True if most words of a text are in the vocabulary; otherwise its vector is meaningless."""
        ...

    @property
    def pools_tokens(self) -> bool:
        """Returns True if the vector of a text is the mean of those of its tokens."""
        ...

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Returns each text's token vectors, computed in the context of the whole text."""
        ...


class Entails(Protocol):
    """Compares a claim with the text cited for it."""

    def load(self) -> None:
        """Loads the model; raises a `FootnoteError` if it cannot be used."""
        ...

    def read(self, proof: str, claim: str) -> str:
        """Returns "entailment", "neutral" or "contradiction"."""
        ...
