"""Paths that a user names -> the files to read: folders recursively, hidden and scratch files left out."""

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
    """What was found under the paths.

    Attributes:
        files: absolute paths, or addresses, to be read, in order, each once; those the user named are in `named` too.
        named: files that the user named one by one.
        skipped: files inside folders that are of no kind that can be read.
        failed: paths that cannot be used, with the reason.
        folders: the folders that were walked to the end, as absolute paths; of one that a link leads to, its own too.
        unfollowed: symbolic links inside folders that were left out as asked.
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
    """Looks at every path; only `is_supported` opens files.

    Args:
        paths: files, folders and addresses of web pages.
        is_supported: whether some loader reads this file.
        follow_links: whether symbolic links inside folders are followed, also out of them; each folder is entered once.
            Links that the user names are always followed.
        cancel: ends the looking early, with what was found so far.
    """
    look = _Look(is_supported, follow_links, cancel or threading.Event())
    for path in paths:
        if isinstance(path, str) and is_url(path):
            look.name(path)
        else:
            look.at(name_on_disk(os.fspath(path)))
    return look.found


def each_once(found: Scan, known: Iterable[str]) -> None:
    """Keeps of the files that are one and the same, by whatever links they were reached, one name.

    It is the name that the collection knows the file by, else its real one, else the first.

    Args:
        found: by `scan`; its `files` and `named` are changed.
        known: the sources of the collection.
    """
    known = list(known)
    real = _real_paths([*known, *found.files, *found.named])
    names: dict[str, str] = {}
    for source in known:
        if real[source] not in names or source == real[source]:
            names[real[source]] = source
    # File systems that take both forms of a name for one, as that of macOS does, give out the one that was asked for.
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
        return one == other or os.path.samefile(one, other)  # noqa: PTH121 - strings are at hand
    except OSError:
        return False


def _real_paths(sources: Iterable[str]) -> dict[str, str]:
    """The path of each file without any link; an address is its own. Each folder is looked at once."""
    folders: dict[str, str] = {}
    real: dict[str, str] = {}
    for source in dict.fromkeys(sources):
        if is_url(source):
            real[source] = source
        elif os.path.islink(source):  # noqa: PTH114 - a string is at hand
            real[source] = os.path.realpath(source)
        else:
            folder, name = os.path.split(source)
            if folder not in folders:
                folders[folder] = os.path.realpath(folder)
            real[source] = source if folders[folder] == folder else os.path.join(folders[folder], name)  # noqa: PTH118 - a string is at hand
    return real


def is_gone(source: str) -> bool:
    """Whether nothing is at `source` any more. A place that cannot be looked at does not count as empty."""
    try:
        os.lstat(source)
    except (FileNotFoundError, NotADirectoryError):
        return True
    except OSError:
        return False
    return False


def is_under(source: str, folder: str) -> bool:
    """Whether `source` lies in `folder`, at any depth."""
    return source.startswith(folder if folder.endswith(os.sep) else folder + os.sep)


class _Look:
    """Walks paths one after another, and sorts what is there into `found`."""

    def __init__(self, is_supported: Callable[[Path], bool], follow_links: bool, cancel: threading.Event) -> None:
        self.found = Scan()
        self._is_supported = is_supported
        self._follow_links = follow_links
        self._cancel = cancel

    def name(self, source: str) -> None:
        """Takes a file or an address that the user named."""
        if not is_storable(source):
            self._refuse_name(source)
            return
        if is_url(source) and (shown := masked(source)) != source:
            self.found.failed[shown] = (
                f"{shown} was not fetched: its address holds a user or password, which would be kept with it. "
                "Save the page, and ingest the file."
            )
            return
        self.found.files[source] = None
        self.found.named.add(source)

    def at(self, source: str) -> None:
        """Takes an absolute path that the user named: a file, or all that is in a folder."""
        if not is_storable(source):
            self._refuse_name(source)
        elif os.path.isdir(source):  # noqa: PTH112 - a string is at hand
            self._walk(source)
        elif reason := _why_unusable(source):
            self.found.failed[source] = reason
        else:
            self.name(source)

    def _walk(self, folder: str) -> None:
        self.found.folders.extend(dict.fromkeys((folder, os.path.realpath(folder))))
        entered: set[tuple[int, int]] = set()
        # What a link leads to comes last: a folder that is reached by its own name too goes by that.
        pending, linked = deque([folder]), deque[str]()
        while (pending or linked) and not self._cancel.is_set():
            here = pending.pop() if pending else linked.popleft()
            try:
                if not _enter(here, entered):
                    continue
                entries = sorted(os.scandir(here), key=lambda entry: entry.name)
            except OSError as error:
                self.found.failed[here] = (
                    f"The folder {here} could not be opened: {error.strerror}. Its files were left out."
                )
                continue
            folders = list(self._take(entries))
            pending.extend(entry.path for entry in reversed(folders) if not entry.is_symlink())
            linked.extend(entry.path for entry in folders if entry.is_symlink())

    def _take(self, entries: list[os.DirEntry[str]]) -> Iterator[os.DirEntry[str]]:
        """Sorts a folder's entries into `found`; gives out the folders among them."""
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
    """Whether the folder was not entered before, under whatever name: links may form a loop."""
    facts = os.stat(folder)  # noqa: PTH116 - a string is at hand
    key = (facts.st_dev, facts.st_ino)
    if key in entered:
        return False
    entered.add(key)
    return True


def _is_folder(entry: os.DirEntry[str]) -> bool:
    try:
        return entry.is_dir()
    except OSError:  # a link that leads back to itself
        return False


def _why_unusable(source: str) -> str:
    try:
        mode = os.stat(source).st_mode  # noqa: PTH116 - a string is at hand
    except FileNotFoundError:
        if os.path.islink(source):  # noqa: PTH114 - a string is at hand
            return f"{source} is a link to a file that does not exist. Mend the link, or name the file itself."
        return f"{source} does not exist. Check the path."
    except OSError as error:
        return f"{source} cannot be looked at: {error.strerror}. Check the path and its permissions."
    if not stat.S_ISREG(mode):
        return f"{source} is not a file or a folder, but a device, pipe or socket, and is not read."
    return ""
