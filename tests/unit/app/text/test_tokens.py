"""Words with what they state: numbers with units, months, names, denials."""

from __future__ import annotations

import pytest

from app.grounding.negation import denials, opposite
from app.grounding.word_diff import differences
from app.text.language_data import language_data_of
from app.text.stemming import stem
from app.text.tokens import FACT_KINDS, acronyms, is_year, same_name, tokenize


def told(text: str) -> list[tuple[str, str, str]]:
    return [(word.kind, word.term, word.unit) for word in tokenize(text) if word.kind in FACT_KINDS]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("it cost $1,234.50 then", [("number", "1234.5", "$")]),
        ("13.1 million people", [("number", "13100000", "")]),
        ("twenty-one days", [("number", "21", "day")]),
        ("it grew 77 % or 77 percent", [("number", "77", "%")] * 2),
        ("the third of 5 kilometres", [("number", "3", ""), ("number", "5", "km")]),
        ("on 4 March they may go", [("number", "4", ""), ("month", "month 3", "")]),
        ("the U.S. and NASA in Berlin", [("name", "us", ""), ("name", "nasa", ""), ("name", "berlin", "")]),
        ("Everything fell. Nothing rose.", []),
    ],
)
def test_facts_are_read_with_their_units(text, expected):
    assert told(text) == expected


def test_every_word_knows_its_place():
    text = "Isn't 13.1 million in the U.S. enough?"
    assert [text[word.start : word.end] for word in tokenize(text)] == [
        "Is", "n't", "13.1 million", "in", "the", "U.S.", "enough",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("canada", "canadian", True),
        ("china", "chines", True),
        ("german", "germani", True),
        ("marco", "marcus", False),
        ("swiss", "swede", False),
    ],
)
def test_a_place_and_its_people_are_one_name(one, other, same):
    assert same_name(one, other) is same


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("the Major League Soccer of today", {"mls"}),
        ("North-South Divide, Well-known Person", {"nsd", "wp"}),
        ("the Bank of England", {"be"}),
        ("Berlin is big", set()),
    ],
)
def test_a_run_of_names_has_an_acronym(text, expected):
    assert acronyms(text) == expected


def denied(text: str) -> list[tuple[str, ...]]:
    return list(denials(text, tokenize(text), language_data_of("english")))


def test_a_negation_applies_to_the_words_after_it():
    assert denied("The shop does not open on Mondays.") == [("open", "weekday 0")]
    assert denied("They aren't here, but they never lie.") == [(), ("lie",)]
    assert denied("It is not only red.") == []


def test_opposites_are_detected_in_either_order():
    assert opposite("increas", "decreas", language_data_of("english"))
    assert opposite("decreas", "increas", language_data_of("english"))
    assert not opposite("increas", "grew", language_data_of("english"))
    assert opposite("before", "after", language_data_of("english"))


def test_a_prefix_makes_the_opposite():
    assert opposite(stem("unsuccessful"), stem("successful"), language_data_of("english"))
    assert opposite(stem("valid"), stem("invalid"), language_data_of("english"))
    assert opposite(stem("appeared"), stem("disappears"), language_data_of("english"))
    assert not opposite(stem("ink"), "k", language_data_of("english"))


@pytest.mark.parametrize(
    ("one", "other"),
    [("import", "port"), ("inform", "form"), ("display", "play"), ("discount", "count"), ("intend", "tend")],
)
def test_a_false_prefix_makes_no_opposite(one, other):
    assert not opposite(stem(one), stem(other), language_data_of("english"))


def test_the_difference_between_similar_sentences_is_shown():
    ours = tokenize("The office in Munich opened in May.")
    theirs = tokenize("The office in Berlin opened in May.")
    (one,) = differences(ours, theirs)
    assert ([word.term for word in one.ours], [word.term for word in one.theirs]) == (["munich"], ["berlin"])
    assert not list(differences(ours, tokenize("Nobody in Berlin knows.")))


def test_a_raised_digit_is_no_year():
    assert not any(is_year(word) for word in tokenize("a room of 0² and 19²"))
