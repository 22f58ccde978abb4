"""Chunks are read by their ids, however many are asked for, and only active ones are found."""

from __future__ import annotations

from contextlib import closing

import pytest

from ingest.docstore import DocStore, PendingVersion
from ingest.docstore.records import ChunkRow, VersionRow
from ingest.docstore.store import ACTIVE_CHUNKS
from ingest.models import chunk_id


@pytest.fixture
def store(tmp_path):
    with closing(DocStore.open(tmp_path / "documents.sqlite")) as opened:
        opened.catalog.create_collection("default", "c")
        yield opened


def pending(store: DocStore, name: str) -> str:
    row = ChunkRow(chunk_id(name, 0), 0, 0, 1, f"text of {name}", None, (), b"x", "", "")
    version = VersionRow(name, f"d{name}", f"/{name}.txt", "", "", "", None, (), 1, "{}")
    store.versions.add_pending(1, [PendingVersion(version, [], [row])])
    return row.id


@pytest.mark.parametrize("n", [1, 150, 300, 5_000])
def test_no_number_of_ids_makes_a_search_read_the_whole_collection(store, n):
    marks = ",".join("?" * n)
    rows = store.database.query(f"EXPLAIN QUERY PLAN {ACTIVE_CHUNKS} AND id IN ({marks})", 1, *["a"] * n)
    assert rows[0]["detail"] == "SEARCH c USING INDEX sqlite_autoindex_chunks_1 (id=?)"


def test_only_chunks_of_active_versions_are_found(store):
    active, waiting = pending(store, "a"), pending(store, "b")
    store.versions.activate(["a"])
    assert list(store.active_chunks(1, [active, waiting, "none"])) == [active]
    assert store.active_chunks(2, [active]) == {}


def test_texts_are_those_of_all_stored_chunks(store):
    stored = [pending(store, name) for name in "ab"]
    store.versions.activate(["a"])
    assert store.texts([*stored, "none"]) == dict(zip(stored, ["text of a", "text of b"], strict=True))
