"""Tests that reasoning before an answer is left out, for all marks and any division into pieces."""

from __future__ import annotations

import pytest

from app.llm.reasoning import ThoughtFilter
from app.models import Retracted

ANSWER = "It is 40 [1].\n\nIt is `</b>` in code."
MARKED = [
    "<think>Let me see. [9]</think>",
    "\n<THINK>\nSee.\n</Think>\n\n",
    "<thinking>Hm.</thinking>",
    "<thought>Hm.</thought>",
    "<reasoning>Hm. A </think> in it.</reasoning>",
    "\u25c1think\u25b7Hm.\u25c1/think\u25b7",
    "[THINK]Hm.[/THINK]",
    "<|START_THINKING|>Hm.<|END_THINKING|>",
    "<think>\n\n</think>\n\n<think>Twice.</think>",
    "<|channel|>analysis<|message|>Hm.<|end|><|start|>assistant<|channel|>final<|message|>",
    "<|channel|>analysis<|message|>Hm.<|end|><|channel|>commentary to=a<|message|>x<|call|><|channel|>final<|message|>",
    "<|start|>assistant<|channel|>analysis<|message|>Hm.<|end|><|channel|>final<|message|>",
    "<|channel|>final<|message|>",
]
UNOPENED = [
    "Okay, the user wants [1] a number.\n</think>\n\n",
    "</think>",
    "Hm.</thinking>",
    "Hm.\u25c1/think\u25b7",
    "Hm. ``` x ``` so</think>",
    "<think>Hm.</think>Hm, again.</think>",
    "Hm.<|end|><|start|>assistant<|channel|>final<|message|>",
    "analysisThe user wants a number.assistantfinal",
    "Hm, apples [2].</think>\n\n",
    "Hm:\n~~~\n```\n~~~\nso\n</think>\n",
    "Hm. <think> begins one.\n\n</think></think>\n\n",
    "So.\n<think>\nHm.\n</think>\n\n",
]
SPOKEN_OF = [
    "The mark `</think>` ends a thought [1].",
    'A "</think>" or \u201c</thinking>\u201d ends it.',
    "```html\n<think>\n</think>\n```\nends it.",
    "Write assistantfinal there, and <|end|>.",
    "<thin ice> is what [think it over] is.",
    "<",
    "analysis of it: 3.",
    "Models write their thoughts before the tag </think> [1]. They have 500 tokens [2].",
    "A thought ends with **</think>** [1], or (</think>).",
    "It ends with </think>.\nThe next one with </thinking>\n\nBoth are tags.",
    "In it, <reasoning>...</reasoning> wraps the steps [1].",
    "In it, <think>...</think>Then is the answer [1].",
    "It is:\n\n    <think>\n    Hm.\n    </think>\n\nSo it is [1].",
    "It is:\n<reflection>\nHm.\n</reflection>\n\nSo it is [1].",
    "<reflection>\n    Hm.\n</reflection>\n\nis the form [1].",
    "<thought>...</thought> wraps a thought, <thought>",
    "It is [1]:\n\n~~~xml\n```\n<thought>x</thought>\n</think>\n~~~\nDone [2].",
    "````\n```\n</think>\n````",
]


def read(text: str, size: int, *, hold: bool = False) -> tuple[str, ThoughtFilter]:
    """Returns the text that is finally shown, streamed in pieces of a given size."""
    filtered, said = ThoughtFilter(hold=hold), ""
    pieces = [text[at : at + size] for at in range(0, len(text), size)]
    for out in [*(filtered.feed(piece) for piece in pieces), filtered.end()]:
        for one in out:
            said = "" if isinstance(one, Retracted) else said + one
    return said, filtered


@pytest.mark.parametrize("size", [1, 3, 7, 1000])
@pytest.mark.parametrize("hold", [False, True])
@pytest.mark.parametrize("thought", [*MARKED, *UNOPENED])
def test_marked_reasoning_is_left_out(thought, size, hold):
    said, filtered = read(thought + ANSWER, size, hold=hold)
    assert said == ANSWER
    assert filtered.retracted is (thought in UNOPENED)


@pytest.mark.parametrize("thought", MARKED)
def test_marked_thoughts_are_never_shown(thought):
    filtered = ThoughtFilter()
    out = [one for character in thought + "So." for one in filtered.feed(character)]
    assert "".join(out + filtered.end()) == "So."


@pytest.mark.parametrize("size", [1, 4, 1000])
@pytest.mark.parametrize("hold", [False, True])
@pytest.mark.parametrize("text", SPOKEN_OF)
def test_marks_that_are_spoken_of_are_no_thoughts(text, size, hold):
    said, filtered = read(text, size, hold=hold)
    assert (said, filtered.retracted) == (text, False)


@pytest.mark.parametrize("text", ["<think>Hm.", "<|channel|>analysis<|message|>Hm.<|end|>", " \n"])
def test_reasoning_alone_is_no_answer(text):
    assert read(text, 2)[0] == ""


def test_the_end_of_a_turn_ends_the_answer():
    assert read("<|channel|>final<|message|>So.<|return|>\n<|start|>user", 3)[0] == "So."


def test_held_back_text_is_released_at_the_end_if_it_is_no_reasoning():
    filtered = ThoughtFilter(hold=True)
    assert filtered.feed("It is so.") == []
    assert filtered.end() == ["It is so."]


def test_held_back_reasoning_is_dropped_if_the_stream_breaks():
    filtered = ThoughtFilter(hold=True)
    assert [*filtered.feed("Hm, the budget may be 7 [1]. <"), *filtered.cut()] == []


def test_the_beginning_of_a_mark_is_released_if_the_stream_breaks():
    filtered = ThoughtFilter()
    assert [*filtered.feed("It is <"), *filtered.cut()] == ["It is ", "<"]


def test_words_are_shown_as_soon_as_they_are_certain():
    filtered = ThoughtFilter()
    assert [filtered.feed(piece) for piece in ("It is", " a <", "b> so")] == [["It is"], [" a "], ["<b> so"]]
