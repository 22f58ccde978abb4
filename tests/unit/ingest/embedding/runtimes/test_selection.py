"""Which runtime a model gets."""

from __future__ import annotations

import dataclasses
import logging
import shutil
from functools import partial
from pathlib import Path

import pytest
from tests_support import save_static_model

from ingest.embedding.runtimes import open_runtime, selection
from ingest.embedding.runtimes.bert_graph import BERT_EXPORTER, export
from ingest.errors import EmbedderError

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def devices(tmp_path) -> Path:
    return tmp_path / "dev"


@pytest.fixture
def opened(devices):
    """Opens models on a machine with the devices of the folder `devices`."""
    return partial(open_runtime, devices=devices)


def test_a_bert_encoder_on_a_cpu_is_run_by_onnx_runtime_and_others_by_torch(opened, tiny, tmp_path, caplog):
    caplog.set_level(logging.INFO, selection.__name__)
    assert opened(tiny).name == opened(tiny, "cpu").name == "onnx"
    assert opened(tiny, wanted="torch").name == "torch"
    assert caplog.messages == []
    static = str(save_static_model(tmp_path / "static"))
    assert opened(static).name == opened(static).name == "torch"
    assert caplog.messages == [
        f"The embedding model {static} is run by torch, because its modules are StaticEmbedding."
    ]
    with pytest.raises(EmbedderError, match=r"FOOTNOTE_EMBEDDING_RUNTIME=onnx cannot run .* StaticEmbedding"):
        opened(static, wanted="onnx")


def test_without_the_package_onnx_torch_runs_the_model(opened, tiny):
    found = {"onnx": None}
    exporter = dataclasses.replace(BERT_EXPORTER, make=partial(export, find=found.__getitem__))
    assert opened(tiny, exporter=exporter).name == "torch"
    with pytest.raises(EmbedderError, match="because the package onnx is not installed"):
        opened(tiny, wanted="onnx", exporter=exporter)


def test_a_machine_with_an_accelerator_uses_it_unless_told_otherwise(opened, tiny, devices):
    devices.mkdir()
    (devices / "nvidia0").touch()
    assert opened(tiny).name == "torch"
    assert opened(tiny, "cpu").name == opened(tiny, wanted="onnx").name == "onnx"
    with pytest.raises(EmbedderError, match="FOOTNOTE_EMBEDDING_DEVICE is cuda"):
        opened(tiny, "cuda", wanted="onnx")


def test_a_downloaded_model_is_found_by_its_name(opened, tiny, tmp_path, monkeypatch):
    repository = tmp_path / "hub" / "models--sentence-transformers--tiny-one"
    shutil.copytree(tiny, repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(tmp_path / "hub"))
    for name in ("tiny-one", "sentence-transformers/tiny-one"):
        assert opened(name, fetch=False).name == "onnx"
    with pytest.raises(EmbedderError, match="because it is not on this machine"):
        opened("someone/other", wanted="onnx")
