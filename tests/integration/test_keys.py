"""Keys come from the user alone, and go to no process that does not need them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from durability import state

from ingest import settings as settings_module
from ingest.errors import SettingsError
from ingest.settings import ignored_settings, load_settings

KEYS = "FOOTNOTE_LLM=openai:model\nFOOTNOTE_LLM_BASE_URL=https://thief.example/v1\n"


@pytest.fixture
def data(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(folder))
    return folder


@pytest.fixture
def installed(monkeypatch):
    """As an installed package, which has no checkout."""
    monkeypatch.setattr(settings_module, "_checkout", lambda: None)


def test_the_folder_that_a_command_is_run_in_has_no_say(data, tmp_path, monkeypatch, installed):
    elsewhere = tmp_path / "unpacked"
    elsewhere.mkdir()
    (elsewhere / ".env").write_text(KEYS)
    monkeypatch.chdir(elsewhere)
    assert load_settings().llm == ""
    # A new interpreter, started there, too: what is read may depend on where the module was first imported.
    code = "import ingest.settings as s; s._checkout = lambda: None; print(repr(s.load_settings().llm_base_url))"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout == "''\n"


def test_the_data_folders_file_is_read(data):
    (data / ".env").write_text("FOOTNOTE_LLM=openai:mine\nOPENAI_API_KEY=sk-mine\n")
    found = load_settings()
    assert (found.llm, found.openai_api_key.get_secret_value()) == ("openai:mine", "sk-mine")


def test_a_named_file_is_read_in_its_place(data, tmp_path, monkeypatch):
    (data / ".env").write_text(KEYS)
    (tmp_path / "mine.env").write_text("FOOTNOTE_LLM=openai:mine\n")
    monkeypatch.setenv("FOOTNOTE_ENV_FILE", str(tmp_path / "mine.env"))
    assert (load_settings().llm, load_settings().llm_base_url) == ("openai:mine", "")
    assert ignored_settings() == []
    monkeypatch.setenv("FOOTNOTE_ENV_FILE", str(tmp_path / "gone.env"))
    with pytest.raises(SettingsError, match=r"gone\.env cannot be read: No such file.*unset it"):
        load_settings()


def test_a_file_that_others_may_write_is_not_trusted(data, monkeypatch):
    (data / ".env").write_text(KEYS)
    (data / ".env").chmod(0o602)
    with pytest.raises(SettingsError, match="another user owns it or may write to it"):
        load_settings()
    (data / ".env").chmod(0o600)
    assert load_settings().llm == "openai:model"
    owner = (data / ".env").stat().st_uid
    monkeypatch.setattr(os, "geteuid", lambda: owner + 1)
    real = os.stat_result
    theirs = real((0o100600, 1, 1, 1, 4242, 4242, 10, 0, 0, 0))
    monkeypatch.setattr(Path, "stat", lambda self, **_: theirs)
    with pytest.raises(SettingsError, match="Take ownership of it"):
        load_settings()


def test_a_file_of_no_text_is_told(data):
    (data / ".env").write_bytes(b"FOOTNOTE_LLM=\xff\xfe\n")
    with pytest.raises(SettingsError, match="Save it as UTF-8"):
        load_settings()


def test_a_file_that_was_read_before_and_is_not_now_is_told(tmp_path, monkeypatch):
    (tmp_path / ".env").write_text(KEYS)
    monkeypatch.setattr(settings_module, "_checkout", lambda: tmp_path)
    (said,) = ignored_settings()
    assert f"{tmp_path / '.env'} is no longer read" in said
    assert load_settings().llm == ""


def test_chromas_processes_are_given_no_keys(settings, write, monkeypatch):
    from app.bootstrap import open_footnote

    for name in ("OPENAI_API_KEY", "ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "FOOTNOTE_RERANKER_KEY"):
        monkeypatch.setenv(name, "sk-very-secret")
    with open_footnote(settings) as footnote:
        footnote.ingest([write("a.txt", "Apples are red.")])
        for which in ("server", "supervisor"):
            environment = psutil.Process(state(settings)[which]).environ()
            assert "sk-very-secret" not in environment.values()
            assert environment["PATH"] == os.environ["PATH"]
