"""Tests pipes, huge files, changing files and links: an ingest never waits, and reads the bytes that it hashed."""

from __future__ import annotations

import hashlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
import unicodedata
from functools import partial
from pathlib import Path

import psutil
import pytest

from app.bootstrap import open_footnote
from app.footnote import Footnote
from ingest.embedding.embedder import Embedder
from ingest.errors import Cancelled, LoadError, UnsupportedDocument
from ingest.host.regular_files import Fingerprint, fingerprint, open_regular_file
from ingest.library import Library
from ingest.loaders import is_readable
from ingest.loaders.sandbox.pool import LoaderPool
from ingest.sources.files import each_once, scan

pytestmark = pytest.mark.usefixtures("shared_chroma")

ROOT = Path(__file__).resolve().parents[3]
GIANT = 300 * 1024**3


def statuses(report) -> dict[str, str]:
    return {Path(one.path).name: one.status for one in report.documents}


def giant(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(GIANT)
    return path


def changing_after_hashing(settings, content: str) -> Footnote:
    """A Footnote whose files all change between hashing and reading."""

    class Late(LoaderPool):
        def load_all(self, paths, *more):
            return super().load_all(map(self.changed, paths), *more)

        def changed(self, path):
            path.write_text(content)
            return path

    return open_footnote(settings, partial(Library, open_loaders=Late))


def test_pipes_devices_and_giants_in_a_folder_are_named_failures(footnote, write):
    folder = write("good.txt", "Good words.").parent
    os.mkfifo(folder / "pipe.txt")
    os.mkfifo(folder / "pipe")  # of no ending: its first bytes would tell
    giant(folder / "giant.txt")
    (folder / "zero.txt").symlink_to("/dev/zero")
    report = footnote.ingest([folder])
    assert statuses(report) == {
        "good.txt": "added",
        "pipe.txt": "failed",
        "giant.txt": "failed",
        "zero.txt": "failed",
    }
    errors = {Path(one.path).name: one.error for one in report.documents}
    assert "device, pipe or socket" in errors["pipe.txt"]
    assert "307,200 MiB; the limit is 200" in errors["giant.txt"]


def test_opening_never_waits_also_where_a_file_becomes_a_pipe(tmp_path):
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UnsupportedDocument, match="pipe"), open_regular_file(tmp_path / "pipe"):
        pass
    with pytest.raises(UnsupportedDocument), open_regular_file(Path("/dev/zero")):
        pass
    assert not is_readable(tmp_path / "pipe")
    with LoaderPool(1, 60, 1024, 200) as pool:
        (loaded,) = pool.load_all([tmp_path / "pipe"])
    assert isinstance(loaded.result, UnsupportedDocument)


def test_a_file_too_large_is_refused_before_it_is_read_and_hashing_stops_when_asked(tmp_path):
    path, cancel = giant(tmp_path / "giant"), threading.Event()
    with pytest.raises(LoadError, match="the limit is"):
        fingerprint(path, 200, cancel)
    cancel.set()
    with pytest.raises(Cancelled):
        fingerprint(path, 10**9, cancel)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_the_first_signal_stops_an_ingest_that_hashes_a_giant(settings, write, number):
    path = giant(write("giant.txt"))
    environment = {**os.environ, "FOOTNOTE_DATA_DIR": str(settings.data_dir), "FOOTNOTE_MAX_FILE_MB": "1000000"}
    command = [sys.executable, "-m", "app", "ingest", str(path), "--json"]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, env=environment, cwd=ROOT)
    seen = psutil.Process(process.pid)
    while str(path) not in {file.path for file in seen.open_files()}:
        assert process.poll() is None
        time.sleep(0.05)
    process.send_signal(number)
    out, _ = process.communicate(timeout=60)
    assert (process.returncode, json.loads(out)["cancelled"]) == (130, True)


def test_the_bytes_that_are_kept_under_a_hash_are_the_bytes_that_were_read(footnote, write):
    path = write("a.txt", "The old words.")
    with changing_after_hashing(footnote.settings, "The new words, which are others.") as changing:
        changing.ingest([path])
    kept = footnote.index("default").docstore.known_version(1, str(path))
    assert footnote.search("words", 1)[0].chunk.text == "The new words, which are others."
    assert kept.content_sha == hashlib.sha256(path.read_bytes()).hexdigest()
    path.write_text("The old words.")
    assert statuses(footnote.ingest([path])) == {"a.txt": "updated"}


