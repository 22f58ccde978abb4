"""Tests the write path on real stores: new, unchanged, changed, removed and failed documents."""

from __future__ import annotations

import os
import shutil
import threading

import pytest
from faults import failing
from tests_support import save_tiny_model

from app.bootstrap import open_footnote
from ingest.errors import EmbedderMismatch, SourceError
from ingest.maintenance.doctor import examine
from ingest.sources.uploads import safe_name

pytestmark = pytest.mark.usefixtures("shared_chroma")


def statuses(report):
    return {os.path.basename(one.path): one.status for one in report.documents}


@pytest.mark.slow
def test_a_folder_is_read_with_all_that_is_in_it_and_nothing_hidden(footnote, write, write_pdf, write_docx):
    write("a.txt", "Apples are red.")
    write("deep/er/b.md", "# Bears\n\nBears are brown.")
    write("c.html", "<p>Cats are grey.</p>")
    write_pdf("d.pdf", ["Dogs are black."])
    folder = write_docx("e.docx", [("Normal", "Emus are tall.")]).parent
    for name in (".hidden.txt", ".git/config.txt", "node_modules/x.txt", "~$e.docx", "song.mp3"):
        write(name, "Not to be read.")
    report = footnote.ingest([folder])
    assert set(statuses(report)) == {"a.txt", "b.md", "c.html", "d.pdf", "e.docx"}
    assert report.count("added") == 5
    assert [os.path.basename(path) for path in report.skipped] == ["song.mp3"]
    assert [page for page in (one.pages for one in report.documents) if page] == [1]
    for question, document in {"red apples": "a.txt", "brown bears": "b.md", "tall emus": "e.docx"}.items():
        assert footnote.search(question, 1)[0].chunk.source.endswith(document)


def test_a_second_run_over_unchanged_files_loads_and_embeds_nothing(footnote, write, loads):
    folder = write("a.txt", "Apples are red.").parent
    footnote.ingest([folder])
    loads.clear()
    report = footnote.ingest([folder])
    assert statuses(report) == {"a.txt": "unchanged"}
    assert (report.embedded, report.chunks, loads) == (0, 0, [])


@pytest.mark.slow
def test_a_changed_file_replaces_its_old_version_at_once(footnote, write):
    path = write("a.txt", "The limit is forty euros.")
    footnote.ingest([path])
    write("a.txt", "The limit is ninety euros.")
    assert statuses(footnote.ingest([path])) == {"a.txt": "updated"}
    hits = footnote.search("What is the limit?", 10)
    assert [hit.chunk.text for hit in hits] == ["The limit is ninety euros."]
    assert examine(footnote.settings).problems == ()


def test_a_changed_file_embeds_only_what_changed(footnote, write):
    parts = [f"# Part {i}\n\nThe colour of thing {i} is number {i}." for i in range(6)]
    path = write("a.md", "\n\n".join(parts))
    first = footnote.ingest([path])
    write("a.md", "\n\n".join([*parts[:5], parts[5] + " And one more."]))
    assert footnote.ingest([path]).embedded < first.embedded


def test_the_same_content_under_two_names_is_embedded_once(footnote, write):
    first, second = write("a.txt", "Apples are red."), write("b.txt", "Apples are red.")
    report = footnote.ingest([first, second])
    assert (report.count("added"), report.embedded) == (2, 1)
    assert footnote.ingest([write("c.txt", "Apples are red.")]).embedded == 0
    (hit,) = footnote.search("apples", 5)
    assert hit.chunk.source in {str(first), str(second), str(first.with_name("c.txt"))}


def test_prune_removes_missing_files_only_under_the_given_folders(footnote, write):
    here, there = write("here/a.txt", "Apples."), write("there/b.txt", "Bears.")
    footnote.ingest([here.parent, there.parent])
    here.unlink()
    there.unlink()
    assert footnote.ingest([here.parent]).count("removed") == 0
    report = footnote.ingest([here.parent], prune=True)
    assert statuses(report) == {"a.txt": "removed"}
    assert [row.source for row in footnote.documents("default")] == [str(there)]
    assert footnote.search("apples", 5)[0].chunk.source == str(there)


