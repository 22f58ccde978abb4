"""Other programs read the stores: an SQLite shell and any Chroma client."""

from __future__ import annotations

import sqlite3

import pytest

pytestmark = pytest.mark.usefixtures("shared_chroma")


def test_the_docstore_is_the_record_that_an_sqlite_shell_can_read(footnote, write):
    footnote.ingest([write("a.txt", "Apples are red.")])
    with sqlite3.connect(footnote.settings.data_dir / "footnote.sqlite") as db:
        found = db.execute("SELECT v.status, s.text FROM versions v JOIN segments s ON s.version = v.id").fetchall()
    assert found == [("active", "Apples are red.")]


def test_any_chroma_client_can_read_the_collection(footnote, write):
    path = write("a.md", "# Fruit\n\nApples are red.")
    footnote.ingest([path])
    index = footnote.index("default")
    collection = index.chroma.client().get_collection(index.chroma_name(index.embedders()["current"]))
    stored = collection.get(include=["documents", "metadatas", "embeddings"])
    assert stored["documents"] == [footnote.search("apples", 1)[0].chunk.text]
    assert stored["metadatas"][0]["document"] == str(path)
    assert stored["metadatas"][0]["heading"] == "Fruit"
    assert len(stored["embeddings"][0]) == 384
