"""Metrics against values worked out by hand, and bounds that hold whatever is retrieved."""

from __future__ import annotations

import math
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.evaluation.metrics import (
    length,
    names_source,
    precision_omega,
    quote_found,
    ranking_scores,
    span_scores,
    union,
)


def test_ranking_metrics_are_the_ones_of_the_textbook():
    relevant = {"q": {"a": 2, "b": 1, "c": 1}, "missed": {"a": 1}, "nothing": {"z": 1}}
    rankings = {"q": ["x", "a", "y", "a", "b"], "missed": ["x"], "nothing": []}
    scores = ranking_scores(rankings, relevant, 5)
    gain = 2 / math.log2(3) + 1 / math.log2(5)  # a is second; b fourth, because a repeat does not count
    best = 2 / math.log2(2) + 1 / math.log2(3) + 1 / math.log2(4)
    assert scores["q"]["nDCG@10"] == pytest.approx(gain / best)
    assert scores["q"]["MRR@10"] == pytest.approx(1 / 2)
    assert [scores["q"][f"Recall@{k}"] for k in (1, 5, 100)] == pytest.approx([0, 2 / 3, 2 / 3])
    assert scores["q"]["Precision@5"] == pytest.approx(2 / 5)
    assert set(scores["missed"].values()) == set(scores["nothing"].values()) == {0.0}


def test_a_relevant_document_below_the_cutoff_counts_for_recall_only():
    ranking = [f"x{i}" for i in range(10)] + ["a"]
    scores = ranking_scores({"q": ranking}, {"q": {"a": 1}}, 5)["q"]
    assert (scores["MRR@10"], scores["nDCG@10"], scores["Recall@10"], scores["Recall@100"]) == (0, 0, 0, 1)


def test_span_metrics_count_characters():
    # Two chunks of the document overlap by 20, a third is of another one; 30 of the 50 wanted are found.
    retrieved = [("d", (0, 100)), ("d", (80, 180)), ("e", (0, 50))]
    scores = span_scores(retrieved, "d", [(90, 110), (170, 200)])
    assert scores["recall"] == pytest.approx(30 / 50)
    assert scores["precision"] == pytest.approx(30 / 250)
    assert scores["IoU"] == pytest.approx(30 / (250 + 20))


def test_no_chunk_scores_nothing():
    assert set(span_scores([], "d", [(0, 10)]).values()) == {0.0}


def test_precision_omega_is_over_the_chunks_that_touch_a_reference():
    chunks = [(0, 100), (50, 150), (150, 250)]
    assert precision_omega(chunks, [(60, 90)]) == pytest.approx(30 / 150)
    assert precision_omega(chunks, [(300, 310)]) == 0


spans = st.tuples(st.integers(0, 300), st.integers(1, 60)).map(lambda pair: (pair[0], pair[0] + pair[1]))


@given(st.lists(spans, max_size=8), st.lists(spans, min_size=1, max_size=4))
def test_span_metrics_are_shares(chunks, references):
    references = union(references)
    scores = span_scores([("d", chunk) for chunk in chunks], "d", references)
    assert all(0 <= score <= 1 for score in scores.values())
    assert scores["IoU"] <= min(scores["recall"], scores["precision"]) + 1e-12
    assert 0 <= precision_omega(chunks, references) <= 1


@given(st.lists(spans))
def test_a_union_has_the_same_characters(ranges):
    merged = union(ranges)
    characters = {i for start, end in ranges for i in range(start, end)}
    assert length(merged) == len(characters)
    assert all(a[1] < b[0] for a, b in pairwise(merged))


@given(st.permutations("abcdefgh"), st.sets(st.sampled_from("abcdefghij"), min_size=1), st.integers(1, 10))
def test_ranking_metrics_are_shares(ranking, relevant, k):
    scores = ranking_scores({"q": ranking}, {"q": dict.fromkeys(relevant, 1)}, k)["q"]
    assert all(0 <= score <= 1 + 1e-9 for score in scores.values())
    assert scores["Recall@1"] <= scores["Recall@5"] <= scores["Recall@10"] <= scores["Recall@100"]


@pytest.mark.parametrize(
    ("quote", "text"),
    [
        ("28 days", "You have 28\n  days of leave."),
        ("the company's", "It is The Company\u2019s."),
        ("long-term", "a long\u2013term plan"),
        ("in bold letters", "said **in bold** letters"),
    ],
)
def test_a_quote_is_found_however_it_is_set(quote, text):
    assert quote_found(quote, ["nothing", text])


def test_a_quote_with_another_word_is_not_found():
    assert not quote_found("28 days", ["29 days"])


@pytest.mark.parametrize(
    ("expected", "source", "named"),
    [
        ("a.pdf", "/x/a.pdf", True),
        ("x/a.pdf", "/x/a.pdf", True),
        ("/x/a.pdf", "/x/a.pdf", True),
        ("y/a.pdf", "/x/a.pdf", False),
        ("a.pdf", "/x/ba.pdf", False),
        ("docs\\a.pdf", "/home/docs/a.pdf", True),
        ("", "/x/a.pdf", False),
    ],
)
def test_a_source_is_named_by_the_end_of_its_path(expected, source, named):
    assert names_source(expected, source) is named
