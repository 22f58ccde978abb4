"""Paths that a user names -> the files to read: folders recursively, hidden and scratch files left out."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from ingest.loaders.formats import is_ignored
from ingest.network import is_url


@dataclass(slots=True)
class Scan:
    """What was found under the paths.

    Attributes:
        files: absolute paths, or addresses, to be read, in order, each once; those the user named are in `named` too.
        named: files that the user named one by one.
        skipped: files inside folders that are of no kind that can be read.
        failed: paths that cannot be used, with the reason.
        folders: the folders that were walked to the end, as absolute paths.
    """

    files: dict[str, None] = field(default_factory=dict)
    named: set[str] = field(default_factory=set)
    skipped: list[str] = field(default_factory=list)
    failed: dict[str, str] = field(default_factory=dict)
    folders: list[str] = field(default_factory=list)


def scan(paths: Sequence[Path | str], is_supported: Callable[[Path], bool]) -> Scan:
    """Looks at every path; only `is_supported` opens files.

    Args:
        paths: files, folders and addresses of web pages. Links to folders are followed, each folder is entered once.
        is_supported: whether some loader reads this file.
    """
    found = Scan()
    for path in paths:
        if isinstance(path, str) and is_url(path):
            found.files[path] = None
            found.named.add(path)
            continue
        source = os.path.abspath(path)  # noqa: PTH100 - links stay as the user wrote them
        if not _is_utf8(source):
            _refuse_name(found, source)
        elif os.path.isdir(source):  # noqa: PTH112 - a string is at hand
            _walk(source, is_supported, found)
        elif reason := _why_unusable(source):
            found.failed[source] = reason
        else:
            found.files[source] = None
            found.named.add(source)
    return found


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


def _walk(folder: str, is_supported: Callable[[Path], bool], found: Scan) -> None:
    found.folders.append(folder)
    entered: set[tuple[int, int]] = set()
    pending = [folder]
    while pending:
        here = pending.pop()
        try:
            if not _enter(here, entered):
                continue
            entries = sorted(os.scandir(here), key=lambda entry: entry.name)
        except OSError as error:
            found.failed[here] = f"The folder {here} could not be opened: {error.strerror}. Its files were left out."
            continue
        pending.extend(reversed(list(_take(entries, is_supported, found))))


def _enter(folder: str, entered: set[tuple[int, int]]) -> bool:
    """Whether the folder was not entered before, under whatever name: links may form a loop."""
    facts = os.stat(folder)  # noqa: PTH116 - a string is at hand
    key = (facts.st_dev, facts.st_ino)
    if key in entered:
        return False
    entered.add(key)
    return True


def _take(entries: list[os.DirEntry[str]], is_supported: Callable[[Path], bool], found: Scan) -> Iterator[str]:
    """Sorts a folder's entries into `found`; gives out the folders among them."""
    for entry in entries:
        if is_ignored(entry.name):
            continue
        if not _is_utf8(entry.path):
            _refuse_name(found, entry.path)
        elif _is_folder(entry):
            yield entry.path
        elif not is_supported(Path(entry.path)):
            found.skipped.append(entry.path)
        elif entry.is_symlink() and (reason := _why_unusable(entry.path)):
            found.failed[entry.path] = reason
        else:
            found.files[entry.path] = None


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


def _is_utf8(source: str) -> bool:
    try:
        source.encode()
    except UnicodeEncodeError:
        return False
    return True


def _refuse_name(found: Scan, source: str) -> None:
    shown = os.fsencode(source).decode("utf-8", "backslashreplace")
    found.failed[shown] = f"The name of {shown} is not valid UTF-8. Rename it, then ingest it again."
