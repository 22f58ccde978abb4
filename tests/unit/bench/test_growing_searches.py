"""Exact scores count every chunk of a shared text, in blocks that need not fit the collection."""

from __future__ import annotations

import sqlite3
from contextlib import closing

import numpy as np
import pytest

from bench.storage.growing_searches import BLOCK, exact_scores
from ingest.docstore import DocStore, PendingVersion
from ingest.docstore.records import ChunkRow, VersionRow
from ingest.models import chunk_id

DIMENSIONS = 8


def vectors_of(n: int) -> np.ndarray:
    made = np.random.default_rng(3).standard_normal((n, DIMENSIONS)).astype(np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


@pytest.fixture
def store(tmp_path):
    docstore = DocStore.open(tmp_path / "documents.sqlite")
    yield docstore
    docstore.close()


def filled(store: DocStore, vectors: np.ndarray, texts: list[int]) -> int:
    """Stores a version whose chunks have these texts, by the number of their vector; returns the embedder's id."""
    collection = store.catalog.create_collection("default", "c").id
    embedder = store.catalog.add_embedder(collection, "current", "made", "f", DIMENSIONS).id
    rows = [ChunkRow(chunk_id("v", at), at, 0, 1, "x", None, (), b"%d" % text, "", "") for at, text in enumerate(texts)]
    version = VersionRow("v", "d", "/d.txt", "", "", "", None, (), 1, "{}")
    store.versions.add_pending(collection, [PendingVersion(version, [], rows)])
    store.kept.put(embedder, {b"%d" % at: vector for at, vector in enumerate(vectors)})
    return embedder


def test_scores_are_those_of_all_vectors_whatever_the_block(store):
    vectors = vectors_of(BLOCK + 100)
    embedder = filled(store, vectors, list(range(len(vectors))))
    questions = vectors_of(3)[::-1]
    found = exact_scores(store.database.path, embedder, questions, 10)
    assert np.allclose(found, -np.sort(-questions @ vectors.T, axis=1)[:, :10], atol=1e-6)


def test_a_text_of_several_chunks_counts_as_often(store):
    vectors = vectors_of(5)
    embedder = filled(store, vectors, [0, 0, 0, 1, 2, 3, 4])
    (found,) = exact_scores(store.database.path, embedder, vectors[:1], 4)
    assert found[:3] == pytest.approx([1, 1, 1], abs=1e-6)
    assert found[3] == pytest.approx(np.sort(vectors @ vectors[0])[-2], abs=1e-6)


def test_vectors_of_other_models_are_not_compared(store):
    vectors = vectors_of(4)
    embedder = filled(store, vectors, [0, 1, 2, 3])
    (found,) = exact_scores(store.database.path, embedder, vectors[:1], 2)
    other = store.catalog.add_embedder(1, "next", "other", "g", DIMENSIONS).id
    store.kept.put(other, {b"0": vectors[0], b"1": vectors[0]})
    assert np.array_equal(exact_scores(store.database.path, embedder, vectors[:1], 2)[0], found)


def test_the_database_is_only_read(store):
    embedder = filled(store, vectors_of(4), [0, 1, 2, 3])
    with closing(sqlite3.connect(store.database.path)) as db:
        before = db.execute("PRAGMA data_version").fetchone()
        exact_scores(store.database.path, embedder, vectors_of(1), 2)
        assert db.execute("PRAGMA data_version").fetchone() == before
