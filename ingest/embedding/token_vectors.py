"""What a model makes of texts and of their tokens."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class TokenVectors:
    """What a model makes of the single tokens of a text, each read among the others; special tokens are left out.

    Attributes:
        vectors: float32 [tokens, dimensions], of any length; their mean points where the text's own vector does.
        spans: int [tokens, 2], the characters [start, end) of each.
    """

    vectors: NDArray[np.float32]
    spans: NDArray[np.intp]

    def part(self, start: int, end: int) -> TokenVectors:
        """The tokens that begin in the characters [start, end)."""
        inside = (self.spans[:, 0] >= start) & (self.spans[:, 0] < end)
        return TokenVectors(self.vectors[inside], self.spans[inside])


@dataclass(frozen=True, slots=True)
class Encoded:
    """What a model makes of texts in one pass.

    Attributes:
        vectors: of the texts, float32 [n, dimensions], rows of unit length.
        tokens: of each text's telling tokens in order, float32 [tokens, width], rows of unit length; no rows where the
            model has no vectors of tokens.
    """

    vectors: NDArray[np.float32]
    tokens: list[NDArray[np.float32]]


def array(tensor: Any) -> NDArray[np.float32]:
    """A tensor's numbers, wherever it lies."""
    found: NDArray[np.float32] = tensor.float().cpu().numpy()
    return found


def unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    """A row or rows made unit length, zeros left as they are: float32 [width] or [n, width]."""
    lengths = np.linalg.norm(rows, axis=-1, keepdims=True).astype(np.float32)
    found: NDArray[np.float32] = rows / np.maximum(lengths, np.float32(1e-12))
    return found
