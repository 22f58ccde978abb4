"""Vectors in Chroma, as far as they need no server."""

from __future__ import annotations

import numpy as np
import pytest
from chromadb.errors import InternalError

from ingest.errors import VectorStoreError
from ingest.vectors import VectorStore


class Changing:
    """A Chroma whose collection is half there for the first so many searches."""

    def __init__(self, times: int) -> None:
        self.times = times
        self.opened = 0

    def client(self):
        return self

    def get_collection(self, _name, **_more):
        self.opened += 1
        return self

    def query(self, **_asked):
        if self.opened <= self.times:
            raise InternalError("Missing field: [Missing metadata segment]")
        return {"ids": [["a"]], "distances": [[0.25]]}


def test_a_collection_that_another_process_is_making_is_looked_for_again():
    chroma = Changing(2)
    assert VectorStore(chroma, "words", {}).search(np.ones(2, np.float32), 1) == [("a", 0.75)]
    assert chroma.opened == 3


def test_a_collection_that_stays_incomplete_is_an_error():
    with pytest.raises(VectorStoreError, match="Missing metadata segment"):
        VectorStore(Changing(99), "words", {}).search(np.ones(2, np.float32), 1)
