"""Tests which sentences are verified: claims, but not greetings, questions and refusals."""

from __future__ import annotations

import pytest

from app.grounding.claim_detection import REFUSAL, is_claim, is_refusal


@pytest.mark.parametrize(
    ("sentence", "claim"),
    [
        ("Revenue grew by 12%.", True),
        ("No apples are red.", True),
        ("The reactor does not contain uranium.", True),
        ("Hello world programs print a line and then they end at once.", True),
        ("The documents mention 12 cases.", True),
        ("Hello! Happy to help.", False),
        ("I could not find the price in the documents.", False),
        ("The passages do not mention a deadline.", False),
        ("Let me know if you need more.", False),
        ("Hope this helps!", False),
        ("Hope this helps the 12 firms.", True),
        ("Yes.", False),
        ("Here is what the report says:", False),
        ("## Results", False),
        ("What else?", False),
        ("| --- | --- |", False),
        ("```\nrevenue = 12\n```", False),
        ("It was then.", False),
    ],
)
def test_claims_are_distinguished_from_other_sentences(sentence, claim):
    assert is_claim(sentence) is claim


@pytest.mark.parametrize(
    ("answer", "refused"),
    [
        (REFUSAL, True),
        ("I couldn't find that in the passages.", True),
        ("The documents do not mention it.", True),
        ("Revenue grew by 12%.", False),
    ],
)
def test_refusals_are_recognised(answer, refused):
    assert is_refusal(answer) is refused
