"""Late interaction: how near each token of a question comes to some token of a passage (ColBERT, Khattab 2020).

The vectors of a passage's tokens come from the pass that makes its own vector, and cost no time. One bit a dimension is
kept of them; a question's are whole. So the product of the two is a cosine as far as signs tell it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

# The nearest of many tokens is nearer than the nearest of few: what is taken off for each e-fold of tokens, in standard
# deviations.
LENGTH = 0.5
SMALLEST = 1e-6


def packed(tokens: NDArray[np.float32]) -> bytes:
    """The signs of token vectors.

    Args:
        tokens: float32 [tokens, width].

    Returns:
        A row of ceil(width / 8) bytes a token.
    """
    return np.packbits(tokens > 0, axis=1).tobytes()


def nearness(
    question: NDArray[np.float32], weights: NDArray[np.float32], passages: Sequence[bytes]
) -> NDArray[np.float32]:
    """The weighted mean, over a question's tokens, of the similarity to the passage's nearest token.

    It is told in standard deviations of all similarities of a question's token to a passage's, which differ much from
    model to model.

    Args:
        question: float32 [tokens, width], rows of unit length, at least one.
        weights: float32 [tokens], above 0.
        passages: what `packed` gave of tokens of the same width, at least one a passage.

    Returns:
        float32 [passages], less what a passage gains by its length alone: comparable between these passages only.
    """
    width = question.shape[1]
    row = -(-width // 8)
    bits = np.frombuffer(b"".join(passages), dtype=np.uint8).reshape(-1, row)
    signs = np.unpackbits(bits, axis=1, count=width).astype(np.float32)
    # A sign is 1 or 0 here: 2 x - 1 makes it 1 or -1, which is left until after the product, where there is less of it.
    products = 2 * (question @ signs.T) - question.sum(axis=1, keepdims=True)
    products /= max(float(products.std()), SMALLEST)
    lengths = np.array([len(passage) // row for passage in passages])
    nearest = np.maximum.reduceat(products, np.cumsum(lengths) - lengths, axis=1)
    scores: NDArray[np.float32] = (weights @ nearest) / weights.sum() - LENGTH * np.log(lengths, dtype=np.float32)
    return scores
