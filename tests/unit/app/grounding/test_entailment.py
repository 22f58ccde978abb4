"""The entailment model that a user may name: any cross-encoder, without its code."""

from __future__ import annotations

import json

import pytest
from llm_servers import answering, scripted
from tests_support import save_tiny_cross_encoder
from typer.testing import CliRunner

from app.cli.commands import cli
from app.grounding.entailment import EntailmentModel
from app.retrieval.reranking import CrossEncoderJudge
from ingest.errors import EmbedderError, RerankerError


@pytest.mark.parametrize("verdict", ["contradiction", "entailment", "neutral"])
def test_a_model_reads_by_the_names_of_its_labels(tmp_path, verdict):
    folder = save_tiny_cross_encoder(tmp_path / "nli", ["contradiction", "entailment", "neutral"], says=verdict)
    assert (folder / "model.safetensors").is_file()
    assert EntailmentModel(str(folder), "cpu").read("Apples are red.", "Apples have a colour.") == verdict


def test_a_model_with_one_score_entails_from_a_half_on(tmp_path):
    folder = save_tiny_cross_encoder(tmp_path / "one", ["LABEL_0"], says="LABEL_0")
    assert EntailmentModel(str(folder), "cpu").read("Apples are red.", "Apples are red.") == "entailment"


def test_an_error_about_a_missing_model_names_its_setting(tmp_path):
    with pytest.raises(EmbedderError, match="FOOTNOTE_ENTAILMENT_MODEL"):
        EntailmentModel(str(tmp_path / "none"), "cpu").read("a", "b")


@pytest.mark.parametrize(
    ("kind", "error", "said"),
    [
        (EntailmentModel, EmbedderError, "model' cannot be loaded: .*ENTAILMENT"),
        (CrossEncoderJudge, RerankerError, "model' cannot be loaded: .*RERANKER"),
    ],
)
def test_a_model_that_cannot_be_loaded_is_tried_once_and_then_reported_immediately(tmp_path, kind, error, said):
    folder = tmp_path / "model"
    folder.mkdir()
    model = kind(str(folder))
    with pytest.raises(error, match=said) as first:
        model.load()
    save_tiny_cross_encoder(folder, ["LABEL_0"], says="LABEL_0")
    for _ in range(2):
        with pytest.raises(error, match=said) as again:
            model.load()
        assert str(again.value) == str(first.value)
    kind(str(folder)).load()  # a new check finds it


def test_a_model_that_cannot_be_loaded_is_reported_before_the_language_model_is_called(
    footnote, write, tmp_path, with_settings
):
    footnote.ingest([write("a.txt", "Apples are red.")])
    with scripted(answering("Apples are red [1].")) as (url, requests):
        fields = {"llm": "openai:m", "llm_base_url": url, "entailment_model": str(tmp_path / "none")}
        asked = with_settings(footnote, **fields)
        for _ in range(2):
            with pytest.raises(EmbedderError, match="FOOTNOTE_ENTAILMENT_MODEL"):
                list(asked.ask("What colour are apples?"))
    assert requests == []


def test_the_doctor_tries_the_model(settings, tmp_path, monkeypatch):
    monkeypatch.setenv("FOOTNOTE_DATA_DIR", str(settings.data_dir))
    monkeypatch.setenv("FOOTNOTE_ENTAILMENT_MODEL", str(tmp_path / "none"))
    done = CliRunner().invoke(cli, ["doctor", "--json"])
    assert done.exit_code == 1
    (problem,) = json.loads(done.stdout)["problems"]
    assert problem["kind"] == "entailment"
    assert "FOOTNOTE_ENTAILMENT_MODEL" in problem["what"]
