"""Tests the connection to the configured server: forms of addresses, missing models, and reports of problems."""

from __future__ import annotations

import json
import re

import pytest
from llm_servers import answering, refusing, scripted, silent
from pydantic import SecretStr
from typer.testing import CliRunner

from app.cli.commands import cli
from app.llm.address import bases
from app.llm.connection import KEPT_SECONDS, Connection, tried
from app.models import Prompt
from ingest.errors import LLMNotFound, LLMRefusedKey, SettingsError
from ingest.settings import load_settings

PROMPT = Prompt("Be brief.", "Why?")
MODELS = ({"id": "test-model", "owned_by": "library"}, {"id": "other", "owned_by": "library"})


@pytest.fixture
def using(settings, dead_proxy):
    def made(url: str, model: str = "test-model"):
        fields = {"llm": f"openai:{model}", "llm_base_url": url, "llm_timeout": 20, "llm_retry_seconds": 0.0}
        return settings.model_copy(update=fields)

    return made


@pytest.mark.parametrize(
    ("setting", "found"),
    [
        ("http://a:1", ["http://a:1", "http://a:1/v1"]),
        ("http://a:1/", ["http://a:1", "http://a:1/v1"]),
        ("http://a:1/v1/", ["http://a:1/v1"]),
        ("http://a:1/v1/chat/completions", ["http://a:1/v1"]),
        ("https://a/proxy/llm", ["https://a/proxy/llm", "https://a/proxy/llm/v1", "https://a/v1"]),
        ("https://a/v1beta/openai/", ["https://a/v1beta/openai", "https://a/v1"]),
        ("https://a/openai/v1/?api-version=x", ["https://a/openai/v1?api-version=x", "https://a/v1?api-version=x"]),
        (
            "https://a/deployments/m%2Fn/chat/completions?api-version=x#top",
            [f"https://a/{path}?api-version=x" for path in ("deployments/m%2Fn", "deployments/m%2Fn/v1", "v1")],
        ),
    ],
)
def test_an_address_may_mean_several(setting, found):
    assert list(bases(setting)) == found


@pytest.mark.slow
@pytest.mark.parametrize(
    ("root", "written"),
    [
        *(("/v1", written) for written in ("", "/", "/v1", "/v1/", "/v1/chat/completions", "/api", "/llm/")),
        *(("/llm/v1", written) for written in ("/llm", "/llm/", "/llm/v1", "/llm/v1/models")),
        ("/llm", "/llm/"),
    ],
)
def test_a_server_is_found_at_the_address_as_people_write_it(using, llm, root, written):
    with scripted(answering("Fine."), models=MODELS, root=root) as (url, requests):
        settings = using(url.removesuffix("/v1") + written)
        assert Connection(settings).problem() == ""
        model = llm(settings.llm_base_url)
        assert [model.complete(PROMPT), model.complete(PROMPT)] == ["Fine.", "Fine."]
        assert len(requests) == 2


@pytest.mark.parametrize(
    ("root", "written"),
    [("/llm", "/llm/chat/completions?version=1"), ("/llm", "/llm/?version=1"), ("/v1", "?version=1#top")],
)
def test_the_query_of_an_address_goes_with_every_request(using, llm, root, written):
    looked_up = []
    with scripted(answering("Fine."), models=MODELS, root=root, looked_up=looked_up) as (url, requests):
        settings = using(url.removesuffix("/v1") + written)
        assert Connection(settings).problem() == ""
        assert llm(settings.llm_base_url).complete(PROMPT) == "Fine."
    assert looked_up[-1] == f"{root}/models?version=1"
    assert [one["url_query"] for one in requests] == ["version=1"]


@pytest.mark.parametrize("name", ["LLM_BASE_URL", "RERANKER_URL"])
@pytest.mark.parametrize(
    "value", ["h:11434/v1", "localhost", "http://[::1", "http://h:x/v1", "https://?a", "http:///v1"]
)
def test_an_invalid_address_is_refused_with_an_example(monkeypatch, name, value):
    monkeypatch.setenv(f"FOOTNOTE_{name}", value)
    with pytest.raises(SettingsError, match=re.escape(f"FOOTNOTE_{name}='{value}' cannot be used: Write http://")):
        load_settings()


