"""Tests the fusion of the scores of both searches."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retrieval.fusion import FALL, RISE, fuse, ranking, with_estimates, with_nearness, with_neighbours
from ingest.models import chunk_id, neighbours

nearness = st.floats(-5, 5)
scores = st.dictionaries(st.sampled_from("abcdef"), st.floats(-1, 100, allow_subnormal=False), max_size=6)


def test_fused_scores_are_each_legs_share_of_its_best_averaged():
    assert fuse([{"a": 0.8, "b": 0.4}, {"b": 20.0, "c": 5.0}]) == {"a": 0.5, "b": 0.75, "c": 0.125}


@given(scores, scores)
def test_fusing_keeps_every_chunk_with_a_score_from_0_to_1(first, second):
    fused = fuse([first, second])
    assert fused.keys() == first.keys() | second.keys()
    assert all(0 <= score <= 1 for score in fused.values())


@given(scores, scores, st.floats(0.01, 100))
def test_the_scale_of_a_leg_does_not_matter(first, second, scale):
    scaled = {chunk: score * scale for chunk, score in second.items()}
    assert fuse([first, scaled]) == pytest.approx(fuse([first, second]), abs=1e-6)


@given(scores)
def test_a_search_without_hits_changes_no_order(first):
    alone, fused = fuse([first]), fuse([first, {}])
    assert fused == pytest.approx({chunk: score / 2 for chunk, score in alone.items()})


def test_words_alone_rank_a_chunk_that_is_not_embedded():
    meaning, words = {"a": 0.8, "b": 0.4}, {"a": 5.0, "c": 10.0, "d": 5.0}
    found = fuse([with_estimates(meaning, words, ["c", "d"]), words])
    assert found == pytest.approx({"a": 0.75, "b": 0.25, "c": 1.0, "d": 0.5})


@pytest.mark.parametrize("meaning", [{}, {"a": -0.5}])
def test_words_alone_rank_where_nothing_is_embedded_or_near(meaning):
    found = fuse([with_estimates(meaning, {"c": 4.0, "d": 1.0}, ["c", "d"]), {"c": 4.0, "d": 1.0}])
    assert (found["c"], found["d"]) == pytest.approx((1.0, 0.25))


def test_a_better_neighbour_raises_a_chunks_score_and_a_worse_one_lowers_it():
    beside = {"a": ["b"], "b": ["a", "c"], "c": ["b", "d"]}
    found = with_neighbours({"a": 1.0, "b": 0.5, "c": 0.25}, beside, beside.__getitem__)
    assert found == pytest.approx({"a": 1 - FALL / 2, "b": 0.5 + RISE / 2, "c": 0.25 + RISE / 4})


def test_a_chunk_without_neighbours_keeps_its_score():
    assert with_neighbours({"a": 0.7, "b": 1.0}, ["a"], lambda _: ["of no chunk"]) == {"a": pytest.approx(0.7)}


@given(st.dictionaries(st.integers(0, 9), st.floats(0, 1), min_size=1))
def test_scores_with_neighbours_stay_between_the_worst_and_the_best(by_position):
    given_scores = {chunk_id("v", position): score for position, score in by_position.items()}
    found = with_neighbours(given_scores, given_scores, neighbours)
    assert found.keys() == given_scores.keys()
    assert min(given_scores.values()) - 1e-9 <= min(found.values())
    assert max(found.values()) <= max(given_scores.values()) + 1e-9


def test_neighbours_are_the_chunks_before_and_after():
    assert neighbours("v-000001") == ["v-000000", "v-000002"]
    assert neighbours("a-b-000000") == ["a-b-000001"]


def test_nearness_reorders_the_best_and_leaves_the_others_below():
    scores = {"a": 1.0, "b": 0.9, "c": 0.8, "d": 0.2}
    found = with_nearness(scores, {"a": 0.1, "b": 0.6, "c": 0.4}, weight=1.0)  # least 0.1, most 0.6
    assert ranking(found) == ["b", "c", "a", "d"]
    assert found == pytest.approx({"a": 1.0 / 1.5, "b": 1.4 / 1.5, "c": 1.1 / 1.5, "d": 0.2 / 1.5})


def test_without_nearness_scores_stay():
    assert with_nearness({"a": 1.0, "b": 0.5}, {}) == {"a": 1.0, "b": 0.5}


@given(st.dictionaries(st.sampled_from("abcdef"), st.floats(0, 1)), st.dictionaries(st.sampled_from("abc"), nearness))
def test_scores_with_nearness_are_from_0_to_1(given_scores, near):
    found = with_nearness(given_scores, {chunk: score for chunk, score in near.items() if chunk in given_scores})
    assert found.keys() == given_scores.keys()
    assert all(0 <= score <= 1 + 1e-9 for score in found.values())
