"""Which runtime a model gets, and what happens to the graph that ONNX Runtime runs."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import logging
import os
import shutil
import stat
import time
from pathlib import Path

import numpy as np
import pytest
from recorded_vectors import expected
from tests_support import save_static_model, save_tiny_model

from ingest.embedding.runtimes import bert_graph, checked_graph, graph_cache, open_runtime, selection
from ingest.embedding.runtimes.bert_graph import export
from ingest.embedding.runtimes.graph_check import difference, load_expected
from ingest.embedding.runtimes.onnx_session import Session, passes, threads
from ingest.errors import EmbedderError


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    return str(save_tiny_model(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture(autouse=True)
def cache(tmp_path, monkeypatch) -> Path:
    """The folder of cached graphs, of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(selection, "DEVICES", tmp_path / "dev")
    monkeypatch.setattr(selection, "_told", set())
    return graph_cache.cache_folder()


@pytest.fixture
def made(monkeypatch) -> list[str]:
    """The models for which a graph was made."""
    models = []

    def counted(encoder):
        models.append(encoder.folder.name)
        return export(encoder)

    monkeypatch.setattr(checked_graph, "export", counted)
    return models


@pytest.fixture
def wrong(monkeypatch) -> None:
    """Makes graphs whose weights are not those of the model."""

    def changed(weights, heads, epsilon):
        rng = np.random.default_rng(1)
        noise = {name: rng.normal(0, 0.05, values.shape).astype(np.float32) for name, values in weights.items()}
        return original({name: values + noise[name] for name, values in weights.items()}, heads, epsilon)

    original = bert_graph._Graph
    monkeypatch.setattr(bert_graph, "_Graph", changed)


def test_a_bert_encoder_on_a_cpu_is_run_by_onnx_runtime_and_others_by_torch(tiny, tmp_path, caplog):
    caplog.set_level(logging.INFO, selection.__name__)
    assert open_runtime(tiny).name == open_runtime(tiny, "cpu").name == "onnx"
    assert open_runtime(tiny, wanted="torch").name == "torch"
    assert caplog.messages == []
    static = str(save_static_model(tmp_path / "static"))
    assert open_runtime(static).name == open_runtime(static).name == "torch"
    assert caplog.messages == [
        f"The embedding model {static} is run by torch, because its modules are StaticEmbedding."
    ]
    with pytest.raises(EmbedderError, match=r"FOOTNOTE_EMBEDDING_RUNTIME=onnx cannot run .* StaticEmbedding"):
        open_runtime(static, wanted="onnx")


def test_without_the_package_onnx_torch_runs_the_model(tiny, monkeypatch):
    monkeypatch.setattr(bert_graph, "find_spec", {"onnx": None}.__getitem__)
    assert open_runtime(tiny).name == "torch"
    with pytest.raises(EmbedderError, match="because the package onnx is not installed"):
        open_runtime(tiny, wanted="onnx")


def test_a_machine_with_an_accelerator_uses_it_unless_told_otherwise(tiny, tmp_path):
    (tmp_path / "dev").mkdir()
    (tmp_path / "dev" / "nvidia0").touch()
    assert open_runtime(tiny).name == "torch"
    assert open_runtime(tiny, "cpu").name == open_runtime(tiny, wanted="onnx").name == "onnx"
    with pytest.raises(EmbedderError, match="FOOTNOTE_EMBEDDING_DEVICE is cuda"):
        open_runtime(tiny, "cuda", wanted="onnx")


def test_a_downloaded_model_is_found_by_its_name(tiny, tmp_path, monkeypatch):
    repository = tmp_path / "hub" / "models--sentence-transformers--tiny-one"
    shutil.copytree(tiny, repository / "snapshots" / "abc")
    (repository / "refs").mkdir()
    (repository / "refs" / "main").write_text("abc")
    monkeypatch.setenv("SENTENCE_TRANSFORMERS_HOME", str(tmp_path / "hub"))
    for name in ("tiny-one", "sentence-transformers/tiny-one"):
        assert open_runtime(name, fetch=False).name == "onnx"
    with pytest.raises(EmbedderError, match="because it is not on this machine"):
        open_runtime("someone/other", wanted="onnx")


def test_a_graph_is_made_and_checked_once_and_then_needs_no_torch(tiny, cache, made, monkeypatch):
    first = open_runtime(tiny)
    monkeypatch.setattr(selection, "load_torch", None)
    again = open_runtime(tiny)
    assert made == ["tiny"]
    assert (again.documents(["apples"]) == first.documents(["apples"])).all()
    assert again.weights == first.weights
    assert sorted(path.suffix for path in cache.iterdir()) == [".json", ".onnx"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in cache.iterdir()} == {0o600}
    assert {stat.S_IMODE(folder.stat().st_mode) for folder in (cache, cache.parent)} == {0o700}


def damage_graph(cache: Path) -> None:
    graph = next(cache.glob("*.onnx"))
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1
    graph.write_bytes(content)


def truncate_record(cache: Path) -> None:
    record = next(cache.glob("*.json"))
    record.write_text(record.read_text()[:20])


