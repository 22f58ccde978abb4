"""How texts are put together in passes, and how many passes run side by side."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from ingest.embedding.runtimes import graph_cache, open_runtime
from ingest.embedding.runtimes.onnx_session import PASS_TOKENS, Session, passes, threads


def test_many_passes_side_by_side_give_the_same_as_one_after_the_other(tiny, monkeypatch):
    texts = [f"apples {'and bears ' * n}" for n in range(60)]
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    alone = open_runtime(tiny, wanted="onnx").documents(texts)
    monkeypatch.setenv("OMP_NUM_THREADS", "3")
    assert np.abs(open_runtime(tiny, wanted="onnx").documents(texts) - alone).max() < 1e-6


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


def test_a_question_does_not_wait_for_documents(tiny, tmp_path, monkeypatch):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setenv("OMP_NUM_THREADS", "2")
    assert isinstance(open_runtime(tiny, wanted="onnx").session, Session)
    (graph,) = graph_cache.cache_folder().glob("*.onnx")
    pool = ThreadPoolExecutor(1)
    pool.shutdown()
    session = Session(graph, pool)
    assert len(list(session.run([[2, 5, 3]]))) == 1
    with pytest.raises(RuntimeError, match="after shutdown"):
        list(session.run([[2, 5, 3]] * PASS_TOKENS))
