"""Tests the two searches, which share one signature."""

from __future__ import annotations

from functools import partial

import pytest
from faults import watched
from tests_support import written_before

from app.bootstrap import open_footnote
from app.retrieval.ordering import Scored, unique
from app.retrieval.retriever import UNKNOWN_SCRIPT
from ingest.docstore.store import DocStore
from ingest.embedding import Embedder
from ingest.library import Library
from ingest.maintenance.doctor import examine
from ingest.models import Chunk, SearchHit, StoredChunk

pytestmark = pytest.mark.usefixtures("shared_chroma")


@pytest.mark.slow
@pytest.mark.parametrize("leg", ["vector_search", "keyword_search"])
def test_a_search_ranks_the_best_first_and_returns_only_active_chunks(footnote, write, leg):
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
def test_a_search_of_an_empty_collection_finds_nothing(footnote, leg):
    assert getattr(footnote.index("default"), leg)("anything", 5) == []


@pytest.mark.parametrize("query", ['"', "AND OR NOT", "a:b", "(((", "*", "\\", "\0", "🦉", "-", "x" * 7_000, "^~[]{}"])
def test_no_question_is_read_as_a_query_language(sampled, query):
    sampled.search(query, 5)


@pytest.mark.slow
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


@pytest.mark.slow
@pytest.mark.parametrize(
    ("question", "absent", "nearest"),
    [
        ("How heavy is the GX-310C?", [], []),
        ("How heavy is the gx310c?", [], []),
        ("How heavy is the GX-311C?", ["GX-311C"], ["GX-310C"]),
        ("What is in GX-310C.txt and in “grey matter”?", ["grey matter"], []),
    ],
)
def test_an_identifier_that_no_document_contains_is_reported_with_the_nearest_ones(
    footnote, write, question, absent, nearest
):
    footnote.ingest([write("GX-310C.txt", "It weighs 31 kg."), write("other.txt", "The GX-310C is grey.")])
    found = footnote.retriever("default").absent(question)
    assert [one.text for one in found] == absent
    assert [name for one in found for name in one.nearest] == nearest


@pytest.mark.slow
def test_the_chunk_that_contains_the_named_identifier_comes_first(footnote, write):
    footnote.ingest(
        [write(f"{n}.txt", f"The weight of part 81-20{n} is {n} kg, the weight in all.") for n in range(10, 40)]
    )
    (first, *_) = footnote.search("What is the weight, the weight in all, of 81-2024?", 3)
    assert "81-2024" in first.chunk.text


@pytest.mark.slow
def test_a_script_that_the_model_does_not_know_is_searched_by_keywords_alone_and_says_so(footnote, write):
    class English(Embedder):
        def knows(self, text):
            return text.isascii()

    footnote.ingest([write("a.txt", "โรงงานปิดเวลา 17:00 น."), write("b.txt", "Bread is baked in the morning.")])
    with open_footnote(footnote.settings, partial(Library, open_embedder=English)) as english:
        found = english.retriever("default").passages("โรงงานปิดกี่โมง", 3)
        asked_in_english = english.retriever("default").passages("When is bread baked?", 3)
    assert [passage.text for passage in found.passages] == ["โรงงานปิดเวลา 17:00 น."]
    assert found.notices == (UNKNOWN_SCRIPT,)
    assert [passage.text for passage in asked_in_english.passages] == ["Bread is baked in the morning."]
    assert asked_in_english.notices == ()


@pytest.mark.slow
def test_a_search_can_score_chunks_that_it_did_not_find(footnote, write):
    texts = ["Elephants are large grey animals.", "Bread is baked in the grey morning.", "Rivers run to the sea."]
    footnote.ingest([write(f"{n}.txt", text) for n, text in enumerate(texts)])
    index = footnote.index("default")
    for search, scores in ((index.vector_search, index.vector_scores), (index.keyword_search, index.keyword_scores)):
        found = {hit.chunk.id: hit.score for hit in search("large grey elephants", 3)}
        assert scores("large grey elephants", [*found, "of no chunk"]) == pytest.approx(found, abs=1e-5)
        assert scores("large grey elephants", []) == {}


