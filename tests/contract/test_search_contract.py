"""Tests the guarantees of every search over the same documents."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from durability import quick

from app.footnote import Footnote
from ingest.filters import Filter
from ingest.models import SearchHit

Search = Callable[..., list[SearchHit]]
FRUIT = ("apple", "pear", "plum", "cherry", "quince", "medlar")
SEARCHES = ("keyword", "vector", "hybrid")


@pytest.fixture(scope="module")
def orchard(tmp_path_factory):
    """Six short documents and a long one, on real stores, with a stand-in for the embedding model."""
    from ingest.settings import Settings

    folder = tmp_path_factory.mktemp("orchard")
    for n, fruit in enumerate(FRUIT, start=1):  # no two are equally near to a question
        text = f"The {fruit} tree bears {fruit} fruit. Its wood is hard."
        (folder / f"{fruit}.txt").write_text(text + " It grows well here." * n)
    (folder / "long.txt").write_text("\n\n".join(f"Row {n} of the orchard. " * 12 for n in range(12)))
    with quick(Settings(_env_file=None, data_dir=tmp_path_factory.mktemp("data"))) as footnote:
        assert footnote.ingest([folder]).count("added") == 7
        yield footnote


@pytest.fixture(params=SEARCHES)
def search(request, orchard: Footnote) -> Search:
    index = orchard.index("default")
    return {
        "keyword": index.keyword_search,
        "vector": index.vector_search,
        "hybrid": orchard.search,
    }[request.param]


def _only(fruit: str, footnote: Footnote) -> Filter:
    return Filter.of(sources=[row.source for row in footnote.documents("default") if fruit in row.source])


def ids(hits: list[SearchHit]) -> list[str]:
    return [hit.chunk.id for hit in hits]


def test_the_best_comes_first_and_ranks_count_from_one(search: Search):
    hits = search("cherry cherry cherry", 5)
    assert hits[0].chunk.source.endswith("cherry.txt")
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_it_finds_at_most_k_and_each_chunk_once(search: Search):
    for k in (1, 3, 50):
        found = ids(search("tree of the orchard", k))
        assert len(found) <= k
        assert len(found) == len(set(found))


def test_fewer_are_the_first_of_more(search: Search):
    assert ids(search("hard wood of the pear tree", 2)) == ids(search("hard wood of the pear tree", 6))[:2]


def test_the_same_question_finds_the_same(search: Search):
    assert search("plum wood", 4) == search("plum wood", 4)


def test_documents_that_a_filter_leaves_out_are_not_found(search: Search, orchard: Footnote):
    hits = search("tree fruit wood", 5, within=_only("pear", orchard))
    assert {hit.chunk.source.rpartition("/")[2] for hit in hits} == {"pear.txt"}


def test_a_chunk_is_its_documents_own_words(search: Search, orchard: Footnote):
    for hit in search("row of the orchard", 3):
        chunk = hit.chunk
        assert orchard.index("default").docstore.excerpt(chunk.version_id, chunk.start, chunk.end) == chunk.text


@pytest.mark.parametrize("question", ["?!", "\U0001f989", "zzz " * 500, "a\x00b", '"AND OR (', "*:*"])
def test_any_question_is_searched(search: Search, question):
    assert len(search(question, 3)) <= 3
