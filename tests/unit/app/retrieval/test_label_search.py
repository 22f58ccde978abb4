"""Finding tables by the labels of their rows."""

from __future__ import annotations

import pytest

from app.retrieval.label_search import LabelSearch
from ingest.models import Query, StoredChunk

TEXTS = {
    "balance": "| Cash | 12 | 15 |\n| Inventories | 40 | 31 |\n| Total assets | 95 | 90 |",
    "sales": "| Net sales | 12 | 15 |\n| Inventory turnover of stores | 4 | 3 |",
    "prose": "Inventories grew, because the yard in Graz was stocked up.",
}


class Words:
    """An index whose keyword search finds all texts, in order."""

    def __init__(self) -> None:
        self.read: list[str] = []
        self.gone: set[str] = set()
        self.docstore = self

    def keyword_ids(self, query, k, *, within=None):
        return [(name, 1.0 / n) for n, name in enumerate(TEXTS, start=1)][:k]

    def texts(self, ids):
        self.read += ids
        return {one: TEXTS[one] for one in ids}

    def chunks(self, ids):
        self.read += ids
        there = [one for one in ids if one not in self.gone]
        return {one: StoredChunk(one, "v", "d", one, "", 0, 0, 1, TEXTS[one], None, ()) for one in there}


@pytest.mark.parametrize(
    ("question", "found"),
    [
        ("How have the inventory levels changed?", ["balance"]),
        ("How did inventory turnover of the stores and the cash develop?", ["balance", "sales"]),
        ("What was the turnover?", ["sales"]),  # by another name
        ("How many stores are there?", []),
        ("How did assets change?", []),  # "Total assets" is another figure
    ],
)
def test_a_chunk_is_found_if_the_question_contains_a_whole_label(question, found):
    assert list(LabelSearch(Words()).find(Query(question), "english", 5)) == found


def test_no_more_chunks_are_found_than_wanted():
    question = Query("How did inventory turnover of the stores and the cash develop?")
    assert list(LabelSearch(Words()).find(question, "english", 1)) == ["balance"]


def test_a_chunk_is_read_once_and_again_only_when_found_and_not_when_it_is_gone():
    index = Words()
    search = LabelSearch(index)
    asked = Query("How have the inventory levels changed?")
    first = search.find(asked, "english", 5)
    assert index.read == [*TEXTS, "balance"]
    assert search.find(asked, "english", 5) == first
    assert index.read == [*TEXTS, "balance", "balance"]
    index.gone.add("balance")
    assert search.find(asked, "english", 5) == {}
