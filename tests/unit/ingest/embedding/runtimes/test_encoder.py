"""Which models ONNX Runtime can run, judged by their files alone."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import load_file, save_file
from tests_support import save_tiny_model

from ingest.embedding.model_files import bundled_model_dir
from ingest.embedding.runtimes.bert_graph import export
from ingest.embedding.runtimes.encoder import Unsuitable, read_encoder


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> Path:
    return save_tiny_model(tmp_path_factory.mktemp("models") / "tiny")


@pytest.fixture
def model(tiny, tmp_path) -> Path:
    return Path(shutil.copytree(tiny, tmp_path / "tiny"))


def change(file: Path, **values: object) -> None:
    found = json.loads(file.read_text("utf-8")) if file.exists() else {}
    file.write_text(json.dumps(found | values), "utf-8")


def test_limit_and_prompts_are_read_from_the_files():
    bundled = read_encoder(bundled_model_dir())
    assert (bundled.pooling, bundled.facts.max_tokens, bundled.facts.dimensions) == ("mean", 256, 384)
    assert bundled.facts.prompts == {"query": "", "document": ""}


def test_without_a_limit_the_model_reads_as_many_tokens_as_it_has_positions(model):
    change(model / "tokenizer_config.json", model_max_length=1e30)
    assert read_encoder(model).facts.max_tokens == 64


@pytest.mark.parametrize(
    ("file", "values", "reason"),
    [
        ("config.json", {"model_type": "roberta"}, "model_type is 'roberta'"),
        ("config.json", {"model_type": ""}, "model_type"),
        ("config.json", {"hidden_act": "relu"}, "hidden_act is 'relu'"),
        ("config.json", {"position_embedding_type": "relative_key"}, "position_embedding_type"),
        ("config.json", {"is_decoder": True}, "is_decoder"),
        ("config.json", {"hidden_size": None}, "not of its type"),
        ("config.json", {"max_position_embeddings": 0}, "positions"),
        ("1_Pooling/config.json", {"pooling_mode": "max"}, "pooling is max"),
        ("1_Pooling/config.json", {"pooling_mode": ["mean", "cls"]}, "pooling is"),
        ("1_Pooling/config.json", {"include_prompt": False}, "include_prompt"),
        ("sentence_bert_config.json", {"do_lower_case": True}, "do_lower_case"),
        ("sentence_bert_config.json", {"query_length": 32}, "sets query_length"),
        ("sentence_bert_config.json", {"max_seq_length": 65}, "reads 65 tokens and has 64 positions"),
        ("config_sentence_transformers.json", {"truncate_dim": 16}, "truncate_dim"),
        ("config_sentence_transformers.json", {"model_type": "SparseEncoder"}, "SparseEncoder"),
        ("tokenizer_config.json", {"padding_side": "left"}, "padding_side"),
    ],
)
def test_a_model_with_another_setting_is_not_suitable(model, file, values, reason):
    change(model / file, **values)
    with pytest.raises(Unsuitable, match=reason):
        read_encoder(model)


@pytest.mark.parametrize("name", ["modules.json", "config.json", "tokenizer.json", "model.safetensors"])
def test_a_model_without_one_of_its_files_is_not_suitable(model, name):
    (model / name).unlink()
    with pytest.raises(Unsuitable, match=name):
        read_encoder(model)


@pytest.mark.parametrize("content", ["no JSON", "3", "[]", '[{"type": 1}]'])
@pytest.mark.parametrize("name", ["modules.json", "config.json"])
def test_damaged_settings_are_not_suitable(model, name, content):
    (model / name).write_text(content)
    with pytest.raises(Unsuitable):
        read_encoder(model)


@pytest.mark.parametrize(
    "changed", [{"type": "custom_code.Transformer"}, {"kwargs": ["task"]}, {"path": "0_Transformer"}]
)
def test_another_module_is_not_suitable(model, changed):
    modules = json.loads((model / "modules.json").read_text())
    modules[0] |= changed
    (model / "modules.json").write_text(json.dumps(modules))
    with pytest.raises(Unsuitable, match="its modules are"):
        read_encoder(model)


def test_the_old_form_of_the_pooling_is_read(model):
    pooling = model / "1_Pooling" / "config.json"
    pooling.write_text(json.dumps({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": False}))
    assert read_encoder(model).pooling == "cls"
    pooling.write_text(json.dumps({"pooling_mode_cls_token": True, "pooling_mode_mean_tokens": True}))
    with pytest.raises(Unsuitable, match="pooling"):
        read_encoder(model)


@pytest.mark.parametrize(
    ("change_weights", "reason"),
    [
        (lambda weights: weights | {"more": np.zeros(1, dtype=np.float32)}, "such as more"),
        (lambda weights: {name: values for name, values in weights.items() if "pooler" not in name}, "pooler"),
        (lambda weights: {name: values.astype(np.float16) for name, values in weights.items()}, "full precision"),
        (lambda weights: weights | {"embeddings.LayerNorm.weight": np.ones(31, dtype=np.float32)}, "do not fit"),
    ],
)
def test_other_weights_are_not_suitable(model, change_weights, reason):
    file = model / "model.safetensors"
    save_file(change_weights(load_file(file)), file)
    with pytest.raises(Unsuitable, match=reason):
        export(read_encoder(model))


def test_damaged_weights_are_not_suitable(model):
    (model / "model.safetensors").write_bytes(b"no weights at all")
    with pytest.raises(Unsuitable, match="cannot be read"):
        export(read_encoder(model))