def test_a_failure_is_remembered_of_the_bytes_that_failed(footnote, write):
    path = write("a.json", '{"good": "words of the first"}')
    with changing_after_hashing(footnote.settings, "{broken") as changing:
        assert statuses(changing.ingest([path.parent])) == {"a.json": "failed"}
    path.write_text('{"good": "words of the first"}')
    assert statuses(footnote.ingest([path.parent])) == {"a.json": "added"}


def test_a_fingerprint_travels_as_bytes():
    one = Fingerprint.of(b"words")
    assert Fingerprint.unpack(one.pack()) == one


def test_a_folder_that_links_lead_to_is_ingested_once(footnote, write, tmp_path):
    real = write("b/a.txt", "Apples are red.").parent
    (real.parent / "a-link").symlink_to(real, target_is_directory=True)
    (real.parent / "file.txt").symlink_to(real / "a.txt")
    outside = tmp_path / "outside"
    outside.symlink_to(real.parent, target_is_directory=True)
    report = footnote.ingest([outside, real.parent])
    assert [one.path for one in report.documents] == [str(real / "a.txt")]
    again = footnote.ingest([outside])
    assert [(one.path, one.status) for one in again.documents] == [(str(real / "a.txt"), "unchanged")]
    assert len(footnote.documents("default")) == 1


def test_a_document_known_by_a_link_keeps_that_name(footnote, write, tmp_path):
    real = write("b/a.txt", "Apples are red.")
    link = tmp_path / "link"
    link.symlink_to(real.parent, target_is_directory=True)
    footnote.ingest([link])
    assert [row.source for row in footnote.documents("default")] == [str(link / "a.txt")]
    real.write_text("Apples are green.")
    report = footnote.ingest([real.parent])
    assert [(one.path, one.status) for one in report.documents] == [(str(link / "a.txt"), "updated")]


def test_pruning_removes_duplicates_ingested_by_an_earlier_version(tmp_path, write):
    real, link = write("b/a.txt"), tmp_path / "link"
    link.symlink_to(real.parent, target_is_directory=True)
    found = scan([link, real.parent], is_readable)
    each_once(found, [str(real), str(link / "a.txt")])
    assert list(found.files) == [str(real)]


def test_a_file_system_that_takes_both_forms_of_a_name_for_one_gives_one_document(write):
    """As on macOS; here, a second link to the file has the other form."""
    kept, asked = (write("x").with_name(unicodedata.normalize(form, "Größe.txt")) for form in ("NFD", "NFC"))
    kept.write_text("words")
    os.link(kept, asked)
    found = scan([asked], is_readable)
    each_once(found, [str(kept)])
    assert (list(found.files), found.named) == ([str(kept)], {str(kept)})
    asked.unlink()
    asked.write_text("another file")
    found = scan([asked], is_readable)
    each_once(found, [str(kept)])
    assert list(found.files) == [str(asked)]


def test_pruning_keeps_one_name_of_a_folder_that_has_become_a_link(footnote, write):
    real, copy = write("real/a.txt", "Apples are red."), write("copy/a.txt", "Apples are red.")
    folder = real.parents[1]
    assert footnote.ingest([folder]).count("added") == 2
    copy.unlink()
    copy.parent.rmdir()
    copy.parent.symlink_to(real.parent, target_is_directory=True)
    report = footnote.ingest([folder], prune=True)
    assert {one.path: one.status for one in report.documents} == {str(real): "unchanged", str(copy): "removed"}


def test_links_out_of_a_folder_are_followed_unless_that_is_not_wanted(footnote, write, tmp_path):
    inside = write("in/a.txt", "Apples.").parent
    outside = tmp_path / "secret.txt"
    outside.write_text("A secret.")
    (inside / "link.txt").symlink_to(outside)
    (inside / "up").symlink_to(tmp_path / "docs", target_is_directory=True)
    report = footnote.ingest([inside], follow_links=False)
    assert statuses(report) == {"a.txt": "added"}
    assert sorted(Path(one).name for one in report.unfollowed) == ["link.txt", "up"]
    assert statuses(footnote.ingest([inside])) == {"a.txt": "unchanged", "link.txt": "added"}


def test_an_ingest_that_is_stopped_does_not_wait_for_the_model(settings, write):
    cancel, released = threading.Event(), threading.Event()

    class Slow(Embedder):
        def load(self) -> None:
            cancel.set()
            released.wait(60)

    with open_footnote(settings, partial(Library, open_embedder=Slow)) as footnote:
        report = footnote.ingest([write("a.txt")], cancel=cancel)
    assert report.cancelled
    assert not released.is_set()
    released.set()


def test_looking_for_files_stops_when_asked(write):
    folder, cancel = write("a.txt").parent, threading.Event()
    cancel.set()
    assert not scan([folder], is_readable, cancel=cancel).files
