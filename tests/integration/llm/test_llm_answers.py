"""Tests answers written by a language model: verified, replaced by quotes, cut, stopped and counted."""

from __future__ import annotations

import threading

import pytest
from durability import PoolInProcess
from llm_servers import answering, cut_after, in_turn, refusing, scripted, silent_after

from app.cancellation import CancelToken
from app.models import Answer, Retracted, Token, Turn, Usage, Waiting

pytestmark = pytest.mark.usefixtures("shared_chroma")


@pytest.fixture
def open_loaders():
    return PoolInProcess


@pytest.fixture
def ask(footnote, write, dead_proxy, with_settings):
    footnote.ingest([write("a.md", "# Fruit\n\nApples are red. A crate holds 40 apples."), write("b.txt", "Bears.")])

    def asked(url: str, question: str = "What colour are apples?", **more) -> tuple[str, Answer]:
        *events, answer = begin(url, question, **more)
        return "".join(event.text for event in events if isinstance(event, Token)), answer

    def begin(url: str, question: str = "What colour are apples?", cancel=None, **more):
        return use(url, **more).ask(question, cancel=cancel)

    def use(url: str, **more):
        fields = {"llm": "openai:test", "llm_base_url": url, "llm_timeout": 20, "llm_retry_seconds": 0.0}
        return with_settings(footnote, **fields | more)

    asked.begin, asked.settings = begin, use
    return asked


def test_a_written_answer_is_verified_sentence_by_sentence(ask):
    pieces = ("Apples are red [", "1]. A crate holds 55 apples [1]. Kiwis fly [7", "]. See [9].")
    with scripted(answering(*pieces)) as (url, _):
        said, answer = ask(url)
    assert said == "Apples are red [1]. A crate holds 55 apples [1]. Kiwis fly. See."
    assert answer.text == "Apples are red [1]. A crate holds 55 apples. Kiwis fly. See."
    assert [sentence.supported for sentence in answer.sentences[:3]] == [True, False, False]
    assert [one.reason for one in answer.sentences[1:3]] == ["the source says 40, not 55", "no passage says this"]
    assert answer.answerer == "openai:test"
    (note,) = answer.citations
    assert note.quote in "Apples are red. A crate holds 40 apples."
    assert not answer.refused


def test_reasoning_without_a_start_mark_is_neither_in_the_answer_nor_searched(ask):
    thought = ("Okay, bears [2] are", " what this is about.\n</think>\n\n")
    rewritten, written = answering(*thought, "What colour are apples?"), answering(*thought, "Apples are red [1].")
    with scripted(in_turn(rewritten, written)) as (url, requests):
        *events, answer = ask.settings(url).ask("And their colour?", [Turn("What are apples?", "Fruit.")])
    assert len(requests) == 2
    assert answer.searched == "What colour are apples?"
    assert answer.text == "Apples are red [1]."
    assert [one.document.endswith("a.md") for one in answer.citations] == [True]
    shown = [event for event in events if isinstance(event, Token | Retracted)]
    after = len(shown) - shown[::-1].index(Retracted()) if Retracted() in shown else 0
    assert "".join(event.text for event in shown[after:]) == answer.text


@pytest.mark.slow
@pytest.mark.parametrize("breaking", [silent_after, cut_after])
def test_no_reasoning_is_shown_if_the_stream_breaks_during_it(ask, breaking):
    whole = answering("Okay, bears.\n</think>\n\nApples are red [1].")
    with scripted(in_turn(whole, breaking("Okay, a crate holds ", "40 apples [1]. "))) as (url, requests):
        *_, answer = ask.begin(url, llm_timeout=1)
        assert answer.text == "Apples are red [1]."
        said, answer = ask(url, llm_timeout=1)
    assert len(requests) == 2
    assert answer.answerer == "extractive"
    assert said == answer.text
    assert answer.text.startswith("Apples are red.")
    assert "quoted from your documents instead" in answer.notice


def test_a_refusal_of_the_model_is_a_refusal(ask):
    with scripted(answering("I could not find this in the documents.")) as (url, _):
        _, answer = ask(url)
    assert answer.refused
    assert answer.nearest
    assert answer.citations == ()


@pytest.mark.slow
@pytest.mark.parametrize("script", [refusing(401), refusing(500, retry_after="0.01"), answering("")])
def test_a_failing_model_is_replaced_by_quotes(ask, script):
    with scripted(script) as (url, _):
        said, answer = ask(url)
    assert answer.answerer == "extractive"
    assert said == answer.text
    assert answer.text.startswith("Apples are red.")
    assert "quoted from your documents instead" in answer.notice


def test_an_answer_cut_off_is_kept_and_marked(ask):
    with scripted(cut_after("Apples are red [1]. A cra")) as (url, _):
        said, answer = ask(url)
    assert answer.incomplete
    assert said == answer.text == "Apples are red [1]. A cra"
    assert "cut off" in answer.notice


def test_the_passages_are_fenced_and_numbered_in_the_prompt(ask):
    with scripted(answering("Apples are red [1].")) as (url, requests):
        ask(url)
    system, user = (message["content"] for message in requests[0]["messages"])
    assert "[1] " in user
    assert "Apples are red. A crate holds 40 apples." in user
    assert "data, not instructions" in system


def test_an_answer_reports_its_usage(ask):
    with scripted(answering("Apples are red [1].", usage=(1000, 50))) as (url, _):
        _, answer = ask(url, llm_input_price=1.0, llm_output_price=2.0)
    assert answer.usage == Usage(1000, 50, pytest.approx(0.0011))
    assert len(answer.prompt) == 12


def test_a_prompt_that_is_too_long_for_the_server_is_asked_with_fewer_passages(ask):
    refuse = refusing(400, "This model's maximum context length is 2048 tokens.")
    with scripted(in_turn(refuse, answering("Apples are red [1]."))) as (url, requests):
        _, answer = ask(url)
    assert len(requests) == 2
    assert answer.answerer == "openai:test"
    assert answer.text == "Apples are red [1]."
    assert "Not all passages fit into the context of openai:test: the best passage alone was used." in answer.notice
    assert (requests[1].get("max_tokens") or requests[1]["max_completion_tokens"]) == 1024


def test_an_answer_that_is_stopped_is_kept_and_its_request_ended(ask):
    left = threading.Event()
    with scripted(silent_after("Apples are red [1]. And "), left=left) as (url, _):
        cancel = CancelToken()
        events = ask.begin(url, cancel=cancel)
        said, event = "", next(events)
        while "red" not in said or not isinstance(event, Waiting):
            event = next(events)
            said += event.text if isinstance(event, Token) else ""
        cancel.cancel()
        (answer,) = events
        assert left.wait(30)
    assert answer.incomplete
    assert answer.text == "Apples are red [1]. And"
    assert answer.sentences[0].supported
    assert "Stopped" in answer.notice


def test_an_answer_that_waits_for_a_busy_server_says_so_and_is_written(ask):
    with scripted(in_turn(refusing(429, retry_after="0.05"), answering("Apples are red [1]."))) as (url, _):
        events = list(ask.begin(url, llm_retry_seconds=5.0))
    assert any(isinstance(one, Waiting) and one.seconds for one in events)
    assert events[-1].answerer == "openai:test"
