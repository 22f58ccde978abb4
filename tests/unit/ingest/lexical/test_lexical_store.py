"""Tests keyword search: words beside a chunk count for it, and words in it count more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from ingest.errors import LexicalDamaged
from ingest.lexical.analyzer import ANALYSIS
from ingest.lexical.files import made_with, note
from ingest.lexical.store import LexicalStore
from ingest.lexical.writer import LexicalEntry

REPORT = ["The Zephyr pump was built in 1962.", "It needs oil twice a year.", "Its colour is green."]
OTHER = ["Engines of all kinds are listed.", "Each needs oil now and then.", "Nothing else is known."]


@pytest.fixture
def store(tmp_path):
    store = LexicalStore(tmp_path / "index")
    with store.writing() as writer:
        writer.add(
            [
                LexicalEntry(f"{version}-{i}", version, text, "", "")
                for version, texts in (("report", REPORT), ("other", OTHER))
                for i, text in enumerate(texts)
            ]
        )
        writer.commit()
    return store


def test_a_passage_is_found_by_the_topic_of_its_neighbour(store):
    found = [chunk_id for chunk_id, _ in store.search("zephyr oil", 6)]
    assert found.index("report-1") < found.index("other-1")


def test_the_words_themselves_count_more_than_the_same_words_beside(store):
    assert [chunk_id for chunk_id, _ in store.search("zephyr", 6)] == ["report-0", "report-1"]


def test_no_passage_has_anything_from_another_document(store):
    assert "other-0" not in dict(store.search("green colour", 6))
    assert dict(store.search("zephyr colour listed", 6)).keys() >= {"other-0", "other-1"}
    assert "other-0" not in dict(store.search("zephyr colour", 6))


def test_an_index_with_older_terms_is_searched_with_the_fields_that_it_has(store):
    before = store.search("zephyr oil", 6)
    note(store.folder, replace(made_with(store.folder), analysis=ANALYSIS - 1))
    later = LexicalStore(store.folder)
    assert later.outdated
    assert later.search("zephyr oil", 6) == before
    with later.writing() as writer:
        writer.add([LexicalEntry("new-0", "new", "A gasket is new.", "", "")])
        writer.commit()
    assert [chunk_id for chunk_id, _ in later.search("gasket", 6)] == ["new-0"]


def test_a_search_in_the_middle_of_a_switch_waits_for_it(store):
    before, aside = store.search("zephyr", 6), store.folder.with_name("index.old")
    store.folder.rename(aside)
    waiting = LexicalStore(store.folder, sleep=lambda _: aside.rename(store.folder))
    assert waiting.search("zephyr", 6) == before


def test_a_reader_whose_index_disappears_does_not_create_a_new_one(store):
    class Late(LexicalStore):
        exists = True  # as of a moment ago

    store.folder.rename(store.folder.with_name("aside"))
    with pytest.raises(LexicalDamaged, match="search the text index"):
        Late(store.folder).search("zephyr", 6)
    assert not store.folder.exists()


@pytest.mark.parametrize("meta", ["{}", "[]", "", '{"schema": 1}'])
def test_an_index_whose_list_of_fields_is_damaged_says_so(store, meta):
    (store.folder / "meta.json").write_text(meta)
    with pytest.raises(LexicalDamaged):
        LexicalStore(store.folder).search("zephyr", 6)
