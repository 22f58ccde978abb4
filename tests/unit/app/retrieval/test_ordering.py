"""The order of chunks: documents by turns."""

from __future__ import annotations

from app.retrieval.ordering import Scored, by_turns
from ingest.models import StoredChunk


def scored(source: str, position: int) -> Scored:
    chunk = StoredChunk(f"{source}-{position}", source, source, source, "", position, 0, 1, "x", None, (), "")
    return Scored(chunk, 1.0)


def test_each_document_that_is_meant_has_its_best_chunk_first():
    found = [scored("a", 1), scored("a", 2), scored("c", 1), scored("b", 1), scored("a", 3), scored("b", 2)]
    order = [one.chunk.id for one in by_turns(found, frozenset({"a", "b"}))]
    assert order == ["a-1", "b-1", "a-2", "b-2", "a-3", "c-1"]


def test_no_order_changes_if_no_document_is_meant():
    found = [scored("a", 1), scored("b", 1), scored("a", 2)]
    assert by_turns(found, frozenset()) == found
