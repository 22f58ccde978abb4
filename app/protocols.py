"""What understands meaning: the forms that verification, quoting and refusal ask of models."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from ingest.embedding import TokenVectors


class Embeds(Protocol):
    """What turns texts and their tokens into vectors; those of whole texts have unit length."""

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 [n, dimensions]."""
        ...

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """float32 [dimensions]."""
        ...

    def knows(self, text: str) -> bool:
        """Whether most words of a text are in its vocabulary; the vectors of others say nothing."""
        ...

    def encode_tokens(self, texts: Sequence[str]) -> list[TokenVectors]:
        """Each text's tokens, read among the others."""
        ...


class Entails(Protocol):
    """What reads a claim against its proof."""

    def load(self) -> None:
        """Makes it ready to read; raises a `FootnoteError` where it cannot be used."""
        ...

    def read(self, proof: str, claim: str) -> str:
        """Says "entailment", "neutral" or "contradiction"."""
        ...
