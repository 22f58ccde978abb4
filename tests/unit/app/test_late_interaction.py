"""Tests the comparison of a question and a text token by token."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests_support import WordEmbedder

from app.late_interaction import matches, text_vector

WORDS = st.lists(st.sampled_from(["apples", "bears", "crates", "red", "sleep"]), max_size=8).map(" ".join)


def tokens(text: str):
    return WordEmbedder().encode_tokens([text])[0]


def test_a_token_comes_as_near_as_the_likest_token_of_the_text():
    asked, there = tokens("red crates sleep"), tokens("all crates are red")
    assert matches(asked, there).tolist() == pytest.approx([1, 1, 0], abs=1e-6)


def test_a_text_without_tokens_is_near_nothing():
    assert matches(tokens("red crates"), tokens("")).tolist() == [0, 0]
    assert not text_vector(tokens("")).any()


@given(WORDS, WORDS)
def test_more_text_takes_no_token_farther_away(asked, there):
    once, more = (matches(tokens(asked), tokens(text)) for text in (there, f"{there} apples"))
    assert (once <= more + 1e-6).all()
    assert once.shape == (len(asked.split()),)


@given(WORDS.filter(bool))
def test_a_texts_vector_has_unit_length(text):
    assert np.linalg.norm(text_vector(tokens(text))) == pytest.approx(1)
