"""Statements that a later one replaces: the later is given first, the older is named as older."""

from __future__ import annotations

import pytest

from app.answering.extractive import ExtractiveAnswerer
from app.models import Passage


@pytest.fixture
def answerer(word_embedder) -> ExtractiveAnswerer:
    return ExtractiveAnswerer(word_embedder)


def passage(n: int, text: str, document: str, title: str = "", heading: tuple[str, ...] = ()) -> Passage:
    return Passage(n, f"/docs/{document}.md", document, title, None, heading, 0, len(text), text, 1 / n)


RULE = passage(
    1, "A tenant shall return the keys within 14 days of the end of the lease.", "2019 rules", "Rules (2019)"
)


def test_an_amendment_comes_before_the_rule_that_it_changes(answerer):
    text = 'In the rule on keys of a lease, the words "within 14 days" are replaced by "within 30 days".'
    amendment = passage(2, text, "2024 amendment", "Amendment (2024)")
    found = answerer.answer("Within how many days shall a tenant return the keys?", [RULE, amendment])
    assert found.text == f"Later (2024): {text} [1]\n\nEarlier (2019): {RULE.text} [2]"
    assert [note.quote for note in found.citations] == [text, RULE.text]


def test_the_same_statement_of_a_later_date_comes_first(answerer):
    minutes = "The club decided that the summer feast is held on {} June."
    first = passage(1, minutes.format(14), "minutes", heading=("Meeting of 3 March 2031",))
    second = passage(2, minutes.format(28), "minutes", heading=("Meeting of 7 April 2031",))
    found = answerer.answer("When is the summer feast held?", [first, second])
    assert found.text.startswith(f"Later (2031-04-07): {second.text} [1]\n\nEarlier (2031-03-03): {first.text}")


@pytest.mark.parametrize(
    "other",
    [
        "A tenant shall return the keys within 14 days, and the deposit is paid back within 30 days.",
        "Visitors may stay for 30 days in the guest room of the house.",
        "A tenant shall return the keys within 14 days of the end of the lease, as before.",
    ],
)
def test_another_figure_alone_replaces_nothing(answerer, other):
    found = answerer.answer("Within how many days shall a tenant return the keys?", [RULE, passage(2, other, "2024 x")])
    assert "Later" not in found.text
