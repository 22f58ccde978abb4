"""A document is found by its words as soon as its text is written; its vectors follow, and no crash loses them."""

from __future__ import annotations

import threading

import pytest
from durability import quick, word_library
from faults import watched
from unembedded import killed_while_embedding, leave_two_unembedded, names, unembedded, vectors

from app.cli.output import status_json
from ingest.filters import Filter
from ingest.index import reembed, roll_back
from ingest.index.indexing import EMBED_BATCH
from ingest.maintenance.backup import write_backup
from ingest.maintenance.doctor import examine
from ingest.maintenance.restore import restore_backup
from ingest.vectors.store import VectorStore

pytestmark = pytest.mark.usefixtures("shared_chroma")
WORDS_ONLY = "are not embedded yet: they were found by their words only."


@pytest.fixture
def unprocessed(settings):
    """A Footnote with real stores, and fakes of the model and the reading processes."""
    with quick(settings) as one:
        yield one


@pytest.fixture
def stopped(unprocessed, write):
    leave_two_unembedded(unprocessed, write)
    return unprocessed


def test_a_document_answers_by_its_words_while_it_is_embedded(unprocessed, write):
    unprocessed.ingest([write("old.txt", "apples are red")])
    found, answers, seen = [], [], []

    def look(_):
        found.append(unprocessed.retrieve("What colour are bears?", 3))
        answers.append([*unprocessed.ask("What colour are bears?")][-1])

    with watched(VectorStore, "upsert", look, before=True):
        report = unprocessed.ingest([write("new.txt", "bears are brown")], on_progress=seen.append)
    assert report.unembedded == 0
    assert 0 < report.text_seconds < report.seconds
    (during,) = found
    assert names(during.hits)[0] == "new.txt"
    assert during.notices == (f"1 of 2 passages {WORDS_ONLY}",)
    assert "bears are brown" in answers[0].text
    assert WORDS_ONLY in answers[0].notice
    afterwards = unprocessed.retrieve("What colour are bears?", 3)
    assert names(afterwards.hits)[0] == "new.txt"
    assert afterwards.notices == ()
    phases = [(one.embedding, one.files_done, one.chunks_done, one.chunks_total) for one in seen if not one.scanning]
    assert phases == [(False, 1, 0, 1), (True, 1, 0, 1), (True, 1, 1, 1)]


def test_a_collection_without_any_vector_is_searched_by_words(unprocessed, write):
    killed_while_embedding(unprocessed, [write("a.txt", "apples are red"), write("b.txt", "bears are brown")])
    assert vectors(unprocessed) == set()
    assert names(unprocessed.search("What colour are bears?", 2))[0] == "b.txt"
    assert unprocessed.index("default").vector_search("bears", 2) == []


def test_what_a_kill_left_is_embedded_by_the_next_ingest(stopped, write):
    assert unembedded(stopped) == 2
    assert len(vectors(stopped)) == 1
    assert names(stopped.search("cedars", 1)) == ["second.txt"]
    (status,) = stopped.status()
    assert (status.documents, status.chunks, status.unembedded) == (3, 3, 2)
    assert status_json([status], stopped.settings.data_dir, 0)["collections"][0]["unembedded"] == 2
    report = stopped.ingest([write("old.txt", "apples are red")])
    # The model has read the texts: only Chroma lacks the vectors.
    assert (report.count("unchanged"), report.embedded, report.unembedded) == (1, 0, 0)
    assert len(vectors(stopped)) == 3
    assert examine(stopped.settings, open_library=word_library).problems == ()


def test_another_process_finds_a_collection_that_is_partly_embedded_sound(stopped):
    with quick(stopped.settings) as other:
        assert names(other.search("cedars", 1)) == ["second.txt"]
        assert names(other.search("apples", 1)) == ["old.txt"]
        assert unembedded(other) == 2  # a search does not wait for the model


def test_a_stop_while_embedding_keeps_the_texts_and_what_is_embedded(unprocessed, write):
    cancel = threading.Event()
    many = write("many.txt", "\n\n".join(f"word{i} " * 55 for i in range(2 * EMBED_BATCH + 8)))
    with watched(VectorStore, "upsert", lambda _: cancel.set()):
        report = unprocessed.ingest([many], cancel=cancel)
    assert report.cancelled
    assert report.count("added") == 1
    assert report.unembedded == report.chunks == 2 * EMBED_BATCH + 8
    kept = len(vectors(unprocessed))
    assert 0 < kept == report.embedded < report.chunks
    again = unprocessed.ingest([many])
    assert (again.embedded, again.unembedded) == (report.chunks - kept, 0)
    assert len(vectors(unprocessed)) == report.chunks


