"""Confidence intervals and significance: the same for equal seeds, and sane at the ends."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.evaluation import significance


def estimate(scores, seed=0):
    (one,) = significance.estimate(scores[:, None], seed=seed)
    return one


def paired_difference(before, after):
    (one,) = significance.paired_difference(before[:, None], after[:, None])
    return one


RNG = np.random.default_rng(7)
SCORES = RNG.random(80)


def test_equal_seeds_give_equal_intervals():
    assert estimate(SCORES, seed=3) == estimate(SCORES, seed=3)
    assert estimate(SCORES, seed=3) != estimate(SCORES, seed=4)


def test_the_interval_is_that_of_the_normal_distribution_where_there_are_many_questions():
    one = estimate(SCORES)
    error = 1.96 * SCORES.std() / np.sqrt(len(SCORES))
    assert one.value == pytest.approx(SCORES.mean())
    assert (one.low, one.high) == pytest.approx((SCORES.mean() - error, SCORES.mean() + error), abs=0.01)


def test_questions_that_do_not_count_are_left_out():
    assert estimate(np.array([1.0, np.nan, 0.0, np.nan])).value == 0.5
    assert estimate(np.array([1.0, np.nan])).n == 1
    with pytest.raises(ValueError, match="no score"):
        estimate(np.array([np.nan]))


@settings(max_examples=20)
@given(st.lists(st.floats(0, 1), min_size=1, max_size=30))
def test_the_interval_lies_within_the_scores(scores):
    one = estimate(np.array(scores))
    assert min(scores) - 1e-9 <= one.low <= one.high <= max(scores) + 1e-9


def test_equal_runs_do_not_differ():
    one = paired_difference(SCORES, SCORES)
    assert (one.value, one.low, one.high, one.p) == (0, 0, 0, 1)


def test_a_clear_gain_is_significant_and_noise_is_not():
    better = paired_difference(SCORES, SCORES + 0.1 + 0.05 * RNG.random(80))
    assert better.p < 0.001
    assert better.low > 0
    noise = paired_difference(SCORES, SCORES + RNG.normal(0, 0.1, 80))
    assert noise.p > 0.01


def test_p_is_that_of_the_exact_test():
    # All 6 questions gain as much: of the 64 ways to change places, 2 differ as much.
    assert paired_difference(np.zeros(6), np.full(6, 0.5)).p == pytest.approx(2 / 64, abs=0.01)


def test_swapping_the_runs_turns_the_sign_only():
    other = np.clip(SCORES + RNG.normal(0.02, 0.1, 80), 0, 1)
    there, back = paired_difference(SCORES, other), paired_difference(other, SCORES)
    assert there.value == pytest.approx(-back.value)
    assert there.p == pytest.approx(back.p, abs=0.02)


def test_runs_that_count_other_questions_are_compared_by_their_means():
    one = paired_difference(np.array([1, np.nan, 0, 1.0]), np.array([1, 1, np.nan, 1.0]))
    assert (one.before, one.after, one.n) == (pytest.approx(2 / 3), 1, 4)


def test_metrics_are_estimated_side_by_side_as_alone():
    other = RNG.random(80)
    both = significance.estimate(np.stack([SCORES, other], axis=1))
    for one, alone in zip(both, (estimate(SCORES), estimate(other)), strict=True):
        assert (one.value, one.low, one.high) == pytest.approx((alone.value, alone.low, alone.high))


def test_other_numbers_of_questions_cannot_be_paired():
    with pytest.raises(ValueError, match="same questions"):
        paired_difference(np.zeros(2), np.zeros(3))


def test_one_question_proves_nothing():
    one = paired_difference(np.array([0.0]), np.array([1.0]))
    assert (one.value, one.low, one.high, one.p, one.n) == (1, 1, 1, 1, 1)