def replace_by_no_graph(cache: Path) -> None:
    """Leaves the digest right, as if another version of ONNX Runtime could not load the graph."""
    next(cache.glob("*.onnx")).write_bytes(b"no graph")
    digest = hashlib.sha256(b"no graph").hexdigest()
    record = next(cache.glob("*.json"))
    record.write_text(json.dumps(json.loads(record.read_text()) | {"graph": digest}))


def remove_record(cache: Path) -> None:
    next(cache.glob("*.json")).unlink()


@pytest.mark.parametrize("damage", [damage_graph, truncate_record, replace_by_no_graph, remove_record])
def test_a_damaged_graph_is_made_again(tiny, cache, made, damage):
    expected_vectors = open_runtime(tiny).documents(["apples"])
    damage(cache)
    assert (open_runtime(tiny).documents(["apples"]) == expected_vectors).all()
    assert open_runtime(tiny).name == "onnx"
    assert made == ["tiny"] * 2


def test_a_graph_of_another_version_is_not_used_and_is_removed(tiny, cache, made, monkeypatch):
    open_runtime(tiny)
    before = set(cache.iterdir())
    monkeypatch.setattr(checked_graph, "EXPORTER", 1_000)
    open_runtime(tiny)
    assert made == ["tiny"] * 2
    assert len(list(cache.iterdir())) == 2
    assert before.isdisjoint(cache.iterdir())


def test_what_a_killed_process_left_is_removed_after_an_hour(tiny, cache):
    cache.mkdir(0o700, parents=True)
    for name, hours in ((".new-old", 2), (".new-of-another-process", 0)):
        (cache / name).touch()
        os.utime(cache / name, (time.time() - 3_600 * hours,) * 2)
    open_runtime(tiny)
    assert [path.name for path in cache.glob(".new-*")] == [".new-of-another-process"]


def test_a_cache_that_other_users_can_write_to_is_not_used(tiny, cache, made):
    open_runtime(tiny)
    cache.chmod(0o777)
    before = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert open_runtime(tiny).name == "onnx"
    assert made == ["tiny"] * 2
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == before


def test_a_changed_tokenizer_is_checked_again(tiny, tmp_path, made):
    folder = Path(shutil.copytree(tiny, tmp_path / "tiny"))
    open_runtime(str(folder))
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer | {"normalizer": None}))
    open_runtime(str(folder))
    assert made == ["tiny"] * 2


def test_where_the_cache_cannot_be_written_the_graph_is_made_every_time(tiny, tmp_path, made, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert [open_runtime(tiny).name for _ in range(2)] == ["onnx", "onnx"]
    assert made == ["tiny"] * 2


def test_a_cache_folder_that_is_not_absolute_is_ignored(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert graph_cache.cache_folder() == Path.home() / ".cache" / "footnote" / "models"


@pytest.mark.usefixtures("wrong")
def test_a_graph_that_differs_from_torch_is_made_twice_and_then_torch_runs_the_model(tiny, cache, made, caplog):
    assert open_runtime(tiny).name == "torch"
    assert made == ["tiny"] * 2
    assert not cache.exists()
    (record,) = (one for one in caplog.records if one.name == selection.__name__)
    assert record.levelno == logging.WARNING
    assert "ONNX Runtime does not make" in record.message
    with pytest.raises(EmbedderError, match="does not make of the embedding model"):
        open_runtime(tiny, wanted="onnx")


@pytest.mark.usefixtures("wrong")
def test_the_bundled_model_is_checked_too(caplog):
    assert open_runtime("all-MiniLM-L6-v2").name == "torch"
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


def test_many_passes_side_by_side_give_the_same_as_one_after_the_other(tiny, monkeypatch):
    texts = [f"apples {'and bears ' * n}" for n in range(60)]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    alone = open_runtime(tiny).documents(texts)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert np.abs(open_runtime(tiny).documents(texts) - alone).max() < 1e-6


@pytest.mark.parametrize(("value", "expected_threads"), [("3", 3), ("2,1", 2), ("none", None), ("0", None), ("", None)])
def test_the_number_of_threads_is_read_as_torch_reads_it(monkeypatch, value, expected_threads):
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    default = threads()
    monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert threads() == (expected_threads or default)
    assert default >= 1


@pytest.mark.parametrize("lengths", [[], [1], [512, 1, 1], [3] * 400, list(range(1, 257)), [2_000, 2_000]])
def test_each_text_is_in_one_pass_of_limited_size_and_padding(lengths):
    found = list(passes(lengths))
    assert sorted(i for some in found for i in some) == list(range(len(lengths)))
    for some in found:
        size = max(lengths[i] for i in some) * len(some)
        assert len(some) == 1 or size <= 512
        assert size - sum(lengths[i] for i in some) <= 0.1 * size


def test_a_question_does_not_wait_for_documents(tiny, monkeypatch):
    session = open_runtime(tiny).session
    assert isinstance(session, Session)
    monkeypatch.setattr(session, "_pool", None)
    assert len(list(session.run([[2, 5, 3]]))) == 1
