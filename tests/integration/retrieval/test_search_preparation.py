"""Tests that the model and Chroma are loaded ahead of the first search, and that their errors are left to it."""

from __future__ import annotations

import threading
from functools import partial

import pytest
from durability import PoolInProcess
from waiting import wait_until

from ingest.embedding import Embedder
from ingest.errors import EmbedderError
from ingest.index import Sizes
from ingest.library import Library
from ingest.search_preparation import prepare_search

pytestmark = pytest.mark.usefixtures("shared_chroma")


@pytest.fixture
def open_loaders():
    return PoolInProcess


def preparing() -> list[threading.Thread]:
    return [one for one in threading.enumerate() if one.name == "prepare-search"]


@pytest.mark.parametrize("small", [False, True])
def test_the_model_and_the_connection_are_there_before_the_search(footnote, write, small):
    footnote.ingest([write("a.txt", "Apples are red.")])
    with Library(footnote.settings, sizes=Sizes(most_whole=1 if small else 0)) as library:
        assert not library.index("default").embedder.ready
        prepare_search(library)
        wait_until(lambda: not preparing())
        assert library.index("default").embedder.ready
        assert (library.chroma._client is None) == small  # a small collection is searched without Chroma


@pytest.mark.parametrize("collection", [None, "default", "nowhere"])
def test_nothing_is_loaded_or_made_for_an_empty_collection(settings, collection):
    with Library(settings) as library:
        prepare_search(library, collection)
        assert preparing() == []
        assert library.collections() == []


def test_an_error_is_left_to_the_search(footnote, write):
    footnote.ingest([write("a.txt", "Apples are red.")])
    tried = []

    def failing(*_arguments, **_options):
        tried.append(threading.current_thread().name)
        raise EmbedderError("The model cannot be loaded.")

    with Library(footnote.settings, open_embedder=partial(Embedder, open_model=failing)) as library:
        prepare_search(library)
        wait_until(lambda: not preparing())
        assert tried == ["prepare-search"]
        with pytest.raises(EmbedderError, match="cannot be loaded"):
            library.index("default").vector_search("apples", 1)
