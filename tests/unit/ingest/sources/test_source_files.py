"""Tests which files an ingest reads, and the errors of those it cannot read."""

from __future__ import annotations

import os
from contextlib import contextmanager
from pathlib import Path

import pytest

from ingest.sources.files import is_gone, is_under, scan


def is_text(path: Path) -> bool:
    return path.suffix == ".txt"


@contextmanager
def as_nobody(folder: Path):
    """Switches to an unprivileged user, because root may open every file."""
    if os.geteuid() != 0:
        yield
        return
    for one in (folder, *folder.parents):
        if one.name.startswith(("pytest-", "popen-", folder.name)):
            one.chmod(0o755)
    os.seteuid(65534)
    try:
        yield
    finally:
        os.seteuid(0)


def test_files_come_in_order_each_once(tmp_path):
    for name in ("b.txt", "a/z.txt", "a/y.txt"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    found = scan([tmp_path, tmp_path / "a", tmp_path / "b.txt"], is_text)
    assert [os.path.relpath(path, tmp_path) for path in found.files] == ["b.txt", "a/y.txt", "a/z.txt"]
    assert found.named == {str(tmp_path / "b.txt")}


def test_a_folder_without_permission_is_reported_and_its_files_do_not_count_as_gone(tmp_path):
    secret = tmp_path / "closed" / "secret.txt"
    secret.parent.mkdir()
    secret.touch()
    secret.parent.chmod(0)
    try:
        with as_nobody(tmp_path):
            found = scan([tmp_path], is_text)
            gone = is_gone(str(secret))
    finally:
        secret.parent.chmod(0o700)
    assert "could not be opened: Permission denied" in found.failed[str(secret.parent)]
    assert not gone


def test_a_source_is_gone_if_its_file_does_not_exist(tmp_path):
    (tmp_path / "a.txt").touch()
    assert not is_gone(str(tmp_path / "a.txt"))
    assert is_gone(str(tmp_path / "b.txt"))
    assert is_gone(str(tmp_path / "a.txt" / "below.txt"))


def test_devices_and_pipes_are_never_opened(tmp_path):
    os.mkfifo(tmp_path / "pipe.txt")
    found = scan([tmp_path / "pipe.txt"], is_text)
    assert "is a device, pipe or socket" in found.failed[str(tmp_path / "pipe.txt")]


def test_a_file_named_by_the_user_is_taken_even_if_hidden(tmp_path):
    (tmp_path / ".hidden.txt").touch()
    assert list(scan([tmp_path / ".hidden.txt"], is_text).files) == [str(tmp_path / ".hidden.txt")]
    assert not scan([tmp_path], is_text).files


@pytest.mark.parametrize(
    ("source", "folder", "expected"), [("/a/b.txt", "/a", True), ("/ab/c.txt", "/a", False), ("/a/b", "/", True)]
)
def test_a_folder_matches_by_whole_names(source, folder, expected):
    assert is_under(source, folder) is expected