@pytest.mark.slow
@pytest.mark.parametrize("question", ["what is the ZX81", "the ZX81", "zx81?"])
def test_a_question_is_searched_by_its_content_words(footnote, write, question):
    path = write("a.txt", "A ZX81 has one kilobyte of memory.")
    footnote.ingest([path, write("b.txt", "What is the use of the thing that is what it is?")])
    assert [hit.chunk.source for hit in footnote.index("default").keyword_search(question, 2)] == [str(path)]


@pytest.mark.slow
def test_a_question_of_stop_words_alone_is_searched_by_them(footnote, write):
    path = write("a.txt", "To be or not to be, that is what he asked.")
    footnote.ingest([path, write("b.txt", "Rivers run.")])
    assert footnote.index("default").keyword_search("to be or not to be", 1)[0].chunk.source == str(path)


@pytest.mark.slow
def test_a_chunk_scores_higher_if_its_neighbours_match(footnote, write):
    twice = "The pump must be drained before winter."
    story = "\n\n".join([" ".join(f"Word{n} of story {m}." for n in range(40)) for m in range(4)])
    beside = write("beside.md", f"{' '.join(['Frost breaks a pump in winter that was not drained.'] * 8)}\n\n{twice}")
    alone = write("alone.md", f"{story}\n\n{twice} Really.\n\n{story}")
    footnote.ingest([alone, beside])
    hits = [hit for hit in footnote.search("drained pump winter", 10) if twice in hit.chunk.text]
    assert [hit.chunk.source for hit in hits] == [str(beside), str(alone)]


def test_equal_texts_are_shown_once_with_their_other_sources():
    first, second = hit("a", 1.0, text="same  words", source="x"), hit("b", 0.5, text="same words", source="y")
    (one,) = unique([Scored(one.chunk, one.score) for one in (first, second)])
    assert (one.chunk.id, one.also_in) == ("a", ("y",))


@pytest.mark.slow
def test_chunks_of_an_older_chunker_are_found_and_replaced_by_the_next_ingest(footnote, write):
    paragraphs = [" ".join([f"Pump {n} is drained before the winter of its year."] * 8) for n in range(2)]
    path = write("a.txt", "\n\n".join(paragraphs))
    both = path.read_text()
    written_before(footnote, path, [Chunk(0, 0, len(both), both, None, (), "")])
    (hit,) = footnote.search("pump 1", 2)
    assert hit.chunk.text == "\n\n".join(paragraphs)
    assert footnote.ingest([path]).count("updated") == 1
    assert sorted(hit.chunk.text for hit in footnote.search("pump 1", 2)) == paragraphs
    assert examine(footnote.settings).ok


def test_chunks_are_read_once_until_documents_change(footnote, write):
    footnote.ingest([write("a.txt", "Apples are red."), write("b.txt", "Bears are brown.")])
    read = []
    with watched(DocStore, "active_chunks", lambda arguments: read.append(len(arguments[2]))):
        first = footnote.search("red apples", 2)
        assert sum(read) == 2
        assert footnote.search("apples", 2)[0].chunk == first[0].chunk
        assert sum(read) == 2
        footnote.remove(first[0].chunk.source)
        assert [hit.chunk.text for hit in footnote.search("apples", 2)] == ["Bears are brown."]
        assert sum(read) > 2


def test_words_in_an_unknown_script_rank_alone_where_all_is_embedded(footnote, write):
    """A question that the model does not know has no vector, so no document is ahead for lacking a score by meaning."""
    footnote.ingest([write("ja.txt", "X100 の保証期間は二年です"), write("en.txt", "The X100 is a small red radio.")])
    for question in ("X100 の保証期間は何年ですか", "X100 の保証期間"):
        found = footnote.search(question, 2)
        assert [hit.chunk.source.rpartition("/")[2] for hit in found] == ["ja.txt", "en.txt"]
