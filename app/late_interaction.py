"""Compares a question with passages token by token (late interaction).

As in ColBERT (Khattab and Zaharia, 2020), a question matches a text if each of its tokens has a similar token there. A
single vector of a text shows its topic, but little of what the text says about it.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.models import Passage
from app.protocols import Embeds
from ingest.embedding import TokenVectors, packed, unit, unpacked


def matches(asked: TokenVectors, there: TokenVectors) -> NDArray[np.float32]:
    """Returns each question token's highest cosine similarity to a token of the text, float32 [question tokens]."""
    if not len(there.vectors):
        return np.zeros(len(asked.vectors), np.float32)
    nearest: NDArray[np.float32] = (unit(asked.vectors) @ unit(there.vectors).T).max(axis=1, initial=-1.0)
    return nearest


def text_vector(tokens: TokenVectors) -> NDArray[np.float32]:
    """Returns the mean of a text's token vectors, float32 [dimensions], unit length; zeros if there are no tokens."""
    return unit(tokens.vectors.sum(axis=0))


def passage_tokens(passages: Sequence[Passage], embedder: Embeds) -> list[TokenVectors]:
    """Returns the token vectors of passages, those that a passage has not computed in its context.

    Stored token vectors have signs only, so that the others are reduced to theirs as well.
    """
    missing = [passage for passage in passages if passage.tokens is None]
    contexts = [f"{passage.context}\n\n" if passage.context else "" for passage in missing]
    texts = [context + passage.text for context, passage in zip(contexts, missing, strict=True)]
    made = zip(contexts, embedder.encode_tokens(texts) if texts else [], strict=True)
    found = (TokenVectors(_signs(tokens.vectors), tokens.spans - len(context)) for context, tokens in made)
    return [passage.tokens or next(found) for passage in passages]


def _signs(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return unpacked(packed(vectors), vectors.shape[1])
