"""The files of a data folder: whether the disk takes writes, the databases are whole, and nothing was left over."""

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

# With less room, neither SQLite nor Chroma can be trusted to write.
ROOM_BYTES = 64 * 1024 * 1024
RESTORING = ".restore-"
DAMAGED = ".damaged"


@dataclass(frozen=True, slots=True)
class Finding:
    """A problem, and what mends it (None where only the user can)."""

    problem: Problem
    mend: Callable[[], object] | None = None


def files(folder: Path) -> Iterator[Finding]:
    """What is wrong with the files of a data folder."""
    if not folder.exists():
        return
    if not os.access(folder, os.W_OK) or not is_writable(folder):
        yield Finding(Problem("disk", f"{folder} cannot be written to.", "give yourself the right to write there"))
    elif (free := shutil.disk_usage(folder).free) < ROOM_BYTES:
        what = f"Only {free // 1024**2} MiB are free where {folder} lies."
        yield Finding(Problem("disk", what, f"make room: {ROOM_BYTES // 1024**2} MiB at least"))
    yield from _privacy(folder)
    yield from _databases(folder)
    left = [(path, "a restore") for path in folder.glob(RESTORING + "*")]
    left += [(path, "a doctor's visit") for path in folder.glob("*" + DAMAGED) if path.is_dir()]
    for path, by in left:
        what = f"{path} was left by {by} that was cut off."
        yield Finding(Problem("leftovers", what, "it is deleted"), partial(shutil.rmtree, path))


def _privacy(folder: Path) -> Iterator[Finding]:
    if found := list(exposed_paths(folder)):
        more = f" and {len(found) - 1:,} more files and folders" if found[1:] else ""
        what = f"Other users of this machine may read or change {found[0]}{more}."
        yield Finding(Problem("privacy", what, "they are closed to all but you"), partial(close_to_others, folder))


def _databases(folder: Path) -> Iterator[Finding]:
    backup = f"move {folder} away and bring back a backup with `footnote restore FILE`, or ingest the documents again"
    others = [folder / name for name in ("chroma", "lexical", UPLOADS, CONVERSATIONS) if (folder / name).exists()]
    if others and not (folder / DOCUMENTS).exists():
        what = f"{folder / DOCUMENTS}, which says what the documents are, is gone, while {others[0]} is there."
        yield Finding(Problem("documents", what, backup))
    for name, kind in ((DOCUMENTS, "documents"), (CONVERSATIONS, "conversations")):
        path = folder / name
        found = sqlite_problems(path) if path.exists() else []
        # Only where nothing but an index of SQLite's is broken: a damaged file is not written to.
        mend = partial(_reindex, path) if all("index" in what for what in found) else None
        fix = "SQLite's own indices are made anew" if mend else backup
        for what in found:
            yield Finding(Problem(kind, f"{path}: {what}", fix), mend)


def sqlite_problems(path: Path, *, ours: bool = True) -> list[str]:
    """What SQLite finds broken in a file. Chroma's own has foreign keys that do not hold even when it is well."""
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
    """Whether a file can be made in a folder."""
    probe = folder / ".writable"
    try:
        probe.write_bytes(b"x")
        probe.unlink()
    except OSError:
        return False
    return True
