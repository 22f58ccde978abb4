"""Tests servers that send endlessly, slowly, or redirect: each is abandoned within bounded memory."""

from __future__ import annotations

import gzip
import threading
import tracemalloc

import pytest
from langchain_core.messages import AIMessageChunk
from llm_servers import answering, dripping_headers, endless, raw, scripted
from rerank_servers import saying

from app.bounded_http import TooMuch, ask
from app.llm.address import httpx
from app.llm.client import ChatLLM
from app.llm.limits import Patience
from app.models import Prompt, Retracted, Waiting
from app.retrieval.rerank_server import RerankServer
from ingest.errors import LLMError, LLMInterrupted, RerankerFailed

PROMPT = Prompt("Be brief.", "Why?")
MIB = 1024 * 1024


@pytest.mark.parametrize(
    ("script", "error", "said"),
    [
        (endless("Hm. ", first=("<think>",)), LLMError, "no text of an answer"),
        (endless(""), LLMError, "no text of an answer"),
        (endless("\n", first=("Half",)), LLMInterrupted, "no further text"),
        (endless("word "), LLMInterrupted, "was not complete"),
    ],
)
def test_an_endless_stream_is_abandoned(llm, script, error, said):
    left = threading.Event()
    with scripted(script, left=left) as (url, _):
        with pytest.raises(error, match=said):
            list(llm(url, Patience(thinking=2, whole=3), llm_timeout=1.5).stream(PROMPT))
        assert left.wait(30)


@pytest.mark.parametrize(("size", "error"), [(200_000, LLMInterrupted), (2_000, None)])
def test_an_answer_is_as_long_as_answers_are(llm, size, error):
    with scripted(answering(*["x" * 1000 for _ in range(size // 1000)])) as (url, _):
        if error:
            with pytest.raises(error, match="more than 100,000 characters"):
                llm(url).complete(PROMPT)
        else:
            assert len(llm(url).complete(PROMPT)) == size


def test_an_endless_line_is_not_kept_in_memory(llm):
    left = threading.Event()
    with scripted(raw(*[b"x" * MIB] * 64), left=left) as (url, _):
        model = llm(url)
        with pytest.raises(LLMError):
            model.complete(Prompt("", "loads the libraries"))
        tracemalloc.start()
        with pytest.raises(LLMError, match="answer that is too large"):
            model.complete(PROMPT)
        _, most = tracemalloc.get_traced_memory()
        tracemalloc.stop()
        assert left.wait(30)
    assert most < 16 * MIB


def test_an_unrequested_compressed_response_is_refused(llm):
    packed = gzip.compress(b"data: [DONE]\n\n")
    with (
        scripted(raw(packed, content_encoding="gzip")) as (url, _),
        pytest.raises(LLMError, match="compressed response"),
    ):
        llm(url).complete(PROMPT)


def test_no_redirect_takes_the_passages_to_another_server(llm):
    with scripted(answering("Mine now.")) as (elsewhere, got):

        def moved(handler):
            handler.reply(307, {}, location=f"{elsewhere}/chat/completions")

        with scripted(moved) as (url, asked), pytest.raises(LLMError, match="which is not followed"):
            llm(url).complete(PROMPT)
    assert len(asked) == 1
    assert got == []


def test_a_reranker_with_endless_headers_or_redirects_is_abandoned(settings, dead_proxy):
    left = threading.Event()
    with scripted(dripping_headers, left=left) as (url, _):
        server = RerankServer(settings.model_copy(update={"reranker_url": url, "reranker_timeout": 0.5}))
        with pytest.raises(RerankerFailed, match=r"did not answer within 0\.5 seconds"):
            server.scores("Why?", ["Because."])
        assert left.wait(30)
    with scripted(saying({"results": [{"index": 0, "relevance_score": 1.0}]})) as (elsewhere, got):

        def moved(handler):
            handler.reply(307, {}, location=f"{elsewhere}/rerank")

        with scripted(moved) as (url, _):
            server = RerankServer(settings.model_copy(update={"reranker_url": url}))
            with pytest.raises(RerankerFailed, match="status 307"):
                server.scores("Why?", ["Because."])
    assert got == []


@pytest.mark.parametrize("script", [dripping_headers, endless("x")])
def test_a_short_answer_is_whole_in_time_or_none(dead_proxy, script):
    left = threading.Event()
    with scripted(script, left=left) as (url, _):
        with pytest.raises(httpx.TimeoutException):
            ask(url, seconds=0.3, most_bytes=MIB, json={})
        assert left.wait(30)


@pytest.mark.parametrize("script", [raw(b"x" * 2000), raw(gzip.compress(b"x" * 10), content_encoding="gzip")])
def test_a_short_answer_has_a_size_and_comes_as_it_is(dead_proxy, script):
    with scripted(script) as (url, _), pytest.raises(TooMuch):
        ask(url, seconds=20, most_bytes=1000, json={})


def test_a_model_that_begins_with_reasoning_shows_it_at_most_once(llm):
    pieces = ("Okay, the user", " wants it.\n</thi", "nk>\n\nIt is so.")
    with scripted(answering(*pieces)) as (url, _):
        model = llm(url)
        first = [one for one in model.stream(PROMPT) if isinstance(one, str | Retracted)]
        again = [one for one in model.stream(PROMPT) if isinstance(one, str | Retracted)]
        assert model.complete(PROMPT) == "It is so."
    assert Retracted() in first
    assert "".join(first[first.index(Retracted()) + 1 :]) == "".join(again) == "It is so."


class Overloaded(Exception):
    status_code = 503


class BusyInAThought:
    """A chat model that is overloaded in the middle of its second answer's reasoning."""

    answers = 0

    async def astream(self, _messages):
        self.answers += 1
        yield AIMessageChunk(content="Okay, the user wants it. ")
        if self.answers == 2:
            raise Overloaded
        yield AIMessageChunk(content="\n</think>\n\nIt is so.")


def test_a_model_that_is_busy_during_its_reasoning_is_retried_and_shows_none_of_it(settings):
    patient = settings.model_copy(update={"llm": "busy:test", "llm_retry_seconds": 5.0})
    model = ChatLLM("busy:test", BusyInAThought(), patient, sleep=lambda _seconds: None)
    assert model.complete(PROMPT) == "It is so."
    events = list(model.stream(PROMPT))
    assert any(isinstance(one, Waiting) and one.seconds for one in events)
    assert [one for one in events if isinstance(one, str | Retracted)] == ["It is so."]
