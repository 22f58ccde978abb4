"""Tests follow-up questions: they are searched with their context, but not after a change of topic."""

from __future__ import annotations

import pytest

from app.models import Turn
from app.retrieval.follow_up import MOST_TURNS, in_context, rewritten
from ingest.models import Query

HISTORY = [Turn("What is the notice period?", "Four weeks."), Turn("Does it change later?", "Yes.")]


def near(_one: str, _other: str) -> float:
    return 0.9


def strange(_one: str, _other: str) -> float:
    return 0.0


def test_without_history_the_question_is_searched_alone():
    assert in_context("And then?", [], near) == Query("And then?")


def test_a_question_of_another_topic_is_searched_alone():
    question = "What is the hotel limit per night?"
    assert in_context(question, HISTORY, strange) == Query(question)


def test_earlier_related_questions_weigh_less_the_older_they_are():
    query = in_context("What is the hotel limit per night?", HISTORY, near)
    assert [text for text, _ in query.earlier] == ["Does it change later?", "What is the notice period?"]
    last, first = (weight for _, weight in query.earlier)
    assert 1 > last > first > 0


def test_the_nearer_in_meaning_the_more_it_weighs():
    weights = [in_context("Which limits hold for hotels?", HISTORY, lambda *_, s=s: s).earlier for s in (0.2, 0.25)]
    assert 0 < weights[0][0][1] < weights[1][0][1]


def test_a_question_that_refers_back_is_joined_with_the_earlier_question():
    query = in_context("Which exceptions does it allow abroad?", HISTORY[:1], strange)
    assert query.earlier
    assert query.alone == "What is the notice period? Which exceptions does it allow abroad?"


def test_a_question_that_goes_on_does_so_with_the_last_one():
    query = in_context("And after five years?", HISTORY[:1], strange)
    assert query.alone == "What is the notice period? And after five years?"


def test_a_question_of_no_words_of_its_own_reaches_back_to_the_first_full_one():
    query = in_context("Why?", HISTORY, strange)
    assert query.alone == "What is the notice period? Does it change later? Why?"
    assert len(query.earlier) == len(HISTORY)


def test_only_the_last_turns_count():
    turns = [Turn(f"What is clause {n} about?", "It says.") for n in range(10)]
    assert [text for text, _ in in_context("Why?", turns, near).earlier] == [
        turn.question for turn in reversed(turns[-MOST_TURNS:])
    ]


@pytest.mark.parametrize("reply", ['"How long is the notice?"\nmore', "\n  How long is the notice?\n"])
def test_a_model_rewrites_the_question(reply):
    assert rewritten("Why?", reply) == Query("How long is the notice?")


def test_quotes_within_a_rewritten_question_stay():
    assert rewritten("Why?", 'What is "net" of "gross"') == Query('What is "net" of "gross"')
    assert rewritten("Why?", '"Net" or "gross"') == Query('"Net" or "gross"')


@pytest.mark.parametrize("reply", ["  ", '""', '" "', "\u201c\u201d", "\n---\n"])
def test_a_model_that_says_nothing_leaves_the_question(reply):
    assert rewritten("Why?", reply) == Query("Why?")
