"""Tests a language model over HTTP: streamed answers, and a clear error for every fault."""

from __future__ import annotations

import http.client
import time
from email.utils import format_datetime

import httpx
import langchain.chat_models
import pytest
from faults import failing
from llm_servers import (
    answering,
    closing,
    cut_after,
    hanging_after,
    in_turn,
    kept_open,
    refusing,
    scripted,
    silent,
)
from pydantic import SecretStr

from app.llm.client import ChatLLM, build_llm
from app.llm.errors import dropped, in_words
from app.llm.limits import Patience
from app.llm.usage import Spending
from app.models import Prompt
from ingest.errors import (
    LLMBusy,
    LLMContextTooLong,
    LLMError,
    LLMInterrupted,
    LLMNoCredit,
    LLMNotConfigured,
    LLMNotFound,
    LLMRateLimited,
    LLMRefusedKey,
    LLMUnreachable,
)
from ingest.settings import Settings

PROMPT = Prompt("Be brief.", "Why?")
KEY = "sk-very-secret"


def words(llm: ChatLLM, spending: Spending | None = None) -> list[str]:
    return [piece for piece in llm.stream(PROMPT, spending) if isinstance(piece, str)]


def test_an_answer_is_streamed_piece_by_piece(llm):
    with scripted(answering("One ", "two ", "three.")) as (url, requests):
        assert words(llm(url)) == ["One ", "two ", "three."]
    (request,) = requests
    assert request["stream"] is True
    assert request["model"] == "test-model"
    assert [(m["role"], m["content"]) for m in request["messages"]] == [("system", "Be brief."), ("user", "Why?")]
    assert 0 < (request.get("max_tokens") or request.get("max_completion_tokens")) <= 4096


def test_reasoning_is_left_out(llm):
    with scripted(answering("<th", "ink>Let me see. ", "[9]</think>", "\n\nIt is so.")) as (url, _):
        assert llm(url).complete(PROMPT) == "It is so."


@pytest.mark.parametrize(
    ("script", "error", "said"),
    [
        (refusing(401), LLMRefusedKey, "Check OPENAI_API_KEY"),
        (refusing(403), LLMRefusedKey, "did not accept the key"),
        (refusing(404), LLMNotFound, "no OpenAI-compatible chat API at that address. Check FOOTNOTE_LLM_BASE_URL"),
        (refusing(404, "The model `x` does not exist."), LLMNotFound, r"has no such model\. Check FOOTNOTE_LLM\."),
        (refusing(405), LLMNotFound, "Check FOOTNOTE_LLM_BASE_URL"),
        (refusing(302, location="http://127.0.0.1:9/v1"), LLMError, "another address, which is not followed"),
        (refusing(429, retry_after="0.01"), LLMRateLimited, "too many requests"),
        (refusing(429, code="insufficient_quota"), LLMNoCredit, "no credit left"),
        (refusing(402), LLMNoCredit, "no credit left"),
        (refusing(500, retry_after="0.01"), LLMBusy, "HTTP 500"),
        (refusing(503), LLMBusy, "cannot answer just now"),
        (refusing(400), LLMError, "HTTP 400"),
        (refusing(400, f"Incorrect API key {KEY}"), LLMError, "HTTP 400"),
        (refusing(400, "too long", "context_length_exceeded"), LLMContextTooLong, "FOOTNOTE_LLM_CONTEXT_TOKENS"),
        (answering(""), LLMError, "empty answer"),
        (answering("<think>only thoughts"), LLMError, "empty answer"),
        (answering("<think>Thoughts", finish="length"), LLMError, "reasoning is too long"),
        (answering("Half an", finish="length"), LLMInterrupted, "length limit"),
        (answering("Half an", finish=None), LLMInterrupted, "cut off before it was complete"),
        (cut_after("Half ", "an"), LLMInterrupted, "was cut off"),
    ],
)
def test_each_fault_of_a_server_gets_its_own_error(llm, script, error, said):
    with scripted(script) as (url, _), pytest.raises(error, match=said) as caught:
        list(llm(url).stream(PROMPT))
    assert KEY not in str(caught.value)
    if isinstance(caught.value, LLMInterrupted):
        assert caught.value.partial.startswith("Half")
    if isinstance(caught.value, LLMRateLimited):
        assert caught.value.retry_after == pytest.approx(0.01)


@pytest.mark.slow
@pytest.mark.parametrize(("script", "error"), [(silent, LLMUnreachable), (hanging_after("Half an"), LLMInterrupted)])
def test_a_hanging_server_is_abandoned(llm, script, error):
    with scripted(script) as (url, _), pytest.raises(error, match=r"within 2 seconds|was cut off"):
        list(llm(url, llm_timeout=2.0).stream(PROMPT))


def test_a_server_that_has_closed_the_kept_connection_is_asked_once_more(llm):
    ports = []

    def noting(script):
        return lambda handler: (ports.append(handler.client_address[1]), script(handler))

    with scripted(in_turn(*map(noting, (kept_open, closing, answering("Fine too."))))) as (url, _):
        model = llm(url)
        assert "".join(words(model)) == "Fine."
        assert "".join(words(model)) == "Fine too."
    first, second, third = ports
    assert first == second != third


def test_a_server_that_drops_a_first_question_is_asked_once(llm):
    with scripted(closing) as (url, requests), pytest.raises(LLMUnreachable, match="cannot be reached"):
        llm(url).complete(PROMPT)
    assert len(requests) == 1


