"""A question held against passages token by token, from vectors of both: late interaction. Pure.

As in ColBERT (Khattab and Zaharia, 2020), a question is near a text when each of its tokens finds one alike there; a
single vector of the text says what it is about, and little of what it says about it.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from ingest.embedding import TokenVectors, unit


def matches(asked: TokenVectors, there: TokenVectors) -> NDArray[np.float32]:
    """How near each token of a question comes to any of a text's: cosine similarities, float32 [tokens asked]."""
    if not len(there.vectors):
        return np.zeros(len(asked.vectors), np.float32)
    nearest: NDArray[np.float32] = (unit(asked.vectors) @ unit(there.vectors).T).max(axis=1, initial=-1.0)
    return nearest


def text_vector(tokens: TokenVectors) -> NDArray[np.float32]:
    """What a text says as a whole: the mean of its tokens, float32 [dimensions], of unit length; zeros without any."""
    return unit(tokens.vectors.sum(axis=0))
