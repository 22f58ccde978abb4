"""Follow-up questions are searched with what they leave unsaid."""

from __future__ import annotations

from app.conversation import standalone_question
from app.models import Turn

HISTORY = [Turn("What is the notice period?", "Four weeks."), Turn("Does it change later?", "Yes.")]


def test_without_history_the_question_is_unchanged():
    assert standalone_question("And then?", []) == "And then?"


def test_a_question_that_stands_alone_is_unchanged():
    assert standalone_question("What is the hotel limit per night?", HISTORY) == "What is the hotel limit per night?"


def test_a_question_that_points_back_takes_along_what_it_points_at():
    assert standalone_question("How long is it?", HISTORY[:1]) == "What is the notice period? How long is it?"


def test_a_chain_of_follow_ups_reaches_back_to_the_first_full_question():
    found = standalone_question("Why?", HISTORY)
    assert found == "What is the notice period? Does it change later? Why?"


def test_a_model_rewrites_the_question():
    found = standalone_question("Why?", HISTORY, lambda history, question: f'"{question} ({len(history)})"\nmore')
    assert found == "Why? (2)"


def test_a_model_that_says_nothing_leaves_the_question():
    assert standalone_question("Why?", HISTORY, lambda _h, _q: "  ") == "Why?"
