"""Finds the files to read under paths: walks folders recursively, skipping hidden and temporary files."""

from __future__ import annotations

import os
import stat
import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.loaders import is_ignored
from ingest.text import composed_name, escaped, is_storable, name_on_disk
from ingest.urls import is_url, masked


@dataclass(slots=True)
class Scan:
    """The files found under the given paths.

    Attributes:
        files: absolute paths or addresses to read, in order, without duplicates; includes those in `named`.
        named: files that the user named individually.
        skipped: files inside folders whose type is not supported.
        failed: unusable paths, with the reason.
        folders: absolute paths of completely walked folders; for a linked folder, its real path too.
        unfollowed: symbolic links inside folders that were left out, as requested.
    """

    files: dict[str, None] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    skipped: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)
    unfollowed: list[str] = field(default_factory=list)


def scan(
    paths: Sequence[Path | str],
    is_supported: Callable[[Path], bool],
    *,
    follow_links: bool = True,
    cancel: threading.Event | None = None,
) -> Scan:
    """Scans all paths; only `is_supported` opens files.

    Args:
        paths: files, folders and addresses of web pages.
        is_supported: returns True if a loader can read the file.
        follow_links: follows symbolic links inside folders, even if they lead outside; each folder is entered once.
            Links that the user names are always followed.
        cancel: ends the scan early, with the files found so far.
    """
    look = _Look(is_supported, follow_links, cancel or threading.Event())
    for path in paths:
        if isinstance(path, str) and is_url(path):
            look.name(path)
        else:
            look.at(name_on_disk(os.fspath(path)))
    return look.found


def each_once(found: Scan, known: Iterable[str]) -> None:
    """Keeps one name for each file that was reached by several links.

    The chosen name is the one known to the collection, else the real path, else the first.

    Args:
        found: a result of `scan`; its `files` and `named` are modified.
        known: the sources of the collection.
    """
    known = list(known)
    real = _real_paths([*known, *found.files, *found.named])
    names: dict[str, str] = {}
    for source in known:
        if real[source] not in names or source == real[source]:
            names[real[source]] = source
    # File systems that ignore the Unicode form, such as macOS's, return the form that was asked for.
    twins = {composed_name(path): name for path, name in names.items() if not path.isascii()}
    kept: dict[str, str] = {}
    for source in sorted(found.files, key=lambda one: real[one] != one):  # real names first
        twin = twins.get(composed_name(real[source]), source)
        kept.setdefault(real[source], names.get(real[source]) or (twin if _is_same_file(twin, source) else source))
    named = {kept[real[source]] for source in found.named}
    found.files = dict.fromkeys(kept[real[source]] for source in found.files)
    found.named = named


def _is_same_file(one: str, other: str) -> bool:
    try:
        return one == other or os.path.samefile(one, other)  # noqa: PTH121 - the paths are strings
    except OSError:
        return False


def _real_paths(sources: Iterable[str]) -> dict[str, str]:
    """Returns the path of each file with links resolved; addresses unchanged. Each folder is resolved once."""
    folders: dict[str, str] = {}
    real: dict[str, str] = {}
    for source in dict.fromkeys(sources):
        if is_url(source):
            real[source] = source
        elif os.path.islink(source):  # noqa: PTH114 - the path is a string
            real[source] = os.path.realpath(source)
        else:
            folder, name = os.path.split(source)
            if folder not in folders:
                folders[folder] = os.path.realpath(folder)
            real[source] = source if folders[folder] == folder else os.path.join(folders[folder], name)  # noqa: PTH118 - a string
    return real


def is_gone(source: str) -> bool:
    """Returns True if nothing exists at `source` any more. An inaccessible place does not count as empty."""
    try:
        os.lstat(source)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def is_under(source: str, folder: str) -> bool:
    """Returns True if `source` lies in `folder`, at any depth."""
    return source.startswith(folder if folder.endswith(os.sep) else folder + os.sep)


