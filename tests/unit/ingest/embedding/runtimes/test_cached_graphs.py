"""What happens to the graph that ONNX Runtime runs: it is made once, kept in a cache, and made again if need be."""

from __future__ import annotations

import dataclasses
import hashlib
import json
import os
import shutil
import stat
import time
from functools import partial
from pathlib import Path

import pytest
from exporters import recording

from ingest.embedding.runtimes import graph_cache, open_runtime
from ingest.embedding.runtimes.bert_graph import BERT_EXPORTER

pytestmark = pytest.mark.usefixtures("cache")


@pytest.fixture
def opened(tmp_path, made):
    """Opens models on a machine without an accelerator."""
    return partial(open_runtime, devices=tmp_path / "dev", exporter=recording(made))


def test_a_graph_is_made_and_checked_once_and_then_needs_no_torch(opened, tiny, cache, made):
    def no_torch(*_arguments, **_options):
        pytest.fail("torch was asked for")

    first = opened(tiny)
    again = opened(tiny, in_torch=no_torch)
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
def test_a_damaged_graph_is_made_again(opened, tiny, cache, made, damage):
    expected_vectors = opened(tiny).documents(["apples"])
    damage(cache)
    assert (opened(tiny).documents(["apples"]) == expected_vectors).all()
    assert opened(tiny).name == "onnx"
    assert made == ["tiny"] * 2


def test_a_graph_of_another_version_is_not_used_and_is_removed(opened, tiny, cache, made):
    opened(tiny)
    before = set(cache.iterdir())
    opened(tiny, exporter=recording(made, dataclasses.replace(BERT_EXPORTER, version=1_000)))
    assert made == ["tiny"] * 2
    assert len(list(cache.iterdir())) == 2
    assert before.isdisjoint(cache.iterdir())


def test_what_a_killed_process_left_is_removed_after_an_hour(opened, tiny, cache):
    cache.mkdir(0o700, parents=True)
    for name, hours in ((".new-old", 2), (".new-of-another-process", 0)):
        (cache / name).touch()
        os.utime(cache / name, (time.time() - 3_600 * hours,) * 2)
    opened(tiny)
    assert [path.name for path in cache.glob(".new-*")] == [".new-of-another-process"]


def test_a_cache_that_other_users_can_write_to_is_not_used(opened, tiny, cache, made):
    opened(tiny)
    cache.chmod(0o777)
    before = {path: path.stat().st_mtime_ns for path in cache.iterdir()}
    assert opened(tiny).name == "onnx"
    assert made == ["tiny"] * 2
    assert {path: path.stat().st_mtime_ns for path in cache.iterdir()} == before


def test_a_changed_tokenizer_is_checked_again(opened, tiny, tmp_path, made):
    folder = Path(shutil.copytree(tiny, tmp_path / "tiny"))
    opened(str(folder))
    tokenizer = json.loads((folder / "tokenizer.json").read_text())
    (folder / "tokenizer.json").write_text(json.dumps(tokenizer | {"normalizer": None}))
    opened(str(folder))
    assert made == ["tiny"] * 2


def test_where_the_cache_cannot_be_written_the_graph_is_made_every_time(opened, tiny, tmp_path, made, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "file"))
    assert [opened(tiny).name for _ in range(2)] == ["onnx", "onnx"]
    assert made == ["tiny"] * 2


def test_a_cache_folder_that_is_not_absolute_is_ignored(monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", "here")
    assert graph_cache.cache_folder() == Path.home() / ".cache" / "footnote" / "models"