@pytest.mark.parametrize("written", ["", "/v1"])
def test_a_server_that_has_its_api_elsewhere_says_so(using, llm, written):
    with scripted(answering("Fine."), models=MODELS, root="/llm/v1") as (url, requests):
        settings = using(url.removesuffix("/v1") + written)
        said = Connection(settings).problem()
        assert "responds, but has no OpenAI-compatible chat API at that address." in said
        assert ("usually ends in /v1" in said) is (written == "")
        with pytest.raises(LLMNotFound, match=re.escape(said)):
            llm(settings.llm_base_url).complete(PROMPT)
    assert requests == []


def test_a_missing_model_and_a_wrong_address_get_different_messages(using, llm):
    with scripted(refusing(404, "model 'qwen9' not found"), models=MODELS) as (url, _):
        settings = using(url, "qwen9")
        with pytest.raises(LLMNotFound, match=r"has no such model\. It has test-model, other\. Check FOOTNOTE_LLM"):
            llm(url, llm="openai:qwen9").complete(PROMPT)
        assert "has no such model. It has test-model, other. Check FOOTNOTE_LLM." in Connection(settings).problem()
    with (
        scripted(refusing(404, "not found"), models=MODELS) as (url, _),
        pytest.raises(LLMNotFound, match="It has test-model, other"),
    ):
        llm(url, llm="openai:qwen9").complete(PROMPT)


@pytest.mark.parametrize(
    ("script", "models", "model", "said"),
    [
        (answering("Fine."), ({"id": "/models/a.gguf", "owned_by": "llamacpp"},), "any", ""),
        (answering("Fine."), ({"id": "qwen:latest"},), "qwen", ""),
        (refusing(400), (), "a server that lists nothing", ""),
        (refusing(404), (), "nothing there", "no OpenAI-compatible chat API"),
    ],
)
def test_a_servers_model_list_is_validated(using, script, models, model, said):
    with scripted(script, models=models) as (url, _):
        problem = Connection(using(url, model)).problem()
    assert (said in problem) if said else not problem


def test_a_server_is_asked_now_and_then(using):
    seconds, looked_up = [1000.0], []
    with scripted(silent, models=MODELS, looked_up=looked_up) as (url, _):
        connection = Connection(using(url), clock=lambda: seconds[0])
        assert [connection.problem() for _ in range(3)] == [""] * 3
    assert len(looked_up) == 1
    assert connection.problem() == ""
    seconds[0] += KEPT_SECONDS
    assert "cannot be reached. Check that it is running" in connection.problem()


def test_a_slow_server_does_not_slow_the_page(using):
    with scripted(silent, models=MODELS, slow=True) as (url, _):
        assert Connection(using(url), seconds=0.2).problem() == ""


def test_another_provider_is_not_asked_by_the_page(settings):
    assert Connection(settings.model_copy(update={"llm": "ollama:qwen"})).problem() == ""


@pytest.mark.slow
@pytest.mark.parametrize(
    ("script", "error"), [(answering("Ready."), None), (refusing(429), None), (refusing(401), LLMRefusedKey)]
)
def test_a_model_is_tried_with_a_word(using, script, error):
    with scripted(script) as (url, _):
        found = tried(using(url).model_copy(update={"openai_api_key": SecretStr("sk-some")}))
    assert found is None if error is None else isinstance(found, error)


@pytest.mark.slow
def test_the_doctor_reports_problems_with_the_model(settings, monkeypatch, dead_proxy):
    monkeypatch.setenv("FOOTNOTE_LLM", "openai:test-model")
    monkeypatch.setenv("FOOTNOTE_LLM_BASE_URL", "http://127.0.0.1:9")
    result = CliRunner().invoke(cli, ["doctor", "--json"], env={"FOOTNOTE_DATA_DIR": str(settings.data_dir)})
    (problem,) = [one for one in json.loads(result.stdout)["problems"] if one["kind"] == "llm"]
    assert result.exit_code == 1
    assert "http://127.0.0.1:9 cannot be reached" in problem["what"]
    with scripted(answering("Ready."), models=MODELS) as (url, requests):
        monkeypatch.setenv("FOOTNOTE_LLM_BASE_URL", url.removesuffix("/v1"))
        result = CliRunner().invoke(cli, ["doctor", "--json"], env={"FOOTNOTE_DATA_DIR": str(settings.data_dir)})
    assert (result.exit_code, len(requests)) == (0, 1), result.stdout
