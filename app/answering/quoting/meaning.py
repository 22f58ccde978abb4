"""Compares sentences with a question by the vectors of their tokens, or by their own if a model cannot pool tokens."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from app.answering.quoting.candidates import Candidate
from app.late_interaction import text_vector
from app.protocols import Embeds

# Weight of the similarity in meaning in a sentence's score.
MEANING = 0.55
# Another sentence is quoted if its score is at least this share of the best score.
MARGIN = 0.86
# Prose that adds to the rows of a table has at least this similarity.
LEAST_FURTHER = 0.5
# Sentences that are embedded before it is decided which of the others could be quoted. 6 and 8 took longer.
FIRST = 4


def sentence_vectors(
    candidates: Sequence[Candidate], words: NDArray[np.floating], vector: NDArray[np.float32], embedder: Embeds
) -> NDArray[np.float32]:
    """Returns the vectors of sentences: float32 [n, dimensions], NaN for those that cannot be quoted.

    If the model pools tokens, a sentence's vector is the mean of its tokens in the context of its passage, which takes
    no pass of the model where they are stored.

    Args:
        candidates: the sentences; their passages have token vectors if the model pools them.
        words: their scores without meaning.
        vector: the question's vector.
        embedder: the collection's embedder.
    """
    if not embedder.pools_tokens:
        return _embedded(candidates, words, vector, embedder)
    tokens = (one.passage.tokens and one.passage.tokens.part(one.start, one.end) for one in candidates)
    return np.stack([text_vector(one) if one else np.zeros_like(vector) for one in tokens])


def _embedded(
    candidates: Sequence[Candidate], words: NDArray[np.floating], vector: NDArray[np.float32], embedder: Embeds
) -> NDArray[np.float32]:
    """Embeds the sentences with the best scores by words, then those that could be nearer than any of these."""
    found = np.full((len(candidates), len(vector)), np.nan, np.float32)

    def embed(some: NDArray[np.intp]) -> None:
        found[some] = embedder.encode_sentences([candidates[i].read for i in some])

    order = np.argsort(-words, kind="stable")
    first, others = order[:FIRST], order[FIRST:]
    embed(first)
    near = found[first] @ vector
    nearest = max(float(near.max()), LEAST_FURTHER)
    left = others[words[others] + MEANING * nearest >= MARGIN * (words[first] + MEANING * near).max()]
    if len(left):
        embed(left)
    return found
