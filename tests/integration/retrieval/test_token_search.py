"""Late interaction over a whole index: tokens' vectors come with a document, go with it, and are made up for."""

from __future__ import annotations

from functools import partial

import pytest
from durability import quick, word_library
from tests_support import save_static_model

from app.bootstrap import open_footnote
from app.footnote import Footnote
from ingest.embedding import Embedder
from ingest.library import Library
from ingest.maintenance.doctor import examine
from ingest.models import Query

pytestmark = pytest.mark.usefixtures("shared_chroma")

TEXTS = {
    "first.txt": "The tariff for copper rose in spring.",
    "second.txt": "The tariff for copper fell in autumn.",
    "third.txt": "Copper is mined in the north.",
}


@pytest.fixture
def words(settings, write):
    with quick(settings) as one:
        one.ingest([write(name, text) for name, text in TEXTS.items()])
        yield one


def chunk_ids(footnote: Footnote) -> list[str]:
    index = footnote.index("default")
    return index.docstore.chunk_ids(index.collection.id)


def kept_rows(footnote: Footnote) -> int:
    return footnote.index("default").docstore.database.query("SELECT count(*) FROM token_vectors")[0][0]


def forget_tokens(footnote: Footnote, where: str = "1 = 1") -> None:
    """Leaves what an older Footnote would have written."""
    with footnote.index("default").docstore.database.transaction() as db:
        db.execute(f"DELETE FROM token_vectors WHERE {where}")


def test_token_vectors_are_stored_once_per_text_and_deleted_with_its_last_document(words, write):
    assert kept_rows(words) == 3
    words.ingest([write("copy.txt", TEXTS["third.txt"])])
    assert kept_rows(words) == 3
    words.remove(str(write("third.txt", TEXTS["third.txt"])))
    assert kept_rows(words) == 3
    words.remove(str(write("copy.txt", TEXTS["third.txt"])))
    assert kept_rows(words) == 2


def test_the_nearest_tokens_decide_between_passages_alike(words):
    index = words.index("default")
    ids = {hit.chunk.source.rpartition("/")[2]: hit.chunk.id for hit in words.search("copper", 3)}
    near = index.token_scores("copper fell in autumn", sorted(ids.values()))
    assert max(near, key=near.__getitem__) == ids["second.txt"]
    earlier = index.token_scores(Query("copper", (("rose in spring", 0.9),)), sorted(ids.values()))
    assert max(earlier, key=earlier.__getitem__) == ids["first.txt"]


def test_where_some_have_no_tokens_the_order_is_that_of_both_searches(words):
    before = [hit.chunk.id for hit in words.search("copper tariff autumn", 3)]
    forget_tokens(words, "rowid = (SELECT min(rowid) FROM token_vectors)")
    index = words.index("default")
    assert index.token_scores("copper", chunk_ids(words)) == {}
    assert {hit.chunk.id for hit in words.search("copper tariff autumn", 3)} == set(before)


def test_the_doctor_adds_data_that_older_versions_did_not_store(words, settings):
    whole = words.index("default").token_scores("copper fell", chunk_ids(words))
    forget_tokens(words)
    (problem,) = examine(settings, open_library=word_library).problems
    assert problem.kind == "tokens"
    assert "3 texts of 'default'" in problem.what
    mended = examine(settings, open_library=word_library, fix=True)
    assert [one.kind for one in mended.mended] == ["tokens"]
    assert mended.problems == ()
    assert words.index("default").token_scores("copper fell", chunk_ids(words)) == whole


def test_a_model_without_vectors_of_tokens_searches_as_before_and_lacks_nothing(settings, write, tmp_path):
    static = settings.model_copy(update={"embedding_model": str(save_static_model(tmp_path / "static"))})
    with open_footnote(static) as footnote:
        footnote.ingest([write(name, text) for name, text in TEXTS.items()])
        assert footnote.index("default").token_scores("copper", chunk_ids(footnote)) == {}
        assert len(footnote.search("copper fell in autumn", 3)) == 3
    assert examine(static).problems == ()


class Counting(Embedder):
    """Remembers the texts that it embedded in whole or in part."""

    def __init__(self, *arguments, **options) -> None:
        super().__init__(*arguments, **options)
        self.read: list[str] = []

    def encode_tokens(self, texts):
        self.read += texts
        return super().encode_tokens(texts)

    def encode_sentences(self, texts):
        self.read += texts
        return super().encode_sentences(texts)


@pytest.mark.slow
def test_an_answer_is_quoted_from_stored_tokens_or_where_there_are_none_from_new_ones(settings, write):
    question = "What happened to the tariff in autumn?"
    with open_footnote(settings, partial(Library, open_embedder=Counting)) as one:
        one.ingest([write(name, text) for name, text in TEXTS.items()])
        embedder = one.index("default").embedder
        *_, stored = one.ask(question)
        assert set(embedder.read) <= {question}
        index = one.index("default")
        chunks = index.docstore.indexed_chunks(chunk_ids(one))
        assert len(index.token_vectors(chunks, embedder)) == len(TEXTS)
        assert index.token_vectors(chunks, Embedder()) == {}  # of a model that another one has replaced
        with one.index("default").docstore.database.transaction() as db:
            db.execute("UPDATE token_vectors SET others = NULL")  # as formats before 7 left it
        *_, made = one.ask(question)
        assert len(embedder.read) > len(TEXTS)
        assert stored.text == made.text == "The tariff for copper fell in autumn. [1]"
        assert stored.confidence == pytest.approx(made.confidence, abs=0.01)
        assert {problem.kind for problem in examine(settings).problems} == {"tokens"}
