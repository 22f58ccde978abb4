"""Sentences are found where a reader finds them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app import sentences


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in sentences.split(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One is here. Two is there! Is three? Yes.", ["One is here.", "Two is there!", "Is three?", "Yes."]),
        (
            "It grew by 3.5 percent, e.g. in the U.S. market. Then it fell.",
            ["It grew by 3.5 percent, e.g. in the U.S. market.", "Then it fell."],
        ),
        ("See Fig. 3 and Dr. Smith. Done.", ["See Fig. 3 and Dr. Smith.", "Done."]),
        ("He moved to the U.S. The rest stayed.", ["He moved to the U.S.", "The rest stayed."]),
        ("He said “Stop.” Then he left.", ["He said “Stop.”", "Then he left."]),
        ("# Title\nBody text.", ["# Title", "Body text."]),
        ("- first item\n- second item. With two.", ["- first item", "- second item.", "With two."]),
        ("1. Do this.\n2. Do that.", ["1. Do this.", "2. Do that."]),
        ("| a | b |\n| --- | --- |\n| 1. x | 2 |", ["| a | b |", "| --- | --- |", "| 1. x | 2 |"]),
        ("これは文です。次の文です。", ["これは文です。", "次の文です。"]),
        ("Claim one. [1] Claim two [2][3]. End", ["Claim one. [1]", "Claim two [2][3].", "End"]),
        (
            "A line that was wrapped by somebody at this width\nand goes on here. Next.",
            ["A line that was wrapped by somebody at this width\nand goes on here.", "Next."],
        ),
        (
            "Net sales of all products in the quarter $ 94,036 $ 85,777\nCost of sales 50,318 46,099",
            ["Net sales of all products in the quarter $ 94,036 $ 85,777", "Cost of sales 50,318 46,099"],
        ),
        ("```\na. B. C\n\nd\n```\nAfter it.", ["```\na. B. C\n\nd\n```", "After it."]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_of(text, expected):
    assert split(text) == expected


@given(st.text(alphabet="aB .!?\n1[]|#-`。", max_size=200))
def test_every_word_is_in_just_one_sentence(text):
    at = 0
    for start, end in sentences.split(text):
        assert at <= start < end
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        at = end
    assert not text[at:].strip()