def test_a_failure_is_remembered_until_the_bytes_change(footnote, write, write_pdf, loads):
    path = write("a.pdf", "not a pdf")
    folder = path.parent
    assert footnote.ingest([folder]).count("failed") == 1
    loads.clear()
    again = footnote.ingest([folder])
    assert "is not a PDF: it contains plain text" in again.documents[0].error
    assert loads == []
    footnote.ingest([path])  # named by the user: tried again
    assert loads == [path]
    write_pdf("a.pdf", ["Now it is one."])
    assert footnote.ingest([folder]).count("added") == 1
    assert footnote.status()[0].failures == {}


def test_a_file_that_fails_keeps_its_old_version(footnote, write, write_pdf):
    path = write_pdf("a.pdf", ["Apples are red."])
    footnote.ingest([path])
    write("a.pdf", "broken now")
    assert footnote.ingest([path]).count("failed") == 1
    assert footnote.search("apples", 1)[0].chunk.text == "Apples are red."
    (row,) = footnote.documents("default")
    assert row.status == "active"
    assert "is not a PDF" in row.error


def test_one_bad_file_does_no_harm_to_the_others(footnote, write, tmp_path):
    write("good.txt", "Good words.")
    write("empty.txt", "")
    write("binary.txt", bytes(range(256)) * 10)
    write("letter.docx", "no zip")
    report = footnote.ingest([tmp_path / "docs", tmp_path / "nowhere"])
    assert statuses(report) == {
        "nowhere": "failed",
        "good.txt": "added",
        "empty.txt": "failed",
        "binary.txt": "failed",
        "letter.docx": "failed",
    }
    assert all(os.path.basename(one.path) in one.error for one in report.documents if one.status == "failed")


@pytest.mark.slow
@pytest.mark.parametrize("name", ["a\nb.txt", 'it\'s "quoted".md', "🦉 emoji.html", "x" * 246 + ".txt"])
def test_strange_names_travel_through_every_store(footnote, write, name):
    path = write(name, "Owls see at night.")
    assert footnote.ingest([path.parent]).count("added") == 1
    (hit,) = footnote.search("owls", 3)
    assert hit.chunk.source == str(path)
    assert footnote.remove(str(path)) == 1
    assert footnote.search("owls", 3) == []


def test_a_file_name_that_is_not_utf8_is_refused_and_reported(footnote, write):
    folder = write("good.txt", "Good words.").parent
    (folder / os.fsdecode(b"caf\xe9.txt")).write_text("words")
    report = footnote.ingest([folder])
    assert (report.count("added"), report.count("failed")) == (1, 1)
    assert "not valid UTF-8" in next(one.error for one in report.documents if one.status == "failed")


def test_loops_of_links_end_and_links_to_nothing_are_reported(footnote, write):
    folder = write("a.txt", "Apples.").parent
    (folder / "loop").symlink_to(folder, target_is_directory=True)
    (folder / "self.txt").symlink_to(folder / "self.txt")
    (folder / "dangling.txt").symlink_to(folder / "nothing.txt")
    report = footnote.ingest([folder])
    assert statuses(report) == {"a.txt": "added", "self.txt": "failed", "dangling.txt": "failed"}


def test_removing_a_folder_removes_its_documents_from_every_store(footnote, write):
    folder = write("in/a.txt", "Apples.").parent
    write("in/b.txt", "Bears.")
    keep = write("c.txt", "Cats.")
    footnote.ingest([folder, keep])
    assert footnote.remove(str(folder)) == 2
    assert [row.source for row in footnote.documents("default")] == [str(keep)]
    assert examine(footnote.settings).problems == ()
    with pytest.raises(SourceError, match="holds no document"):
        footnote.remove(str(folder))


def test_collections_are_apart(footnote, write):
    footnote.ingest([write("a.txt", "Apples are red.")], collection="work")
    footnote.ingest([write("b.txt", "Bears are brown.")], collection="home")
    assert footnote.collections() == ["home", "work"]
    assert footnote.search("red apples", 5, collection="home")[0].chunk.text == "Bears are brown."
    with pytest.raises(SourceError, match=r"no collection 'play'. Collections: home, work"):
        footnote.search("x", 5, collection="play")
    with pytest.raises(SourceError, match="cannot be the name"):
        footnote.ingest([write("c.txt")], collection="../evil")


