"""Tests late interaction with packed signs against whole vectors."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.embedding.binary_tokens import LENGTH, nearness, packed


def unit(seed: int, n: int, width: int) -> np.ndarray:
    rows = np.random.default_rng(seed).standard_normal((n, width)).astype(np.float32)
    return rows / np.linalg.norm(rows, axis=1, keepdims=True)


def plainly(question: np.ndarray, weights: np.ndarray, passages: list[np.ndarray]) -> list[float]:
    """Computes the same in the simplest way."""
    similar = [[[float(row @ np.where(token > 0, 1, -1)) for token in one] for row in question] for one in passages]
    spread = np.std([value for one in similar for row in one for value in row])
    means = [sum(weight * max(row) for row, weight in zip(one, weights, strict=True)) for one in similar]
    return [
        mean / weights.sum() / max(spread, 1e-6) - LENGTH * np.log(len(passage))
        for mean, passage in zip(means, passages, strict=True)
    ]


@given(
    st.integers(0, 10**6), st.integers(1, 6), st.lists(st.integers(1, 9), min_size=1, max_size=5), st.integers(2, 40)
)
def test_it_is_the_mean_of_each_tokens_nearest(seed, asked, lengths, width):
    question = unit(seed, asked, width)
    weights = np.linspace(0.5, 1, asked, dtype=np.float32)
    passages = [unit(seed + n, length, width) for n, length in enumerate(lengths, start=1)]
    found = nearness(question, weights, [packed(passage) for passage in passages])
    assert found.tolist() == pytest.approx(plainly(question, weights, passages), rel=1e-3, abs=1e-3)


def test_how_far_a_models_similarities_spread_does_not_matter():
    question, passages = unit(5, 6, 64), [packed(unit(n, 10 * n, 64)) for n in range(1, 5)]
    wide, narrow = (nearness(question * scale, np.ones(6), passages) for scale in (1, 0.05))
    assert narrow.tolist() == pytest.approx(wide.tolist(), abs=1e-4)


def test_a_passage_with_the_questions_tokens_is_nearest():
    question = unit(0, 4, 384)
    holds, holds_half = np.concatenate([unit(1, 20, 384), question]), np.concatenate([unit(1, 22, 384), question[:2]])
    whole, half, none = nearness(question, np.ones(4), [packed(holds), packed(holds_half), packed(unit(2, 24, 384))])
    assert whole > half + 2 > none + 4


def test_token_vectors_are_stored_as_one_bit_per_dimension():
    assert len(packed(unit(0, 10, 384))) == 10 * 48
    assert len(packed(unit(0, 10, 33))) == 10 * 5


def test_earlier_questions_count_by_their_weight():
    first, second = unit(3, 1, 384), unit(4, 1, 384)
    passages = [packed(first), packed(second)]
    both = np.concatenate([first, second])
    before, after = (nearness(both, np.array(weights, dtype=np.float32), passages) for weights in ((1, 0.2), (0.2, 1)))
    assert before[0] > before[1]
    assert after[1] > after[0]