def test_the_doctor_reports_and_embeds_what_is_left(stopped):
    (problem,) = examine(stopped.settings, open_library=word_library).problems
    assert problem.what == "2 chunks are not embedded in 'default': an ingest was interrupted, or is at work."
    mended = examine(stopped.settings, fix=True, open_library=word_library)
    assert (mended.problems, mended.mended) == ((), (problem,))
    assert unembedded(stopped) == 0


def test_lost_vectors_are_restored_without_embedding_what_has_none(stopped):
    index = stopped.index("default")
    index.leg(index.embedders()["current"]).store.drop()
    with quick(stopped.settings) as other:
        assert names(other.search("apples", 1)) == ["old.txt"]
        assert len(vectors(other)) == 1
        assert unembedded(other) == 2


def test_documents_that_searches_found_are_embedded_first_then_the_newest(stopped):
    unwritten, collection = stopped.library.docstore.unembedded, stopped.index("default").collection.id
    ids = {
        name: stopped.search(word, 1)[0].chunk.version_id
        for name, word in {"bears": "bears", "cedars": "cedars"}.items()
    }
    stopped.search("bears", 1)
    assert unwritten.first(collection, 10) == [(ids["bears"], 0, 1), (ids["cedars"], 0, 1)]
    assert unwritten.first(collection, 1) == [(ids["bears"], 0, 1)]
    for _ in range(2):
        stopped.search("cedars", 1)
    assert unwritten.first(collection, 1) == [(ids["cedars"], 0, 1)]


def test_the_newest_come_first_if_none_was_asked_for(unprocessed, write):
    for name in ("one", "two", "three"):
        killed_while_embedding(unprocessed, [write(f"{name}.txt", f"{name} words")])
    store = unprocessed.library.docstore
    first = store.unembedded.first(unprocessed.index("default").collection.id, 10)
    assert [store.indexed_chunks([f"{one.version}-000000"])[0].chunk.text.split()[0] for one in first] == [
        "three",
        "two",
        "one",
    ]


def test_the_line_about_words_counts_the_documents_that_are_searched(stopped):
    old, new = (
        next(r.source for r in stopped.documents("default") if r.source.endswith(n)) for n in ("old.txt", "first.txt")
    )
    assert stopped.retrieve("apples", 1, within=Filter(sources=(old,))).notices == ()
    (notice,) = stopped.retrieve("bears", 1, within=Filter(sources=(new,))).notices
    assert notice == f"1 of 1 passages {WORDS_ONLY}"


def test_a_new_version_of_a_document_is_found_before_its_vectors_are_written(stopped, write):
    killed_while_embedding(stopped, [write("old.txt", "apples are yellow")])
    assert [hit.chunk.text for hit in stopped.search("apples", 1)] == ["apples are yellow"]
    assert unembedded(stopped) == 3
    stopped.remove(str(write("first.txt", "gone")))
    assert unembedded(stopped) == 2
    assert stopped.ingest([write("old.txt", "apples are yellow")]).unembedded == 0
    assert len(vectors(stopped)) == 2


@pytest.mark.parametrize("back", [False, True])
def test_a_change_of_model_embeds_everything(stopped, back):
    index = stopped.index("default")
    if back:
        reembed(index, "other", force=True)
        killed_while_embedding(stopped, [stopped.settings.data_dir.parent / "docs" / "old.txt", _later(stopped)])
        assert unembedded(stopped) == 1
        roll_back(index)
    else:
        reembed(index, "other", force=True)
    assert unembedded(stopped) == 0
    assert len(vectors(stopped)) == index.docstore.count_chunks(index.collection.id)
    assert examine(stopped.settings, open_library=word_library).problems == ()


def _later(footnote):
    path = footnote.settings.data_dir.parent / "docs" / "later.txt"
    path.write_text("lions are yellow")
    return path


def test_a_backup_keeps_what_is_not_embedded(stopped, tmp_path):
    write_backup(stopped.library, tmp_path / "all.zip")
    there = stopped.settings.model_copy(update={"data_dir": tmp_path / "there"})
    restore_backup(tmp_path / "all.zip", there, word_library)
    with quick(there) as restored:
        assert unembedded(restored) == 2
        assert names(restored.search("cedars", 1)) == ["second.txt"]
        assert restored.index("default").docstore.count_chunks(1) == 3