@pytest.mark.parametrize("script", [cut_after("Half"), lambda handler: (time.sleep(0.3), closing(handler))])
def test_a_server_that_began_to_work_is_not_asked_again(llm, script):
    with scripted(in_turn(kept_open, script)) as (url, requests):
        model = llm(url, Patience(stale=0.2))
        words(model)
        with pytest.raises(LLMError):
            words(model)
    assert len(requests) == 2


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (httpx.ReadError(""), "cannot be reached"),
        (httpx.LocalProtocolError(""), "cannot be reached"),
        (http.client.RemoteDisconnected(), "cannot be reached"),
        (BrokenPipeError(), "cannot be reached"),
        (ValueError(), "no usable answer"),
    ],
)
def test_lost_connections_of_all_libraries_are_reported_as_such(error, said):
    assert said in str(in_words(error, "model", "", 60, "KEY"))
    assert dropped(error) is (said == "cannot be reached" and "Local" not in type(error).__name__)


def test_a_server_that_does_not_answer_is_named(llm):
    with pytest.raises(LLMUnreachable, match=r"http://127\.0\.0\.1:9/v1 cannot be reached"):
        list(llm("http://127.0.0.1:9/v1").stream(PROMPT))


def test_a_password_in_the_address_is_not_shown(llm):
    with pytest.raises(LLMUnreachable, match=r"at http://\*\*\*@127\.0\.0\.1:9/v1 cannot be reached") as error:
        llm("http://me:p%40ss@127.0.0.1:9/v1").complete(PROMPT)
    assert "p%40ss" not in str(error.value)


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("gpt-5-mini", "Write provider:model, for example openai:gpt-5-mini"),
        ("nobody:model", "cannot be used"),
        ("openai:", "lacks its provider"),
        ("anthropic:some-model", r"needs the package langchain-anthropic, .* -m pip install langchain-anthropic$"),
        ("ollama:qwen3:8b", r"needs the package langchain-ollama, .* -m pip install langchain-ollama$"),
        ("google_genai:some", r"needs the package langchain-google-genai"),
        ("openai:gpt-5-mini", "needs a key. Set OPENAI_API_KEY"),
        ("azure_openai:gpt-5-mini", r"cannot be used: .*AZURE_OPENAI_API_KEY"),
    ],
)
def test_a_model_that_cannot_be_used_says_what_to_do(settings: Settings, name, said):
    with pytest.raises(LLMNotConfigured, match=said):
        build_llm(settings.model_copy(update={"llm": name}))


def test_missing_azure_settings_are_named(settings: Settings, monkeypatch):
    monkeypatch.setenv("AZURE_OPENAI_API_KEY", KEY)
    azure = settings.model_copy(update={"llm": "azure_openai:gpt-5-mini"})
    with pytest.raises(LLMNotConfigured, match="OPENAI_API_VERSION"):
        build_llm(azure)
    monkeypatch.setenv("OPENAI_API_VERSION", "2025-04-01")
    with pytest.raises(LLMNotConfigured, match="AZURE_OPENAI_ENDPOINT"):
        build_llm(azure)
    monkeypatch.setenv("AZURE_OPENAI_ENDPOINT", "http://127.0.0.1:9")
    with pytest.raises(LLMUnreachable):
        build_llm(azure).complete(PROMPT)


def test_a_librarys_message_about_its_settings_shows_no_key(settings, monkeypatch):
    def refused(*_, **more):
        return ValueError(f"bad\nkey {more['api_key']} and token tk-very-secret at http://me:pass@host/")

    monkeypatch.setenv("SOME_TOKEN", "tk-very-secret")
    fields = {"llm": "openai:m", "openai_api_key": SecretStr(KEY)}
    said = r"bad key \*\*\* and token \*\*\* at http://\*\*\*@host/"
    with (
        failing(langchain.chat_models, "init_chat_model", refused),
        pytest.raises(LLMNotConfigured, match=said) as error,
    ):
        build_llm(settings.model_copy(update=fields))
    assert not any(secret in str(error.value) for secret in (KEY, "tk-very-secret", "pass@"))


def test_no_model_is_no_model(settings):
    assert build_llm(settings) is None


@pytest.mark.parametrize(
    ("said", "context"),
    [
        ("This model's maximum context length is 4096 tokens. However, you requested 6000 tokens", 4096),
        ("the request exceeds the available context size (2,048 tokens), try increasing it", 2048),
        ('{"type":"exceed_context_size_error","n_prompt_tokens":9,"n_ctx":4096}', 4096),
        ("prompt is too long: 210000 tokens > 200000 maximum", 200_000),
        ("context_length_exceeded", None),
        ("Please reduce the length of the messages.", None),
    ],
)
def test_servers_say_in_many_ways_how_much_they_read(said, context):
    class Refused(Exception):
        status_code = 400

    error = in_words(Refused(said), "x:y", "", 60, "KEY")
    assert isinstance(error, LLMContextTooLong)
    assert error.context_tokens == context


def after(seconds: float) -> str:
    from datetime import UTC, datetime, timedelta

    return format_datetime(datetime.now(UTC) + timedelta(seconds=seconds), usegmt=True)


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry_after": "7"}, 7, 7),
        ({"retry_after_ms": "250", "retry_after": "1"}, 0.25, 0.25),
        ({"retry_after": after(3600)}, 3000, 3600),
        ({"retry_after": after(-60)}, 0, 0),
        ({"retry_after": "soon"}, None, None),
        ({"retry_after": "nan"}, None, None),
        ({}, None, None),
    ],
)
def test_how_long_to_wait_is_read_in_every_form(llm, headers, least, most):
    with scripted(refusing(429, **headers)) as (url, _), pytest.raises(LLMRateLimited) as caught:
        words(llm(url))
    waits = caught.value.retry_after
    assert waits is None if least is None else least <= waits <= most
