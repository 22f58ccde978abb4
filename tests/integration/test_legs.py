"""The two searches, which share one signature, and what both must do."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.retrieval import fuse, unique
from ingest.models import SearchHit, StoredChunk


@pytest.mark.parametrize("leg", ["vector_search", "keyword_search"])
def test_a_leg_ranks_the_best_first_and_gives_only_what_is_active(footnote, write, leg):
    path = write("a.txt", "Elephants are large grey animals.")
    footnote.ingest([path, write("b.txt", "Bread is baked in the morning."), write("c.txt", "Rivers run to the sea.")])
    search = getattr(footnote.index("default"), leg)
    hits = search("large grey elephants", 3)
    assert hits[0].chunk.source == str(path)
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    footnote.remove(str(path))
    assert all(hit.chunk.source != str(path) for hit in search("large grey elephants", 3))


@pytest.mark.parametrize("leg", ["vector_search", "keyword_search"])
def test_a_leg_of_an_empty_collection_finds_nothing(footnote, leg):
    assert getattr(footnote.index("default"), leg)("anything", 5) == []


@pytest.mark.parametrize("query", ['"', "AND OR NOT", "a:b", "(((", "*", "\\", "\0", "🦉", "-", "x" * 7_000, "^~[]{}"])
def test_no_question_is_read_as_a_query_language(sampled, query):
    sampled.search(query, 5)


@pytest.mark.parametrize(
    ("text", "query"),
    [
        ("Die Größe beträgt fünf Meter", "größe"),
        ("東京都の人口は多い", "人口"),
        ("Error code E-4711 means no paper", "4711"),
        ("Net sales were 39,669 in that quarter", "39669"),
        ("Net sales were 39669 in that quarter", "39,669"),
    ],
)
def test_words_of_any_script_and_numbers_of_any_form_are_found(footnote, write, text, query):
    path = write("a.txt", text)
    footnote.ingest([path, write("b.txt", "Something else is written here.")])
    assert footnote.index("default").keyword_search(query, 2)[0].chunk.source == str(path)


def hit(name: str, score: float, rank: int = 1, text: str = "", source: str = "") -> SearchHit:
    return SearchHit(rank, score, StoredChunk(name, "v", "d", source or name, "", 0, 0, 1, text or name, None, ()))


def test_fused_scores_are_each_legs_share_of_its_best_averaged():
    fused = fuse([[hit("a", 0.8), hit("b", 0.4)], [hit("b", 20.0), hit("c", 5.0)]])
    assert [(one.chunk.id, one.score) for one in fused] == [("b", 0.75), ("a", 0.5), ("c", 0.125)]


scored = st.lists(st.tuples(st.sampled_from("abcdef"), st.floats(-1, 100)), max_size=6, unique_by=lambda one: one[0])


@given(scored, scored)
def test_fusing_keeps_every_chunk_once_in_order_of_scores_from_0_to_1(first, second):
    fused = fuse([[hit(*one) for one in first], [hit(*one) for one in second]])
    assert sorted(one.chunk.id for one in fused) == sorted({name for name, _ in [*first, *second]})
    scores = [one.score for one in fused]
    assert scores == sorted(scores, reverse=True)
    assert all(0 <= score <= 1 for score in scores)


def test_equal_texts_are_shown_once_with_their_other_sources():
    fused = fuse([[hit("a", 1.0, text="same  words", source="x"), hit("b", 0.5, text="same words", source="y")]])
    (one,) = unique(fused)
    assert (one.chunk.id, one.also_in) == ("a", ("y",))
