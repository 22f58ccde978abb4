"""Tests that deleted text is gone from searches, files and answers, and that its disk space is freed."""

from __future__ import annotations

import io
import os
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest
from durability import quick, rest, word_library

from app.models import Answer
from app.ui.components import rendering
from ingest.index import Sizes
from ingest.maintenance.doctor import examine

SECRET = "xanthophyllous"


def holding(folder: Path, word: str) -> list[str]:
    """Returns the names of the files under a folder that contain a word."""
    files = [Path(at) / name for at, _, names in os.walk(folder) for name in names]
    # The server's socket holds nothing, and cannot be read.
    return sorted(path.name for path in files if path.is_file() and word.encode() in path.read_bytes().lower())


def answer_to(footnote, question: str) -> Answer:
    return next(event for event in footnote.ask(question) if isinstance(event, Answer))


@pytest.mark.parametrize("how", ["removed", "pruned", "changed"])
def test_deleted_text_remains_in_no_file(settings, write, how):
    path = write("secret.txt", f"The {SECRET} plan is kept in the blue room.")
    write("other.txt", "Other documents stay where they are.")
    with quick(settings) as footnote:
        footnote.ingest([path.parent])
        index = footnote.index("default")
        assert index.keyword_search(SECRET, 3)
        if how == "removed":
            assert footnote.remove(str(path)) == 1
        elif how == "pruned":
            path.unlink()
            assert footnote.ingest([path.parent], prune=True).count("removed") == 1
        else:
            path.write_text("Nothing is planned.")
            assert footnote.ingest([path.parent]).count("updated") == 1
        assert index.keyword_search(SECRET, 3) == []
        assert all(SECRET not in hit.chunk.text for hit in index.vector_search(SECRET, 10))
        assert [name for name in holding(settings.data_dir, SECRET) if "chroma" not in name] == []
    rest(settings)
    assert holding(settings.data_dir, SECRET) == []  # Chroma's own files, once its server has ended


@pytest.mark.slow
def test_words_that_cannot_be_removed_from_chromas_files_are_found_by_the_doctor(settings, write):
    path = write("secret.txt", f"The {SECRET} plan is kept in the blue room.")
    with quick(settings) as footnote:
        footnote.ingest([path])
        footnote.remove(str(path))
        with closing(sqlite3.connect(settings.data_dir / "chroma" / "chroma.sqlite3")) as chroma:
            chroma.execute("ALTER TABLE segments ADD COLUMN of_another_version TEXT")
    rest(settings)
    assert holding(settings.data_dir, SECRET) == ["chroma.sqlite3"]
    (problem,) = examine(settings, open_library=word_library).problems
    assert problem.kind == "deleted"
    assert "its table segments has the columns id, type, scope, collection, of_another_version" in problem.what
    rest(settings)
    with closing(sqlite3.connect(settings.data_dir / "chroma" / "chroma.sqlite3")) as chroma:
        chroma.execute("ALTER TABLE segments DROP COLUMN of_another_version")
    diagnosis = examine(settings, fix=True, open_library=word_library)
    assert diagnosis.problems == ()
    assert [one.kind for one in diagnosis.mended] == ["deleted"]
    rest(settings)
    assert holding(settings.data_dir, SECRET) == []


def test_a_removed_upload_is_deleted_and_old_answers_say_so(footnote):
    path = footnote.save_upload("leave.txt", io.BytesIO(b"Parental leave is 26 weeks at full pay."))
    footnote.ingest([path])
    answer = answer_to(footnote, "How long is parental leave?")
    (citation,) = answer.citations
    assert not footnote.is_removed(citation.document, "default")
    assert footnote.surroundings(citation).quote == citation.quote
    assert footnote.remove(str(path)) == 1
    assert not path.exists()
    assert footnote.is_removed(citation.document, "default")
    assert footnote.surroundings(citation) is None
    after = answer_to(footnote, "How long is parental leave?")
    assert after.refused
    assert after.nearest == ()
    shown = rendering.notes_html([(citation, rendering.REMOVED)], "1")
    assert "26 weeks" in shown
    assert rendering.REMOVED in shown


def test_a_document_in_two_collections_is_removed_from_one_only(settings, write):
    path = write("both.txt", "copper wire is stored here.")
    with quick(settings) as footnote:
        footnote.ingest([path])
        footnote.ingest([path], collection="Second")
        footnote.remove(str(path), collection="Second")
        assert footnote.search("copper", 1)
        assert footnote.search("copper", 1, collection="Second") == []
        assert examine(settings, open_library=word_library).problems == ()


@pytest.mark.slow
def test_disk_space_comes_back(settings, tmp_path):
    folder = tmp_path / "many"
    folder.mkdir()
    (folder / "kept.txt").write_text("kept word")
    with quick(settings) as footnote:
        footnote.ingest([folder])
    rest(settings)
    empty = footnote.bytes_on_disk()
    for i in range(60):
        (folder / f"{i}.txt").write_text(" ".join(f"w{i}x{j}" for j in range(900)))
    with quick(settings) as footnote:
        footnote.ingest([folder])
    rest(settings)
    full = footnote.bytes_on_disk()
    for i in range(60):
        (folder / f"{i}.txt").unlink()
    with quick(settings, sizes=Sizes(garbage=50, most_whole=0)) as footnote:
        assert footnote.ingest([folder], prune=True).count("removed") == 60
        assert [hit.chunk.text for hit in footnote.search("kept", 5)] == ["kept word"]
    rest(settings)
    left = footnote.bytes_on_disk() - empty
    assert left < 0.1 * (full - empty), f"{left:,} of {full - empty:,} bytes did not come back"
