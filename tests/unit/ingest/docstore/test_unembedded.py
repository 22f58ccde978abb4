"""Versions without vectors are counted and ordered without reading the others, and never sampled."""

from __future__ import annotations

from contextlib import closing

import pytest

from ingest.docstore import DocStore, PendingVersion, Span
from ingest.docstore.records import ChunkRow, VersionRow
from ingest.docstore.unembedded import COUNT, IN_ORDER
from ingest.models import chunk_id


@pytest.fixture
def store(tmp_path):
    with closing(DocStore.open(tmp_path / "documents.sqlite")) as opened:
        opened.catalog.create_collection("default", "c")
        opened.catalog.create_collection("other", "o")
        yield opened


def activated(store: DocStore, name: str, chunks: int, *, embedded: bool, collection: int = 1) -> str:
    rows = [ChunkRow(chunk_id(name, at), at, 0, 1, "x", None, (), b"x", "", "") for at in range(chunks)]
    version = VersionRow(name, f"d{name}", f"/{name}.txt", "", "", "", None, (), 1, "{}")
    store.versions.add_pending(collection, [PendingVersion(version, [], rows)])
    store.versions.activate([name])
    if embedded:
        store.unembedded.done(collection, [Span(name, 0, chunks)])
    return name


@pytest.mark.parametrize(("sql", "values"), [(COUNT, (1, None)), (IN_ORDER, (1, 512))])
def test_only_the_versions_without_vectors_are_read(store, sql, values):
    plan = [row[3] for row in store.database.query(f"EXPLAIN QUERY PLAN {sql}", *values)]
    assert plan[0] == "SCAN u"
    assert not [step for step in plan if step.endswith("(collection=?)")]


def test_chunks_without_vectors_are_counted_in_their_collection(store):
    activated(store, "a", 3, embedded=False)
    activated(store, "b", 4, embedded=True)
    activated(store, "c", 5, embedded=False, collection=2)
    assert [store.unembedded.count(one) for one in (1, 2)] == [3, 5]
    assert store.unembedded.count(1, ["b"]) == 0
    store.remove(1, ["/a.txt"])
    assert store.unembedded.count(1) == 0


def test_versions_that_searches_found_are_first_then_the_newest(store):
    for name in "abcd":
        activated(store, name, 2, embedded=False)
    store.unembedded.ask_for(["b"])
    assert store.unembedded.first(1, 5) == [("b", 0, 2), ("d", 0, 2), ("c", 0, 1)]
    assert store.unembedded.first(1, 3, {"b", "d"}) == [("c", 0, 2), ("a", 0, 1)]


def test_a_version_is_embedded_a_span_at_a_time(store):
    activated(store, "a", 5, embedded=False)
    (span,) = store.unembedded.first(1, 3)
    store.unembedded.done(1, [span])
    assert (store.unembedded.count(1), store.count_embedded(1)) == (2, 3)
    assert store.embedded_ids(1) == [chunk_id("a", at) for at in range(3)]
    assert store.unembedded.versions() == {"a": 3}
    assert store.unembedded.first(1, 3) == [("a", 3, 5)]
    store.unembedded.done(1, [Span("a", 3, 5)])
    assert (store.unembedded.count(1), store.unembedded.versions()) == (0, {})


def test_the_sampled_chunks_are_of_the_oldest_and_the_newest_versions_with_vectors(store):
    for name in ("a", "b", "c", "d", "e", "f", "g", "h", "i", "j"):
        activated(store, name, 3, embedded=name != "j")
    activated(store, "z", 20, embedded=True, collection=2)
    oldest = [chunk_id(name, at) for name in "abc" for at in range(3)][:8]
    newest = [chunk_id(name, at) for name in "ghi" for at in range(3)][1:]
    assert store.some_chunk_ids(1) == sorted({*oldest, *newest})


def test_a_collection_without_vectors_has_no_sample(store):
    activated(store, "a", 3, embedded=False)
    assert store.some_chunk_ids(1) == []