class _Look:
    """Walks paths one after another, and adds their files to `found`."""

    def __init__(self, is_supported: Callable[[Path], bool], follow_links: bool, cancel: threading.Event) -> None:
        self.found = Scan()
        self._is_supported = is_supported
        self._follow_links = follow_links
        self._cancel = cancel

    def name(self, source: str) -> None:
        """Adds a file or an address that the user named."""
        if not is_storable(source):
            self._refuse_name(source)
            return
        if is_url(source) and (shown := masked(source)) != source:
            self.found.failed[shown] = (
                f"{shown} was not fetched: its address contains a user name or password, which would be stored. "
                "Save the page, and ingest the file."
            )
            return
        self.found.files[source] = None
        self.found.named.add(source)

    def at(self, source: str) -> None:
        """Adds a file at an absolute path that the user named, or all files in the folder there."""
        if not is_storable(source):
            self._refuse_name(source)
        elif os.path.isdir(source):  # noqa: PTH112 - the path is a string
            self._walk(source)
        elif reason := _why_unusable(source):
            self.found.failed[source] = reason
        else:
            self.name(source)

    def _walk(self, folder: str) -> None:
        self.found.folders.extend(dict.fromkeys((folder, os.path.realpath(folder))))
        entered: set[tuple[int, int]] = set()
        # Linked folders are walked last, so that a folder that is also reached by its own name is listed under that.
        pending, linked = deque([folder]), deque[str]()
        while (pending or linked) and not self._cancel.is_set():
            here = pending.pop() if pending else linked.popleft()
            try:
                if not _enter(here, entered):
                    continue
                entries = sorted(os.scandir(here), key=lambda entry: entry.name)
            except OSError as error:
                self.found.failed[here] = (
                    f"The folder {here} could not be opened: {error.strerror}. Its files were skipped."
                )
                continue
            folders = list(self._take(entries))
            pending.extend(entry.path for entry in reversed(folders) if not entry.is_symlink())
            linked.extend(entry.path for entry in folders if entry.is_symlink())

    def _take(self, entries: list[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
        """Adds a folder's files to `found`; yields its subfolders."""
        for entry in entries:
            if self._cancel.is_set():
                return
            if is_ignored(entry.name):
                continue
            if not is_storable(entry.path):
                self._refuse_name(entry.path)
            elif entry.is_symlink() and not self._follow_links:
                self.found.unfollowed.append(entry.path)
            elif _is_folder(entry):
                yield entry
            elif not self._is_supported(Path(entry.path)):
                self.found.skipped.append(entry.path)
            elif entry.is_symlink() and (reason := _why_unusable(entry.path)):
                self.found.failed[entry.path] = reason
            else:
                self.found.files[entry.path] = None

    def _refuse_name(self, source: str) -> None:
        shown = escaped(source)
        self.found.failed[shown] = f"The name of {shown} is not valid UTF-8. Rename it, then ingest it again."


def _enter(folder: str, entered: set[tuple[int, int]]) -> bool:
    """Returns True if the folder was not entered before under any name: links may form a loop."""
    facts = os.stat(folder)  # noqa: PTH116 - the path is a string
    key = (facts.st_dev, facts.st_ino)
    if key in entered:
        return False
    entered.add(key)
    return True


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link to itself
        return False


def _why_unusable(source: str) -> str:
    try:
        mode = os.stat(source).st_mode  # noqa: PTH116 - the path is a string
    except FileNotFoundError:
        if os.path.islink(source):  # noqa: PTH114 - the path is a string
            return f"{source} is a link to a file that does not exist. Fix the link, or name the file itself."
        return f"{source} does not exist. Check the path."
    except OSError as error:
        return f"{source} cannot be accessed: {error.strerror}. Check the path and its permissions."
    if not stat.S_ISREG(mode):
        return f"{source} is a device, pipe or socket, which cannot be read. Name a file or a folder."
    return ""
