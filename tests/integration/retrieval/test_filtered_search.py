"""Tests searches of selected documents: both searches and their fusion, tags, and filters that match nothing."""

from __future__ import annotations

from contextlib import closing
from datetime import datetime, timedelta

import pytest
from durability import PoolInProcess, copied, killed_at, quick, rest, steps_of, word_library
from tests_support import counting

from app.integrations.langchain import FootnoteRetriever
from app.models import Answer
from ingest.docstore.store import DocStore
from ingest.errors import QuestionError, SourceError
from ingest.filters import Filter
from ingest.index import Sizes
from ingest.library import DOCUMENTS
from ingest.maintenance.doctor import examine

pytestmark = pytest.mark.usefixtures("shared_chroma")

LEGS = pytest.mark.parametrize("leg", ["vector_search", "keyword_search"])
# Both ways of the vectors' leg: from the vectors that are kept, and by asking Chroma for more than is wanted.
WAYS = pytest.mark.parametrize(
    "sizes", [Sizes(), Sizes(most_whole=0, most_exact=0, chunks_a_result=0)], ids=["exact", "Chroma"], indirect=True
)
ANIMALS = ("elephant", "otter", "badger", "heron")


@pytest.fixture
def sizes(request):
    return getattr(request, "param", Sizes())


@pytest.fixture
def zoo(settings, write, loads, sizes):
    """Documents of two types in two folders; those of the second are tagged."""
    for number in range(12):
        animal = ANIMALS[number % len(ANIMALS)]
        text = f"The {animal} of story {number} is a large grey animal. It is {animal} number {number}."
        write(f"{'first' if number < 8 else 'first_2'}/{number}.{'md' if number % 2 else 'txt'}", text)
    with quick(settings, open_loaders=counting(PoolInProcess, loads), sizes=sizes) as footnote:
        folder = settings.data_dir.parent / "docs"
        footnote.ingest([folder / "first"])
        footnote.ingest([folder / "first_2"], tags=["Contract", "new"])
        yield footnote


@pytest.fixture
def folder(settings):
    return settings.data_dir.parent / "docs"


def names(hits) -> set[str]:
    return {hit.chunk.source.rsplit("/", 1)[-1] for hit in hits}


def filters(folder) -> list[Filter]:
    today = datetime.now().astimezone().date()
    return [
        Filter.of(sources=[str(folder / "first")]),
        Filter.of(sources=[str(folder / "first" / "2.txt"), str(folder / "first_2")]),
        Filter.of(types=["MD"]),
        Filter.of(tags=["contract"]),
        Filter.of(tags=["contract"], types=["txt"]),
        Filter.of(since=today, until=today + timedelta(days=1)),
        Filter.of(until=today - timedelta(days=7)),
    ]


@LEGS
@WAYS
def test_a_filter_does_not_change_the_scores_of_a_search(zoo, folder, leg):
    index = zoo.index("default")
    search = getattr(index, leg)
    everything = search("large grey otter number 5", 100)
    scores = {hit.chunk.id: hit.score for hit in everything}
    for within in filters(folder):
        versions = set(index.docstore.selection.versions(index.collection.id, within))
        for k in (1, 3, 100):
            hits = search("large grey otter number 5", k, within=within)
            assert {hit.chunk.version_id for hit in hits} <= versions
            assert len(hits) == min(k, len([hit for hit in everything if hit.chunk.version_id in versions]))
            assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
            for hit in hits:
                assert hit.score == pytest.approx(scores[hit.chunk.id], abs=1e-5)
            best = [hit.score for hit in everything if hit.chunk.version_id in versions][:k]
            assert [hit.score for hit in hits] == pytest.approx(best, abs=1e-5)


@LEGS
def test_an_empty_filter_is_no_filter(zoo, leg):
    search = getattr(zoo.index("default"), leg)
    assert search("otter", 5, within=Filter()) == search("otter", 5) == search("otter", 5, within=None)


@WAYS
def test_a_filter_sees_what_changes(zoo, folder, write):
    within = Filter.of(sources=[str(folder / "first_2")])
    assert names(zoo.search("otter", 20, within=within)) == {"8.txt", "9.md", "10.txt", "11.md"}
    zoo.ingest([write("first_2/12.txt", "One more otter came.")])
    zoo.remove(str(folder / "first_2" / "8.txt"))
    assert names(zoo.search("otter", 20, within=within)) == {"9.md", "10.txt", "11.md", "12.txt"}
    write("first_2/9.md", "Nothing but sand.")
    zoo.ingest([folder / "first_2"])
    hits = zoo.search("sand", 1, within=within)
    assert hits[0].chunk.text == "Nothing but sand."


