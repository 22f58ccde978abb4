"""Checks the files of a data folder: disk space, permissions, database integrity, and leftovers."""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ingest.host import close_to_others, exposed_paths
from ingest.library import CONVERSATIONS, DOCUMENTS, UPLOADS
from ingest.reports import Problem

# With less free space, writes of SQLite and Chroma may fail.
ROOM_BYTES = 64 * 1024 * 1024
RESTORING = ".restore-"
DAMAGED = ".damaged"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, and the function that fixes it (None if only the user can)."""

    problem: Problem
    mend: Callable[[], object] | None = None


def files(folder: Path) -> Iterator[Finding]:
    """Yields the problems of a data folder's files."""
    if not folder.exists():
        return
    if not os.access(folder, os.W_OK) or not is_writable(folder):
        yield Finding(Problem("disk", f"{folder} cannot be written to.", "give yourself write access to it"))
    elif (free := shutil.disk_usage(folder).free) < ROOM_BYTES:
        what = f"Only {free // 1024**2} MiB are free on the disk of {folder}."
        yield Finding(Problem("disk", what, f"free at least {ROOM_BYTES // 1024**2} MiB"))
    yield from _privacy(folder)
    yield from _databases(folder)
    left = [(path, "a restore") for path in folder.glob(RESTORING + "*")]
    left += [(path, "a repair") for path in folder.glob("*" + DAMAGED) if path.is_dir()]
    for path, by in left:
        what = f"{path} was left by {by} that was interrupted."
        yield Finding(Problem("leftovers", what, "it is deleted"), partial(shutil.rmtree, path))


def _privacy(folder: Path) -> Iterator[Finding]:
    if found := list(exposed_paths(folder)):
        more = f" and {len(found) - 1:,} more files and folders" if found[1:] else ""
        what = f"Other users of this machine may read or change {found[0]}{more}."
        yield Finding(
            Problem("privacy", what, "their permissions are restricted to you"), partial(close_to_others, folder)
        )


def _databases(folder: Path) -> Iterator[Finding]:
    backup = f"move {folder} away and restore a backup with `footnote restore FILE`, or ingest the documents again"
    others = [folder / name for name in ("chroma", "lexical", UPLOADS, CONVERSATIONS) if (folder / name).exists()]
    if others and not (folder / DOCUMENTS).exists():
        what = f"{folder / DOCUMENTS}, the database of documents, is missing, while {others[0]} exists."
        yield Finding(Problem("documents", what, backup))
    for name, kind in ((DOCUMENTS, "documents"), (CONVERSATIONS, "conversations")):
        path = folder / name
        found = sqlite_problems(path) if path.exists() else []
        # Fixes only broken SQLite indexes; a damaged file is not written to.
        mend = partial(_reindex, path) if all("index" in what for what in found) else None
        fix = "SQLite's own indexes are rebuilt" if mend else backup
        for what in found:
            yield Finding(Problem(kind, f"{path}: {what}", fix), mend)


def sqlite_problems(path: Path, *, ours: bool = True) -> list[str]:
    """Returns SQLite's integrity errors of a file. Chroma's own file violates foreign keys even when it is intact."""
    try:
        with closing(sqlite3.connect(path, timeout=60)) as db:
            found = [str(row[0]) for row in db.execute("PRAGMA integrity_check(20)")]
            lost = [f"a row of {row[0]} refers to nothing" for row in db.execute("PRAGMA foreign_key_check") if ours]
    except sqlite3.Error as error:
        return [str(error)]
    return [*(one for one in found if one != "ok"), *lost[:20]]


def _reindex(path: Path) -> None:
    with closing(sqlite3.connect(path, timeout=60)) as db:
        db.execute("REINDEX")


def is_writable(folder: Path) -> bool:
    """Returns True if a file can be created in a folder."""
    probe = folder / ".writable"
    try:
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError:
        return False
    return True
