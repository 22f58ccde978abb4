"""Tests the size of a model's context: from the settings, its server or LangChain."""

from __future__ import annotations

import pytest
from llm_servers import answering, refusing, scripted
from pydantic import SecretStr

from app.llm.address import Server
from app.llm.client import build_llm
from app.llm.context_window import ASK_AGAIN_SECONDS, ContextWindow
from app.llm.limits import Patience
from app.models import Prompt
from ingest.errors import LLMContextTooLong

PROMPT = Prompt("Be brief.", "Why?")
MODELS = ({"id": "test-model", "max_model_len": 4096},)


def test_a_senseless_number_is_ignored(llm):
    with (
        scripted(refusing(400, f"maximum context length is {'9' * 5_000}")) as (url, _),
        pytest.raises(LLMContextTooLong),
    ):
        llm(url).complete(PROMPT)


@pytest.mark.parametrize(
    ("models", "settings_say", "context"),
    [
        (({"id": "test-model", "max_model_len": 4096},), None, 4096),
        (({"id": "test-model", "max_model_len": 4096},), 2048, 2048),
        (({"id": "another", "max_model_len": 4096},), None, 8192),
        (({"id": "test-model", "max_model_len": None},), None, 8192),
        (({"name": "no id"},), None, 8192),
        ((), None, 8192),
    ],
)
def test_the_context_is_the_settings_or_the_servers(llm, models, settings_say, context):
    with scripted(answering("Fine."), models=models) as (url, requests):
        model = llm(url, llm_context_tokens=settings_say)
        assert model.context_tokens == context
        model.complete(PROMPT)
    assert (requests[0].get("max_tokens") or requests[0]["max_completion_tokens"]) == context // 2


@pytest.mark.parametrize(("prompt_bytes", "written"), [(300, 2048), (9_000, 1096), (50_000, 256)])
def test_the_requested_answer_fits_into_the_context_beside_the_prompt(llm, prompt_bytes, written):
    with scripted(answering("Fine.")) as (url, requests):
        llm(url, llm_context_tokens=4096).complete(Prompt("", "y" * prompt_bytes))
    assert (requests[0].get("max_tokens") or requests[0]["max_completion_tokens"]) == written


def test_langchain_knows_the_context_of_the_large_providers_models(settings):
    fields = {"llm": "openai:gpt-4o", "openai_api_key": SecretStr("sk-some")}
    assert build_llm(settings.model_copy(update=fields)).context_tokens == 128_000


def test_a_server_that_could_not_be_asked_is_asked_again_a_minute_later(llm):
    seconds = [1_000.0]
    with scripted(answering("Fine.")) as (url, _):
        model = llm(url)
    window = ContextWindow(model._settings, model._model, Server(model._settings), clock=lambda: seconds[0])
    assert window.tokens() == 8192
    port = int(url.partition("127.0.0.1:")[2].partition("/")[0])
    with scripted(answering("Fine."), models=MODELS, port=port):
        assert window.tokens() == 8192, "not asked again at once"
        seconds[0] += ASK_AGAIN_SECONDS
        assert window.tokens() == 4096
    seconds[0] += ASK_AGAIN_SECONDS
    assert window.tokens() == 4096, "what was told is kept"


def test_a_server_that_hangs_is_waited_for_once_a_minute(llm):
    looked_up: list[str] = []
    with scripted(answering("Fine."), models=MODELS, slow=True, looked_up=looked_up) as (url, _):
        model = llm(url, Patience(asking=0.3))
        assert model.context_tokens == 8192
        once = len(looked_up)
        assert once
        assert [model.context_tokens for _ in range(5)] == [8192] * 5
        assert len(looked_up) == once


def test_a_context_size_in_a_servers_refusal_is_used_before_and_after_a_query(llm):
    with scripted(answering("Fine."), models=MODELS) as (url, _):
        model = llm(url)
        model.learn_context(2048)
        assert model.context_tokens == 2048
        model.learn_context(6000)
        assert model.context_tokens == 2048