@pytest.mark.slow
def test_a_stopped_run_keeps_finished_work_and_resumes(footnote, write):
    for i in range(150):
        write(f"{i:03d}.txt", f"Thing number {i} is kept in box {i * 7}.")
    folder = write("x.txt").parent
    cancel = threading.Event()

    def stop(progress):
        if progress.files_done:
            cancel.set()

    first = footnote.ingest([folder], on_progress=stop, cancel=cancel)
    assert first.cancelled
    done = first.count("added")
    assert 0 < done < 151
    assert len(footnote.documents("default")) == done
    second = footnote.ingest([folder])
    assert second.count("unchanged") == done
    assert done + second.count("added") == 151
    assert examine(footnote.settings).problems == ()


@pytest.mark.slow
def test_a_run_killed_before_activation_leaves_the_old_version_and_is_finished_later(footnote, write):
    path = write("a.txt", "The old limit is forty.")
    footnote.ingest([path])
    write("a.txt", "The new limit is ninety.")
    docstore = footnote.index("default").docstore
    with failing(docstore.versions, "activate", KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        footnote.ingest([path])
    assert [hit.chunk.text for hit in footnote.search("limit", 5)] == ["The old limit is forty."]
    report = footnote.ingest([path])
    assert (report.count("updated"), report.embedded) == (1, 1)
    assert [hit.chunk.text for hit in footnote.search("limit", 5)] == ["The new limit is ninety."]
    assert examine(footnote.settings).problems == ()


@pytest.mark.slow
def test_two_ingests_at_the_same_time_take_turns(settings, write):
    folders = []
    for name in ("one", "two"):
        for i in range(20):
            write(f"{name}/{i}.txt", f"{name} thing {i}")
        folders.append(write(f"{name}/x.txt", f"{name} last").parent)
    shared_one = write("both.txt", "In both runs.")
    with open_footnote(settings) as first, open_footnote(settings) as second:
        reports = {}
        threads = [
            threading.Thread(target=lambda f=f, i=i: reports.update({i: f.ingest([folders[i], shared_one])}))
            for i, f in enumerate((first, second))
        ]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert all(report.count("failed") == 0 for report in reports.values())
        assert sum(report.count("added") for report in reports.values()) == 43
        assert examine(first.settings).problems == ()


@pytest.mark.slow
def test_setting_another_model_breaks_no_index(settings, write, tmp_path):
    path = write("a.txt", "Apples are red.")
    with open_footnote(settings) as footnote:
        footnote.ingest([path])
    model = save_tiny_model(tmp_path / "tiny")
    with open_footnote(settings.model_copy(update={"embedding_model": str(model)})) as footnote:
        assert footnote.ingest([path]).count("unchanged") == 1
        assert footnote.ingest([write("b.txt", "Bears are brown.")]).count("added") == 1
        assert footnote.search("bears", 1)[0].chunk.text == "Bears are brown."
        assert f"footnote reembed --model {model}" in footnote.model_note()
        assert footnote.ingest([path], collection="tiny").count("added") == 1
        assert footnote.search("apples", 1, collection="tiny")[0].chunk.source == str(path)
        assert footnote.model_note("tiny") == ""
    with open_footnote(settings) as footnote:  # a collection opens with its own model, whatever is set
        assert footnote.search("apples", 1)[0].chunk.text == "Apples are red."
        assert footnote.search("apples", 1, collection="tiny")[0].chunk.text == "Apples are red."


def test_a_model_folder_with_other_weights_is_noticed(settings, write, tmp_path):
    model = save_tiny_model(tmp_path / "tiny")
    tiny = settings.model_copy(update={"embedding_model": str(model)})
    with open_footnote(tiny) as footnote:
        footnote.ingest([write("a.txt", "Apples are red.")])
    shutil.rmtree(model)
    save_tiny_model(model, seed=2)
    with open_footnote(tiny) as footnote, pytest.raises(EmbedderMismatch, match="or settings have changed"):
        footnote.search("apples", 1)


def test_uploads_are_kept_under_safe_names(footnote, write):
    with write("a.txt", "Apples are red.").open("rb") as data:
        path = footnote.save_upload("../../etc/pass\nwd.txt", data)
    assert path.parent == footnote.settings.data_dir / "uploads" / "default"
    assert path.name == "pass_wd.txt"
    footnote.ingest([path])
    footnote.remove(str(path))
    assert not path.exists()
    assert safe_name("..") == "upload"
    assert len(safe_name("ü" * 400 + ".txt").encode()) <= 200
    assert safe_name("C:\\docs\\a.pdf") == "a.pdf"