def test_vectors_that_are_not_kept_are_read_from_chroma(zoo, folder):
    index, within = zoo.index("default"), Filter.of(sources=[str(folder / "first")])
    wanted = index.vector_search("otter", 20)
    with index.docstore.database.transaction() as db:
        db.execute("DELETE FROM vectors WHERE rowid % 2")
        db.execute("UPDATE embedders SET kept = 0")  # as in a folder of format 2
    found = index.vector_search("otter", 20, within=within)
    scores = {hit.chunk.id: hit.score for hit in wanted}
    assert len(found) == 8
    assert all(hit.score == pytest.approx(scores[hit.chunk.id], abs=1e-5) for hit in found)


def test_answers_searches_and_retrievers_keep_to_the_filter(zoo, folder):
    within = Filter.of(tags=["contract"])
    allowed = {"8.txt", "9.md", "10.txt", "11.md"}
    assert names(zoo.search("large grey animal", 20, within=within)) == allowed
    answer = next(e for e in zoo.ask("Which otter is number 5?", within=within) if isinstance(e, Answer))
    assert {c.document.rsplit("/", 1)[-1] for c in (*answer.citations, *answer.nearest)} <= allowed
    documents = FootnoteRetriever(retriever=zoo.retriever("default"), k=20, within=within).invoke("otter")
    assert {one.metadata["source"].rsplit("/", 1)[-1] for one in documents} == allowed


def test_an_error_about_a_filter_that_matches_nothing_lists_the_choices(zoo):
    within = Filter.of(types=["pdf"], tags=["contract"])
    for work in (lambda: zoo.search("otter", 5, within=within), lambda: zoo.ask("otter?", within=within)):
        with pytest.raises(QuestionError) as caught:
            work()
        assert str(caught.value) == (
            "No document of the collection 'default' matches the filter: of type pdf; tagged contract. "
            "Available types: md, txt. Available tags: contract, new. "
            "`footnote report` lists the documents with their days, periods and tags."
        )


def tags(footnote) -> dict[str, tuple[str, ...]]:
    return {row.source.rsplit("/", 1)[-1]: row.tags for row in footnote.documents("default") if row.tags}


def test_tags_of_unchanged_documents_are_set_without_reading_them(zoo, folder, loads):
    loads.clear()
    report = zoo.ingest([folder / "first_2"], tags=["Old  Stuff", "old stuff"])
    assert (report.count("unchanged"), report.embedded, loads) == (4, 0, [])
    assert tags(zoo) == dict.fromkeys(("8.txt", "9.md", "10.txt", "11.md"), ("old stuff",))
    zoo.ingest([folder / "first_2"])
    assert tags(zoo)["8.txt"] == ("old stuff",)


def test_an_edited_document_keeps_its_tags_and_a_removed_one_loses_them(zoo, folder, write):
    zoo.ingest([write("first_2/8.txt", "Now about herons.")])
    assert tags(zoo)["8.txt"] == ("contract", "new")
    zoo.remove(str(folder / "first_2" / "8.txt"))
    zoo.ingest([folder / "first_2" / "8.txt"])
    assert "8.txt" not in tags(zoo)


def test_tags_are_added_and_taken_away(zoo, folder):
    rows = zoo.tag(str(folder / "first_2"), add=["Signed"], remove=["new", "never had"])
    assert [row.tags for row in rows] == [("contract", "signed")] * 4
    zoo.tag(str(folder / "first" / "1.md"), add=["signed"])
    assert names(zoo.search("animal", 20, within=Filter.of(tags=["signed"]))) >= {"1.md", "8.txt"}
    with pytest.raises(SourceError, match="holds no document"):
        zoo.tag("/no/such", add=["x"])
    with pytest.raises(QuestionError, match="both added and removed"):
        zoo.tag(str(folder), add=["x"], remove=["X "])


class TaggedIngest:
    """One new document, one edited, one unchanged, all with a tag."""

    def __init__(self, folder) -> None:
        self.folder = folder

    def __call__(self, footnote) -> None:
        footnote.ingest([self.folder], tags=["tagged"])


@pytest.mark.slow
def test_killed_anywhere_a_tagged_ingest_is_finished_by_the_next(settings, tmp_path, write):
    folder = write("a.txt", "apple one.").parent
    write("b.txt", "bear one.")
    with quick(settings) as footnote:
        footnote.ingest([folder])
    rest(settings)
    write("b.txt", "bear two.")
    write("c.txt", "cat one.")
    work = TaggedIngest(folder)
    names_of_steps = steps_of(copied(settings, tmp_path / "counted"), work)
    assert "Tags.put" in names_of_steps
    for step in (names_of_steps.index("Tags.put") + 1, names_of_steps.index("Versions.activate") + 1):
        broken = copied(settings, tmp_path / f"killed-{step}")
        killed_at(broken, work, step)
        with closing(DocStore.open(broken.data_dir / DOCUMENTS)) as store:
            for row in store.holdings.documents(1):
                assert row.tags in {(), ("tagged",)}
        with quick(broken) as footnote:
            work(footnote)
            assert tags(footnote) == dict.fromkeys(("a.txt", "b.txt", "c.txt"), ("tagged",))
        rest(broken)
        assert examine(broken, open_library=word_library).ok
