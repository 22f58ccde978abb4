"""Finds problems in a data folder, and fixes those that the document store can.

Both indexes can be rebuilt from it entirely, without the original files.
"""

from __future__ import annotations

import shutil
import sqlite3
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from ingest.errors import FootnoteError, LoadError, VectorStoreError
from ingest.index import (
    CHROMA_NAME,
    Index,
    writing,
)
from ingest.library import DOCUMENTS, Library
from ingest.loaders import confinement_of
from ingest.maintenance.disk_checks import DAMAGED, ROOM_BYTES, Finding, files, is_writable, sqlite_problems
from ingest.maintenance.index_checks import REBUILD_VECTORS, index_findings
from ingest.reports import Diagnosis, Problem, not_confined
from ingest.settings import Settings
from ingest.vectors import RunFolder

ALLOW = (
    "allow user namespaces (on Ubuntu `sysctl kernel.apparmor_restrict_unprivileged_userns=0`, on Debian "
    "`sysctl kernel.unprivileged_userns_clone=1`), "
)


def examine(
    settings: Settings,
    *,
    fix: bool = False,
    open_library: Callable[[Settings], Library] = Library,
    on_wait: Callable[[str], None] | None = None,
) -> Diagnosis:
    """Examines a data folder while others may use it; waits for the current writer.

    Args:
        settings: names the folder.
        fix: fixes problems where possible.
        open_library: opens the folder.
        on_wait: called with the current writer while waiting.

    Returns:
        The problems; with `fix`, the remaining ones and those that were fixed.
    """
    visit = _Visit(settings, open_library, on_wait)
    found = list(visit.findings(fix=fix))
    if not fix or not found:
        return Diagnosis(tuple(one.problem for one in found))
    remaining = tuple(one.problem for one in visit.findings(fix=False))
    kept = {(one.kind, one.what) for one in remaining}
    return Diagnosis(remaining, tuple(one.problem for one in found if (one.problem.kind, one.problem.what) not in kept))


def try_reading(settings: Settings) -> Diagnosis:
    """Starts a reading process and reports its sandbox; a problem if it cannot read files."""
    try:
        found = confinement_of(settings.load_memory_mb, allow_unconfined=settings.allow_unconfined)
    except LoadError as error:
        return Diagnosis((Problem("reading", str(error), "until then no file can be read; see the message"),))
    return Diagnosis(facts=(str(found), *map(not_confined, found.missing)))


def server_facts(settings: Settings) -> tuple[str, ...]:
    """Reports that the local Chroma server was open to other users when it last started; empty if it was not."""
    why = "" if settings.chroma_url else RunFolder(settings.data_dir / "run").open_reason()
    said = (
        f"The Chroma server is open: every user of this machine can read and change the vectors ({why}). On a machine "
        f"with other users, {ALLOW if sys.platform == 'linux' else ''}use a separate container, or set "
        "FOOTNOTE_CHROMA_URL to a server with authentication."
    )
    return (said,) if why else ()


@dataclass(frozen=True, slots=True)
class _Visit:
    """The scope and options of one examination."""

    settings: Settings
    open_library: Callable[[Settings], Library]
    on_wait: Callable[[str], None] | None

    def findings(self, *, fix: bool) -> Iterator[Finding]:
        """Yields one problem after another; with `fix`, each is fixed before the next is looked for."""
        documents = self.settings.data_dir / DOCUMENTS
        readable = documents.exists()
        for finding in files(self.settings.data_dir):
            yield _mended(finding) if fix else finding
            if finding.problem.kind == "documents":
                readable = fix and documents.exists() and not sqlite_problems(documents)
        if not readable:
            return  # without the document store, nothing can be compared
        try:
            library = self.open_library(self.settings)
        except FootnoteError as error:
            yield Finding(Problem("documents", str(error), "see the message"))
            return
        with library:
            for finding in _stores(library, self.on_wait):
                yield _mended(finding) if fix else finding


def _mended(finding: Finding) -> Finding:
    if finding.mend:
        with suppress(FootnoteError, OSError, sqlite3.Error):  # a remaining problem is found by the second examination
            finding.mend()
    return finding


def _stores(library: Library, on_wait: Callable[[str], None] | None) -> Iterator[Finding]:
    indexes = [library.index(name) for name in library.collections()]
    yield from _chroma_files(library, indexes)
    for index in indexes:
        with writing(index, "doctor's visit", on_wait) as writer:
            yield from index_findings(index, writer)
    yield from _orphans(library)


def _chroma_files(library: Library, indexes: list[Index]) -> Iterator[Finding]:
    """Checks Chroma's own SQLite file, and that its server starts."""
    folder = library.chroma.folder
    if folder is None or not any(index.embedders() for index in indexes):
        return
    path = folder / "chroma.sqlite3"
    problems = sqlite_problems(path, ours=False) if path.exists() else []
    if not problems:
        try:
            library.chroma.collections()
        except VectorStoreError as error:
            problems = [str(error)]
    if problems:
        what = f"Chroma's folder {folder} is damaged: {problems[0]}"
        fix = "it is replaced by an empty one, and " + REBUILD_VECTORS
        yield Finding(Problem("vector-store", what, fix), lambda: _replace_folder(library, folder, indexes))
    elif why := library.chroma.compaction_error():
        yield Finding(Problem("deleted", why, "it is removed now"), library.chroma.compact)


def _replace_folder(library: Library, folder: Path, indexes: list[Index]) -> None:
    if not is_writable(folder.parent) or shutil.disk_usage(folder.parent).free < ROOM_BYTES:
        return  # the folder may be intact and the disk failing
    aside = folder.with_name(folder.name + DAMAGED)
    with library.chroma.stopped():
        shutil.rmtree(aside, ignore_errors=True)
        folder.rename(aside)
    for index in indexes:
        with writing(index, "doctor's visit") as writer:
            writer.recover()
    shutil.rmtree(aside)


def _orphans(library: Library) -> Iterator[Finding]:
    """Yields indexes that belong to no collection. Lists indexes first, because others may be creating collections."""
    text_indexes = library.settings.data_dir / "lexical"
    folders = list(text_indexes.iterdir()) if text_indexes.is_dir() else []
    names: list[str] = []
    if library.chroma.folder is not None and library.chroma.folder.exists():
        with suppress(VectorStoreError):  # already reported by the server check
            names = library.chroma.collections()
    uids = {library.index(name).collection.uid for name in library.collections()}
    for folder in folders:
        if folder.name.partition(".")[0] not in uids:  # a suffix marks one under construction
            what = f"The text index {folder} belongs to no collection."
            yield Finding(Problem("orphans", what, "it is deleted"), partial(shutil.rmtree, folder))
    for name in names:
        found = CHROMA_NAME.search(name)
        if found is None or found[1] not in uids:
            what = f"The Chroma collection {name} belongs to no collection of documents."
            yield Finding(Problem("orphans", what, "it is deleted"), partial(library.chroma.drop, name))
