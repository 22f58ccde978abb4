"""Data classes for the vectors of texts and of their tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class TokenVectors:
    """The contextual vectors of a text's tokens, without special tokens.

    Attributes:
        vectors: float32 [tokens, dimensions], of any length.
        spans: int [tokens, 2], the characters [start, end) of each; negative before the text, in its context.
    """

    vectors: NDArray[np.float32]
    spans: NDArray[np.intp]

    def part(self, start: int, end: int) -> TokenVectors:
        """Returns the tokens that begin in the characters [start, end)."""
        inside = (self.spans[:, 0] >= start) & (self.spans[:, 0] < end)
        return TokenVectors(self.vectors[inside], self.spans[inside])


@dataclass(frozen=True, slots=True, eq=False)
class EncodedText:
    """The vectors of a text and of its tokens from one pass, of unit length.

    Attributes:
        vector: float32 [dimensions].
        tokens: vectors of its content tokens in order, float32 [tokens, width]; no rows if the model has no token
            vectors.
        others: vectors of its other tokens, likewise: stop words and punctuation.
    """

    vector: NDArray[np.float32]
    tokens: NDArray[np.float32]
    others: NDArray[np.float32]


def array(tensor: Any) -> NDArray[np.float32]:
    """Converts a tensor on any device to an array."""
    found: NDArray[np.float32] = tensor.float().cpu().numpy()
    return found


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """Scales a row or rows to unit length, leaving zeros unchanged: float32 [width] or [n, width]."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True).astype(np.float32)
    found: NDArray[np.float32] = rows / np.maximum(lengths, np.float32(1e-12))
    return found
