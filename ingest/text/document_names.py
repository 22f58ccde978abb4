r"""Matches document names as typed by users to stored names.

A name with an umlaut or an accent has two Unicode forms that look the same: macOS and many archives write the
decomposed one (NFD), keyboards the composed one (NFC). Stored names are kept byte for byte and compared in NFC.
Windows paths are accepted if they refer to this machine's files under WSL.
"""

from __future__ import annotations

import os
import re
import unicodedata
from collections.abc import Iterable
from pathlib import Path

from ingest.urls import is_url

# Windows paths to the files of a Linux under WSL; DRIVE and DISKS convert drive letters to Linux mount points.
LINUX_IN_WINDOWS = re.compile(r"[\\/]{2}wsl(?:\$|\.localhost)[\\/][^\\/]+(?=[\\/]|$)", re.IGNORECASE)
DRIVE = re.compile(r"([A-Za-z]):(?=[\\/])")
ROOTED = re.compile(r"\\\w")
DISKS = "/mnt"


def composed_name(name: str) -> str:
    """Returns the form (NFC) in which names are compared."""
    return unicodedata.normalize("NFC", name)


def absolute_name(typed: str) -> str:
    """Returns a path in its stored form: absolute, with links unresolved; a web address unchanged."""
    if is_url(typed):
        return typed
    return os.path.abspath(_of_windows(typed))  # noqa: PTH100 - links stay unresolved


def forms(typed: str) -> list[str]:
    """Returns the absolute names that a typed name may mean, likeliest first; backslashes may be slashes."""
    found = [absolute_name(typed)]
    if "\\" in typed and typed.strip("\\/") and not is_url(typed):
        found.append(absolute_name(typed.replace("\\", "/")))
    return list(dict.fromkeys(found))


def matching_names(typed: str, known: Iterable[str]) -> list[str]:
    """Returns the documents that a typed name means: one document, or all in a folder or under a web address.

    An exact match has precedence over one that is equal only in NFC.
    """
    known = list(known)
    if typed in known:
        return [typed]
    for form in forms(typed) if typed.strip() else ():  # the absolute form of "" would be the working folder
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
    """Returns the form of a path that exists on disk, or if none does, the absolute path as typed."""
    tried = [_spelled_as_there(form) for form in forms(typed)]
    return next((path for path in tried if os.path.lexists(path)), absolute_name(typed))


def path_separator(source: str) -> str:
    """Returns the separator between the parts of a name."""
    return "/" if is_url(source) else os.sep


def _of_windows(typed: str) -> str:
    r"""Converts a Windows path (C:\docs, \\wsl$\Ubuntu\home) to this machine's form; returns others unchanged."""
    inside = LINUX_IN_WINDOWS.match(typed)
    if inside:
        return typed[inside.end() :].replace("\\", "/") or "/"
    if disk := DRIVE.match(typed):
        return f"{DISKS}/{disk[1].lower()}{typed[disk.end() :]}".replace("\\", "/")
    return typed.replace("\\", "/") if ROOTED.match(typed) else typed


def _spelled_as_there(path: str) -> str:
    """Spells each part of a path as its folder does, if they differ only in Unicode form."""
    here, *parts = Path(path).parts
    for part in parts:
        there = os.path.join(here, part)  # noqa: PTH118 - the path is a string
        if not part.isascii() and not os.path.lexists(there):
            try:
                same = [name for name in sorted(os.listdir(here)) if composed_name(name) == composed_name(part)]  # noqa: PTH208
            except OSError:
                return path
            there = os.path.join(here, same[0]) if same else there  # noqa: PTH118 - the path is a string
        here = there
    return here
