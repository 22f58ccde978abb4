"""Tests the limits of an answer: only visible words count as progress, and neither they nor reasoning are endless."""

from __future__ import annotations

import pytest

from app.llm.limits import MOST_ANSWER, MOST_WRITTEN, PATIENCE, AnswerLimits
from ingest.errors import LLMError, LLMInterrupted, LLMUnreachable

SECONDS = 10


class Clock:
    now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.fixture
def clock():
    return Clock()


@pytest.fixture
def limits(clock):
    return AnswerLimits("model", SECONDS, clock)


def test_a_server_without_a_response_is_abandoned_after_the_time_limit(limits, clock):
    clock.now = SECONDS
    limits.check()
    clock.now += 0.1
    with pytest.raises(LLMUnreachable, match=r"did not answer within 10 seconds \(FOOTNOTE_LLM_TIMEOUT\)"):
        limits.check()


@pytest.mark.parametrize("shown", ["", " \n"])
def test_reasoning_and_white_space_have_a_time_limit(limits, clock, shown):
    for _ in range(PATIENCE.thinking):
        clock.now += SECONDS
        limits.heard("Hm. ")
        limits.said(shown)
        limits.check()
    clock.now += 1
    limits.heard("Hm. ")
    with pytest.raises(LLMError, match=r"no text of an answer within 50 seconds\. Raise FOOTNOTE_LLM_TIMEOUT"):
        limits.check()


def test_an_answer_without_further_text_ends_even_if_other_events_arrive(limits, clock):
    limits.said("Half")
    for _ in range(SECONDS):
        clock.now += 1
        limits.heard("")
        limits.said("\n")
        limits.check()
    clock.now += 1
    limits.heard("")
    with pytest.raises(LLMInterrupted, match="no further text within 10 seconds and was cut off") as caught:
        limits.check()
    assert caught.value.partial.strip() == "Half"


def test_an_answer_that_drips_ends_all_the_same(limits, clock):
    for _ in range(PATIENCE.whole):
        clock.now += SECONDS
        limits.heard("word ")
        limits.said("word ")
        limits.check()
    clock.now += 1
    with pytest.raises(LLMInterrupted, match="was not complete within 100 seconds"):
        limits.check()


def test_an_answer_has_a_length(limits):
    limits.said("x" * MOST_ANSWER)
    with pytest.raises(LLMInterrupted, match="more than 100,000 characters and was cut off"):
        limits.said("y")


def test_reasoning_has_a_length_limit_and_retracted_text_is_no_answer(limits):
    limits.said("thought")
    limits.retracted()
    limits.heard("x" * MOST_WRITTEN)
    with pytest.raises(LLMError, match=r"wrote more than 1,000,000 characters\. It may") as caught:
        limits.heard("y")
    assert not isinstance(caught.value, LLMInterrupted)
