"""Late interaction: matches each token of a question to the nearest token of a passage (ColBERT, Khattab 2020).

Token vectors come from the pass that makes the passage's own vector, at no extra cost. One bit per dimension is stored
of them, while a question's are exact. Their product is therefore a sign-based approximation of the cosine.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# The nearest of many tokens is nearer than the nearest of few. This is subtracted per e-fold of tokens, in standard
# deviations.
LENGTH = 0.5
SMALLEST = 1e-6


def packed(tokens: NDArray[np.float32]) -> bytes:
    """Packs the signs of token vectors.

    Args:
        tokens: float32 [tokens, width].

    Returns:
        A row of ceil(width / 8) bytes per token.
    """
    return np.packbits(tokens > 0, axis=1).tobytes()


def unpacked(packed_tokens: bytes, width: int) -> NDArray[np.float32]:
    """Returns vectors of unit length with the packed signs: float32 [tokens, width].

    Raises:
        ValueError: the bytes are not whole rows.
    """
    bits = np.frombuffer(packed_tokens, dtype=np.uint8).reshape(-1, -(-width // 8))
    signs = np.unpackbits(bits, axis=1, count=width).astype(np.float32)
    return (2 * signs - 1) / np.float32(math.sqrt(width))


def nearness(
    question: NDArray[np.float32], weights: NDArray[np.float32], passages: Sequence[bytes]
) -> NDArray[np.float32]:
    """Returns the weighted mean, over a question's tokens, of the similarity to the passage's nearest token.

    The unit is the standard deviation of all similarities between the question's and the passages' tokens, because
    these differ much from model to model.

    Args:
        question: float32 [tokens, width], rows of unit length, at least one.
        weights: float32 [tokens], above 0.
        passages: results of `packed` for tokens of the same width, at least one per passage.

    Returns:
        float32 [passages], corrected for passage length; comparable between these passages only.
    """
    width = question.shape[1]
    row = -(-width // 8)
    bits = np.frombuffer(b"".join(passages), dtype=np.uint8).reshape(-1, row)
    signs = np.unpackbits(bits, axis=1, count=width).astype(np.float32)
    # Bits are 1 or 0. The mapping 2 x - 1 to signs is applied after the product, which is the smaller array.
    products = 2 * (question @ signs.T) - question.sum(axis=1, keepdims=True)
    products /= max(float(products.std()), SMALLEST)
    lengths = np.array([len(passage) // row for passage in passages])
    nearest = np.maximum.reduceat(products, np.cumsum(lengths) - lengths, axis=1)
    scores: NDArray[np.float32] = (weights @ nearest) / weights.sum() - LENGTH * np.log(lengths, dtype=np.float32)
    return scores
