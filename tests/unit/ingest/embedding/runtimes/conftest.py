"""A tiny model, graphs cached for one test, and the models that a test made graphs for."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests_support import save_tiny_model

from ingest.embedding.runtimes import graph_cache


@pytest.fixture(scope="module")
def tiny(tmp_path_factory) -> str:
    return str(save_tiny_model(tmp_path_factory.mktemp("models") / "tiny"))


@pytest.fixture
def cache(tmp_path, monkeypatch) -> Path:
    """The folder of cached graphs, of this test alone."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return graph_cache.cache_folder()


@pytest.fixture
def made() -> list[str]:
    """The models for which a recording exporter made a graph."""
    return []
