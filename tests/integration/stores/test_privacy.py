"""Tests that other users can neither read nor change a data folder, for any umask."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from durability import quick, word_library

from ingest.host.private_files import close_to_others, exposed_paths
from ingest.library import Library
from ingest.maintenance.backup import write_backup
from ingest.maintenance.doctor import examine

ROOT = Path(__file__).resolve().parents[3]
SOMEBODY = 54321
needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files to another user")


def modes(folder: Path) -> dict[str, str]:
    """Returns the permissions of other users on a folder and its contents, where they have any."""
    found = {str(path.relative_to(folder)): path.lstat().st_mode for path in [folder, *folder.rglob("*")]}
    return {name: oct(mode & 0o777) for name, mode in found.items() if mode & 0o077}


@pytest.fixture
def open_umask():
    before = os.umask(0)
    yield
    os.umask(before)


@pytest.fixture
def filled(settings, write, open_umask):
    """All that a data folder can hold, written by a program with no umask at all that uses Footnote as a library."""
    with quick(settings) as footnote:
        upload = footnote.save_upload("note.txt", io.BytesIO(b"juniper berries are blue."))
        footnote.ingest([write("a.txt", "Apples are red."), upload])
        conversation = footnote.conversations.create("default")
        footnote.conversations.add_question(conversation.id, "What is red?")
        assert footnote.search("apples", 1)
        yield footnote


def test_all_files_are_the_owners_alone_while_and_after_they_are_written(filled, settings):
    names = {path.name for path in settings.data_dir.rglob("*")}
    assert {"footnote.sqlite", "footnote.sqlite-wal", "chats.sqlite-wal", "chroma.sqlite3", "meta.json"} <= names
    assert {"note.txt", "chroma.json", "chroma.log", "chroma.owner"} <= names
    assert modes(settings.data_dir) == {}
    filled.close()
    assert modes(settings.data_dir) == {}


def test_only_the_owner_can_read_an_archive_and_the_files_restored_from_it(filled, settings, tmp_path):
    from ingest.maintenance.restore import restore_backup

    archive = tmp_path / "all.zip"
    write_backup(filled.library, archive)
    assert archive.stat().st_mode & 0o077 == 0
    elsewhere = settings.model_copy(update={"data_dir": tmp_path / "new" / "data"})
    restore_backup(archive, elsewhere, word_library)
    assert (elsewhere.data_dir / "uploads" / "default" / "note.txt").exists()
    assert modes(tmp_path / "new") == {}


@pytest.mark.slow
def test_the_command_line_writes_for_its_owner_alone(tmp_path, write, open_umask):
    data, questions = tmp_path / "new" / "data", tmp_path / "questions.jsonl"
    environment = {**os.environ, "FOOTNOTE_DATA_DIR": str(data)}

    def run(*arguments: str) -> None:
        command = [sys.executable, "-m", "app", *arguments]
        done = subprocess.run(command, env=environment, cwd=ROOT, capture_output=True, text=True, check=False)
        assert done.returncode == 0, done.stderr

    run("ingest", str(write("a.txt", "The notice period of the contract is three months from the end of a quarter.")))
    run("eval", "generate", "-o", str(questions))
    assert modes(data.parent) == {}
    assert questions.stat().st_mode & 0o077 == 0


@pytest.fixture
def old(settings, write):
    """A data folder as older versions left it: open to all."""
    with quick(settings) as footnote:
        footnote.ingest([write("a.txt", "Apples are red."), footnote.save_upload("b.txt", io.BytesIO(b"Bears."))])
    for path in [settings.data_dir, *settings.data_dir.rglob("*")]:
        path.chmod(0o755 if path.is_dir() else 0o644)
    return settings


def test_an_old_folder_is_closed_when_it_is_opened(old):
    assert modes(old.data_dir)
    with Library(old):
        assert modes(old.data_dir) == {}


def test_the_doctor_finds_files_that_others_can_read_and_restricts_them(old):
    (old.data_dir / "footnote.sqlite").chmod(0o600)
    old.data_dir.chmod(0o700)
    found = [one for one in examine(old, open_library=word_library).problems if one.kind == "privacy"]
    assert len(found) == 1
    # Chroma decides how many files it keeps, so their number differs from run to run.
    assert re.search(re.escape(str(old.data_dir / "chats.sqlite")) + r" and \d+ more files and folders", found[0].what)
    (old.data_dir / "chroma").chmod(0o755)
    assert [one.kind for one in examine(old, fix=True, open_library=word_library).mended] == ["privacy"]
    assert modes(old.data_dir) == {}
    assert examine(old, open_library=word_library).problems == ()


def test_foreign_files_in_the_data_folder_are_not_changed(old):
    theirs = old.data_dir / "thesis.odt"
    theirs.write_bytes(b"mine")
    theirs.chmod(0o664)
    with Library(old):
        assert theirs.stat().st_mode & 0o777 == 0o664
        assert old.data_dir.stat().st_mode & 0o777 == 0o755
        assert set(modes(old.data_dir)) == {".", "thesis.odt"}


@needs_root
def test_a_folder_of_another_user_is_left_unchanged_with_one_warning(old, caplog):
    os.chown(old.data_dir, SOMEBODY, SOMEBODY)
    before = modes(old.data_dir)
    for _ in range(2):
        close_to_others(old.data_dir)
    assert modes(old.data_dir) == before
    (said,) = [record.message for record in caplog.records]
    assert str(old.data_dir) in said
    assert "belongs to another user" in said


def test_links_are_never_followed(old, tmp_path):
    outside = tmp_path / "outside.txt"
    outside.write_text("not ours")
    outside.chmod(0o644)
    (old.data_dir / "uploads" / "default" / "link.txt").symlink_to(outside)
    close_to_others(old.data_dir)
    assert list(exposed_paths(old.data_dir)) == []
    assert outside.stat().st_mode & 0o777 == 0o644


def test_folders_of_older_formats_are_closed_too(settings):
    with tarfile.open(ROOT / "tests" / "fixtures" / "index-4.tar.gz") as archive:
        archive.extractall(settings.data_dir, filter="data")
    with Library(settings):
        assert modes(settings.data_dir) == {}
