r"""Names of documents as users type them, held against those that are kept.

A name with an umlaut or an accent has two forms in Unicode, which look the same: macOS and many archives write the
decomposed one (NFD), keyboards the composed one (NFC). Kept names stay as they are, byte for byte; they are compared
in NFC. Paths of Windows are understood where Windows shows this machine's files by them.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from ingest.urls import is_url

# How Windows names the files of a Linux in it, and how that Linux names the disks of Windows.
LINUX_IN_WINDOWS = re.compile(r"[\\/]{2}wsl(?:\$|\.localhost)[\\/][^\\/]+(?=[\\/]|$)", re.IGNORECASE)
DRIVE = re.compile(r"([A-Za-z]):(?=[\\/])")
ROOTED = re.compile(r"\\\w")
DISKS = "/mnt"


def composed_name(name: str) -> str:
    """The form (NFC) in which names are compared."""
    return unicodedata.normalize("NFC", name)


def absolute_name(typed: str) -> str:
    """A path as it is kept: absolute, its links as the user wrote them; a web address as it is."""
    if is_url(typed):
        return typed
    return os.path.abspath(_of_windows(typed))  # noqa: PTH100 - links stay as the user wrote them


def forms(typed: str) -> list[str]:
    """The absolute names that a typed one may stand for, the likeliest first; backslashes may be slashes."""
    found = [absolute_name(typed)]
    if "\\" in typed and typed.strip("\\/") and not is_url(typed):
        found.append(absolute_name(typed.replace("\\", "/")))
    return list(dict.fromkeys(found))


def matching_names(typed: str, known: Iterable[str]) -> list[str]:
    """Finds what a typed name means: a document, or else all documents in a folder or under a web address.

    A name that is the same byte for byte goes before those that are the same only in NFC.
    """
    known = list(known)
    if typed in known:
        return [typed]
    for form in forms(typed) if typed.strip() else ():  # the absolute form of "" is the folder one is in
        if form in known:
            return [form]
        name = composed_name(form)
        folder = name.rstrip(path_separator(form)) + path_separator(form)
        names = [(one, composed_name(one)) for one in known]
        if found := [one for one, other in names if other == name] or [
            one for one, other in names if other.startswith(folder)
        ]:
            return found
    return []


def name_on_disk(typed: str) -> str:
    """The path of a file or folder that is there under one of its forms; of none, the absolute path as it was typed."""
    tried = [_spelled_as_there(form) for form in forms(typed)]
    return next((path for path in tried if os.path.lexists(path)), absolute_name(typed))


def path_separator(source: str) -> str:
    """What stands between the parts of a name."""
    return "/" if is_url(source) else os.sep


def _of_windows(typed: str) -> str:
    r"""A path that only Windows writes (C:\docs, \\wsl$\Ubuntu\home) as this machine names it; others as they are."""
    inside = LINUX_IN_WINDOWS.match(typed)
    if inside:
        return typed[inside.end() :].replace("\\", "/") or "/"
    if disk := DRIVE.match(typed):
        return f"{DISKS}/{disk[1].lower()}{typed[disk.end() :]}".replace("\\", "/")
    return typed.replace("\\", "/") if ROOTED.match(typed) else typed


def _spelled_as_there(path: str) -> str:
    """A path with each part spelled as its folder spells it, where only the form in Unicode is another."""
    here, *parts = Path(path).parts
    for part in parts:
        there = os.path.join(here, part)  # noqa: PTH118 - a string is at hand
        if not part.isascii() and not os.path.lexists(there):
            try:
                same = [name for name in sorted(os.listdir(here)) if composed_name(name) == composed_name(part)]  # noqa: PTH208
            except OSError:
                return path
            there = os.path.join(here, same[0]) if same else there  # noqa: PTH118 - a string is at hand
        here = there
    return here
