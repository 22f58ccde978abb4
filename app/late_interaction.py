"""Compares a question with passages token by token (late interaction). Pure.

As in ColBERT (Khattab and Zaharia, 2020), a question matches a text if each of its tokens has a similar token there. A
single vector of a text shows its topic, but little of what the text says about it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.embedding import TokenVectors, unit


def matches(asked: TokenVectors, there: TokenVectors) -> NDArray[np.float32]:
    """Returns each question token's highest cosine similarity to a token of the text, float32 [question tokens]."""
    if not len(there.vectors):
        return np.zeros(len(asked.vectors), np.float32)
    nearest: NDArray[np.float32] = (unit(asked.vectors) @ unit(there.vectors).T).max(axis=1, initial=-1.0)
    return nearest


def text_vector(tokens: TokenVectors) -> NDArray[np.float32]:
    """Returns the mean of a text's token vectors, float32 [dimensions], unit length; zeros if there are no tokens."""
    return unit(tokens.vectors.sum(axis=0))
