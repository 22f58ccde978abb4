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
# Cosine similarity of sentences that say the same. In the context of one passage, all are more similar.
SAME_ALONE, SAME_IN_CONTEXT = 0.88, 0.92
# Sentences that are embedded before it is decided which of the others could be quoted. 6 and 8 took longer.
FIRST = 4


def sentence_vectors(
    candidates: Sequence[Candidate], words: NDArray[np.floating], vector: NDArray[np.float32], embedder: Embeds
) -> tuple[NDArray[np.float32], float]:
    """Returns the vectors of sentences, and the similarity from which two say the same.

    A sentence's vector is the mean of its tokens in the context of its passage, which takes no pass of the model. If
    the model does not pool tokens, or a passage has none, sentences are embedded alone, below their headings.

    Args:
        candidates: the sentences.
        words: their scores without meaning.
        vector: the question's vector.
        embedder: the collection's embedder.

    Returns:
        float32 [n, dimensions], NaN for sentences that cannot be quoted; a cosine similarity.
    """
    tokens = [one.passage.tokens and one.passage.tokens.part(one.start, one.end) for one in candidates]
    if not embedder.pools_tokens or None in tokens:
        return _embedded(candidates, words, vector, embedder), SAME_ALONE
    return np.stack([text_vector(one) for one in tokens if one]), SAME_IN_CONTEXT


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
