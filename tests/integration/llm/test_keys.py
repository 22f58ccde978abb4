"""Tests that keys come only from the user, and that only processes that need them get them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil
import pytest
from durability import state

from ingest.errors import SettingsError
from ingest.settings import ignored_settings, load_settings

ROOT = Path(__file__).resolve().parents[3]
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")
KEYS = "FOOTNOTE_LLM=openai:model\nFOOTNOTE_LLM_BASE_URL=https://thief.example/v1\n"


@pytest.fixture
def data(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(folder))
    return folder


def said_by(folder: Path, expression: str, cwd: Path) -> object:
    """Evaluates an expression over `ingest.settings` in a new process, with a copy of the package in a folder."""
    shutil.copytree(ROOT / "ingest", folder / "ingest", ignore=shutil.ignore_patterns("sample", "__pycache__"))
    code = f"import json; from ingest.settings import *; print(json.dumps({expression}))"
    environment = {**os.environ, "PYTHONPATH": str(folder)}
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True, cwd=cwd)
    return json.loads(done.stdout)


def test_the_working_folder_has_no_influence(data, tmp_path, monkeypatch):
    elsewhere = tmp_path / "unpacked"
    elsewhere.mkdir()
    (elsewhere / ".env").write_text(KEYS)
    monkeypatch.chdir(elsewhere)
    assert load_settings().llm == ""
    # An installed package without a checkout, in a new interpreter started there: the files read may depend on where
    # the module was first imported.
    found = said_by(tmp_path / "installed", "[load_settings().llm, load_settings().llm_base_url]", cwd=elsewhere)
    assert found == ["", ""]


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


def test_a_file_that_others_may_write_is_not_trusted(data):
    (data / ".env").write_text(KEYS)
    (data / ".env").chmod(0o602)
    with pytest.raises(SettingsError, match="another user owns it or may write to it"):
        load_settings()
    (data / ".env").chmod(0o600)
    assert load_settings().llm == "openai:model"


@needs_root
def test_a_file_of_another_user_is_not_trusted(data):
    (data / ".env").write_text(KEYS)
    (data / ".env").chmod(0o600)
    os.chown(data / ".env", 4242, 4242)
    with pytest.raises(SettingsError, match="Take ownership of it"):
        load_settings()


def test_a_settings_file_that_is_not_text_is_reported(data):
    (data / ".env").write_bytes(b"FOOTNOTE_LLM=\xff\xfe\n")
    with pytest.raises(SettingsError, match="Save it as UTF-8"):
        load_settings()


def test_a_settings_file_that_only_older_versions_read_is_reported(tmp_path):
    (tmp_path / ".env").write_text(KEYS)
    (tmp_path / "pyproject.toml").touch()  # marks a checkout, as opposed to an installed package
    (said,), llm = said_by(tmp_path, "[ignored_settings(), load_settings().llm]", cwd=tmp_path)
    assert f"{tmp_path / '.env'} is no longer read" in said
    assert llm == ""


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
