"""Which runtime a model gets."""

from __future__ import annotations

import dataclasses
import logging
import shutil
from functools import partial
from pathlib import Path

import pytest
from tests_support import save_static_model

from ingest.embedding.embedder import Embedder
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
    with pytest.raises(EmbedderError, match=r"ONNX Runtime cannot run .* StaticEmbedding.*Set FOOTNOTE_EMB"):
        opened(static, wanted="onnx")


def test_a_model_with_weights_of_eight_bits_is_another_one_made_of_the_same_files(opened, tiny, cache):
    texts = ["The notice period is four weeks.", "apples and bears"]
    exact, small = opened(tiny), opened(f"{tiny}:int8")
    similar = (exact.documents(texts) * small.documents(texts)).sum(axis=1)
    assert 0.9 < similar.min() < similar.max() < 1 - 1e-6
    assert len(list(cache.glob("*.onnx"))) == 2  # each is kept beside the other
    assert (opened(f"{tiny}:int8", in_torch=None).documents(texts[:1]) == small.documents(texts[:1])).all()
    assert Embedder(tiny).identity.fingerprint != Embedder(f"{tiny}:int8").identity.fingerprint


def test_where_onnx_runtime_cannot_run_it_there_are_no_weights_of_eight_bits(opened, tiny, tmp_path):
    with pytest.raises(EmbedderError, match=r"Only ONNX Runtime runs .*tiny:int8.*Set FOOTNOTE_EMBEDDING_RUNTIME"):
        opened(f"{tiny}:int8", wanted="torch")
    static = str(save_static_model(tmp_path / "static"))
    with pytest.raises(EmbedderError, match=r"because its modules are StaticEmbedding. Name it without :int8: "):
        opened(f"{static}:int8")
    with pytest.raises(EmbedderError, match=r"because it is not on this machine. Name it without :int8: someone/other"):
        opened("someone/other:int8", fetch=False)


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
