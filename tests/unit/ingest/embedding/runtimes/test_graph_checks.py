"""A graph is compared with torch before it is used."""

from __future__ import annotations

import dataclasses
import logging
from functools import partial

import numpy as np
import pytest
from exporters import recording, wrong
from recorded_vectors import expected
from tests_support import save_tiny_model

from ingest.embedding.runtimes import checked_graph, open_runtime, selection
from ingest.embedding.runtimes.graph_check import difference, load_expected
from ingest.errors import EmbedderError

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def opened_wrongly(tmp_path, made):
    """Opens models on a machine without an accelerator, with graphs whose weights are not those of the model."""
    exporter = recording(made, wrong(tmp_path / "noisy"))
    return partial(open_runtime, devices=tmp_path / "dev", exporter=exporter)


def test_a_graph_that_differs_from_torch_is_made_twice_and_then_torch_runs_the_model(
    opened_wrongly, tmp_path, cache, made, caplog
):
    tiny = str(save_tiny_model(tmp_path / "tiny"))
    assert opened_wrongly(tiny).name == "torch"
    assert made == ["tiny"] * 2
    assert not cache.exists()
    (record,) = (one for one in caplog.records if one.name == selection.__name__)
    assert record.levelno == logging.WARNING
    assert "ONNX Runtime does not make" in record.message
    with pytest.raises(EmbedderError, match="does not make of the embedding model"):
        opened_wrongly(tiny, wanted="onnx")


def test_the_bundled_model_is_checked_too(opened_wrongly, caplog):
    assert opened_wrongly("all-MiniLM-L6-v2").name == "torch"
    assert "differ" in caplog.text


def test_the_recorded_vectors_are_those_of_torch():
    recorded, torch = load_expected(checked_graph.RECORDED), expected()
    assert (recorded.facts, recorded.weights) == (torch.facts, torch.weights)
    for ours, theirs in zip(recorded.ids, torch.ids, strict=True):
        assert ours.tolist() == theirs.tolist()
    assert np.abs(recorded.vectors - torch.vectors).max() < 1e-3
    for i, places in enumerate(recorded.places):
        assert np.abs(recorded.tokens[i] - torch.tokens[i][places]).max() < 5e-3


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("facts", None, "limit or prompts differ"),
        ("weights", "other", "bytes of the weights differ"),
        ("ids", [np.array([1])] * 13, "the tokens of text 0 differ"),
        ("vectors", np.full((13, 384), np.nan, dtype=np.float32), "the vector of text 0 differs"),
        ("tokens", [np.ones((6, 384), dtype=np.float32)] * 13, "the token vectors of text 0 differ"),
    ],
)
def test_the_check_finds_every_difference(field, value, said):
    runtime = open_runtime("all-MiniLM-L6-v2", wanted="onnx")
    recorded = load_expected(checked_graph.RECORDED)
    assert difference(runtime, recorded) == ""
    assert said in difference(runtime, dataclasses.replace(recorded, **{field: value}))
