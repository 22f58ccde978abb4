"""Tests when a command and a running chat would answer alike: by their settings, environment and code."""

from __future__ import annotations

import os

import pytest
from pydantic import SecretStr

from app.local_service.digest import NOT_OF_ANSWERS, identity
from ingest.settings import Settings


@pytest.fixture
def code(tmp_path):
    module = tmp_path / "code" / "app" / "text" / "terms.py"
    module.parent.mkdir(parents=True)
    module.write_text("TERMS = 1\n")
    return tmp_path / "code"


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("collection", "other"),
        ("embedding_model", "another-model"),
        ("embedding_device", "cuda"),
        ("entailment_model", "some/nli"),
        ("chroma_url", "http://127.0.0.1:9999"),
        ("llm", "openai:m"),
        ("llm_base_url", "http://127.0.0.1:1/v1"),
        ("openai_api_key", SecretStr("sk-another")),
        ("reranker", "some/reranker"),
        ("reranker_url", "http://127.0.0.1:2/v1"),
        ("reranker_key", SecretStr("another")),
        ("passages", 3),
        ("context_tokens", 900),
    ],
)
def test_a_setting_that_changes_answers_changes_the_identity(settings, code, name, value):
    assert identity(settings.model_copy(update={name: value}), {}, code) != identity(settings, {}, code)


def test_settings_of_the_page_and_of_reading_do_not_change_it(settings, code):
    others = {"port": 9000, "host": "localhost", "allowed_hosts": "a.example", "ocr": False, "workers": 3}
    others |= {"load_timeout": 1.0, "load_memory_mb": 512, "max_file_mb": 9}
    others |= {"allow_private_addresses": True, "allow_unconfined": True}
    assert others.keys() == NOT_OF_ANSWERS
    assert identity(settings.model_copy(update=others), {}, code) == identity(settings, {}, code)
    assert Settings.model_fields.keys() > NOT_OF_ANSWERS


def test_another_data_folder_changes_it(settings, code, tmp_path):
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "elsewhere"})
    assert identity(elsewhere, {}, code) != identity(settings, {}, code)


@pytest.mark.parametrize("name", ["https_proxy", "NO_PROXY", "CUDA_VISIBLE_DEVICES", "HF_HOME", "SSL_CERT_FILE", "TZ"])
@pytest.mark.parametrize("llm", ["", "openai:m"])
def test_a_variable_that_other_packages_read_changes_it(settings, code, llm, name):
    chosen = settings.model_copy(update={"llm": llm})
    assert identity(chosen, {name: "x"}, code) != identity(chosen, {}, code)


@pytest.mark.parametrize(
    "name", ["ANTHROPIC_API_KEY", "OPENAI_BASE_URL", "OLLAMA_HOST", "AWS_PROFILE", "GOOGLE_APPLICATION_CREDENTIALS"]
)
def test_a_variable_of_language_models_changes_it_if_there_is_one(settings, code, name):
    assert identity(settings, {name: "x"}, code) == identity(settings, {}, code)
    asking = settings.model_copy(update={"llm": "anthropic:m"})
    assert identity(asking, {name: "x"}, code) != identity(asking, {}, code)


@pytest.mark.parametrize(
    "name",
    ["PWD", "COLUMNS", "TERM", "SHLVL", "SSH_TTY", "VSCODE_GIT_IPC_AUTH_TOKEN", "FOOTNOTE_ENV_FILE", "OPENAI_API_KEY"],
)
@pytest.mark.parametrize("llm", ["", "openai:m"])
def test_other_variables_and_those_that_are_settings_do_not(settings, code, llm, name):
    chosen = settings.model_copy(update={"llm": llm})
    assert identity(chosen, {name: "x"}, code) == identity(chosen, {}, code)


@pytest.mark.parametrize("suffix", ["", ":int8"])
def test_a_models_folder_counts_by_its_full_path(settings, code, tmp_path, monkeypatch, suffix):
    for place in ("one", "two"):
        (tmp_path / place / "model").mkdir(parents=True)
    named = settings.model_copy(update={"embedding_model": f"model{suffix}"})
    monkeypatch.chdir(tmp_path / "one")
    first = identity(named, {}, code)
    full = settings.model_copy(update={"embedding_model": str(tmp_path / "one" / "model") + suffix})
    assert identity(full, {}, code) == first
    monkeypatch.chdir(tmp_path / "two")
    assert identity(named, {}, code) != first
    assert identity(full, {}, code) == first


def test_changed_code_changes_it(settings, code):
    before = identity(settings, {}, code)
    assert identity(settings, {}, code) == before
    module = code / "app" / "text" / "terms.py"
    module.write_text("TERMS = 2\n")
    os.utime(module, ns=(1, 1))
    changed = identity(settings, {}, code)
    assert changed != before
    (code / "app" / "new.py").write_text("")
    assert identity(settings, {}, code) != changed


def test_the_projects_own_code_is_looked_at(settings):
    assert identity(settings, {}) == identity(settings, {})
    assert identity(settings, {}) != identity(settings, {}, settings.data_dir)
