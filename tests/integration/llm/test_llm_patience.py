"""Tests busy and silent language models: reported waits, countdowns, and abandoned streams."""

from __future__ import annotations

import threading

import pytest
from llm_servers import answering, in_turn, refusing, scripted, silent_after

from app.llm.usage import Spending
from app.models import Prompt, Waiting
from ingest.errors import LLMRateLimited

PROMPT = Prompt("Be brief.", "Why?")


def test_a_busy_server_is_retried_after_the_time_it_asks_for_and_the_wait_is_reported(llm):
    busy = (refusing(429, retry_after="0.05"), refusing(503, retry_after="0.02"))
    with scripted(in_turn(*busy, answering("Here."))) as (url, requests):
        spending = Spending()
        pieces = list(llm(url, llm_retry_seconds=60.0).stream(PROMPT, spending))
    assert len(requests) == 3
    assert [piece for piece in pieces if isinstance(piece, str)] == ["Here."]
    waits = [piece for piece in pieces if isinstance(piece, Waiting) and piece.seconds is not None]
    assert [wait.seconds for wait in waits] == [pytest.approx(0.05), pytest.approx(0.02)]
    assert "too many requests" in waits[0].reason
    assert (spending.retries, spending.waited) == (2, pytest.approx(0.07))


def test_a_wait_counts_down_the_seconds_and_can_be_cancelled_four_times_a_second(llm):
    slept = []
    with scripted(in_turn(refusing(429, retry_after="3.5"), answering("Here."))) as (url, _):
        model = llm(url, llm_retry_seconds=60.0)
        model._sleep = slept.append
        waits = [piece.seconds for piece in model.stream(PROMPT) if isinstance(piece, Waiting) and piece.seconds]
    assert waits == [pytest.approx(3.5 - i / 4, abs=0.2) for i in range(14)]
    assert slept == [pytest.approx(0.25)] * 14


def test_a_wait_is_no_longer_than_the_settings_allow(llm):
    with scripted(refusing(429, retry_after="300")) as (url, requests), pytest.raises(LLMRateLimited) as caught:
        list(llm(url, llm_retry_seconds=60.0).stream(PROMPT))
    assert len(requests) == 1
    assert "asks for a wait of 300 seconds" in str(caught.value)
    assert "FOOTNOTE_LLM_RETRY_SECONDS" in str(caught.value)


def test_a_server_that_stays_busy_is_asked_four_times_at_most(llm):
    with scripted(refusing(429, retry_after="0.01")) as (url, requests), pytest.raises(LLMRateLimited):
        list(llm(url, llm_retry_seconds=60.0).stream(PROMPT))
    assert len(requests) == 4


@pytest.mark.parametrize("pieces", [(), ("Half ",)])
def test_closing_a_stream_ends_the_request_while_the_server_is_silent(llm, pieces):
    left = threading.Event()
    with scripted(silent_after(*pieces), left=left) as (url, _):
        stream = llm(url).stream(PROMPT)
        seen = []
        while not (seen and isinstance(seen[-1], Waiting) and len(seen) > len(pieces)):
            seen.append(next(stream))
        stream.close()
        assert left.wait(30)
    assert [piece for piece in seen if isinstance(piece, str)] == list(pieces)
