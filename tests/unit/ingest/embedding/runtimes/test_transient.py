"""Texts that are compared and not stored: nearly the same vectors in less time."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.embedding.embedder import Embedder
from ingest.embedding.runtimes.transient import MOST_TOGETHER, PASS, batches, is_faster

TEXTS = ["The committee decided it in March.", "A budget", f"Long. {'The notice period is four weeks. ' * 20}"]


@pytest.fixture(scope="module")
def embedder() -> Embedder:
    return Embedder(device="cpu", runtime="torch")


def test_sentences_have_nearly_the_vectors_of_documents_in_the_same_order(embedder):
    rounded, exact = embedder.encode_sentences(TEXTS), embedder.encode_documents(TEXTS)
    assert (rounded.shape, rounded.dtype) == (exact.shape, np.float32)
    assert np.linalg.norm(rounded, axis=1) == pytest.approx([1, 1, 1], abs=1e-5)
    assert (rounded * exact).sum(axis=1).min() > 0.999


def test_tokens_are_nearly_the_same_in_any_company(embedder):
    together = embedder.encode_tokens(TEXTS)
    for text, one in zip(TEXTS, together, strict=True):
        (alone,) = embedder.encode_tokens([text])
        assert (alone.spans == one.spans).all()
        lengths = np.linalg.norm(alone.vectors, axis=1) * np.linalg.norm(one.vectors, axis=1)
        assert ((alone.vectors * one.vectors).sum(axis=1) / lengths).min() > 0.99


def test_the_mean_of_a_texts_tokens_has_nearly_the_direction_of_its_vector(embedder):
    (tokens,), (vector,) = embedder.encode_tokens(TEXTS[:1]), embedder.encode_documents(TEXTS[:1])
    mean = tokens.vectors.mean(axis=0)
    assert mean @ vector / np.linalg.norm(mean) > 0.9


@given(st.lists(st.integers(0, 2_000), max_size=60))
def test_each_text_is_in_one_pass_and_long_ones_come_first(lengths):
    passes = list(batches(lengths))
    assert sorted(i for some in passes for i in some) == list(range(len(lengths)))
    assert [lengths[i] for some in passes for i in some] == sorted(lengths, reverse=True)
    assert all(len(some) <= MOST_TOGETHER for some in passes)


def test_a_short_text_shares_a_pass_with_one_little_longer_only():
    assert list(batches([100, 100 + PASS])) == [[1, 0]]
    assert list(batches([100, 101 + PASS])) == [[1], [0]]


@pytest.mark.parametrize(
    ("capabilities", "expected"),
    [({"avx512_bf16": True}, True), ({"amx_bf16": True}, True), ({"avx512_f": True, "avx512_bf16": False}, False)],
)
def test_half_precision_is_for_processors_that_multiply_it(capabilities, expected):
    assert is_faster(capabilities) is expected
    assert not is_faster({})
