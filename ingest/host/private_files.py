"""Files and folders that only their owner may read, from the moment that they are made, whatever the umask.

A data folder holds documents and conversations in clear, so other users of the machine get nothing of it.
"""

from __future__ import annotations

import logging
import os
import stat
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

logger = logging.getLogger(__name__)

OWNER_FOLDER, OWNER_FILE = 0o700, 0o600
OTHERS = 0o077
# What Footnote makes in a data folder. The folder may be one of the user's that holds other things too.
MADE = ("footnote.sqlite*", "chats.sqlite*", "chroma", "chroma.damaged", "lexical", "run", "uploads", ".restore-*")
# Written by the user, and full of keys.
KEYS = ".env"
_told: set[Path] = set()


def keep_to_owner() -> None:
    """Makes all that this process writes from now on readable by its owner alone; for a process of Footnote's own."""
    os.umask(OTHERS)


def make_private_folder(path: Path) -> None:
    """Makes a folder, and those above it that are missing; one that is there stays as it is.

    Raises:
        OSError: it cannot be made.
    """
    if path.is_dir():
        return
    make_private_folder(path.parent)
    path.mkdir(OWNER_FOLDER, exist_ok=True)


def private_opener(path: str, flags: int) -> int:
    """Opens a file as `open` asks, one that is not there yet for its owner alone. Give it to `open`."""
    return os.open(path, flags, OWNER_FILE)


def make_private_file(path: Path) -> None:
    """Makes an empty file; one that is there stays as it is.

    Raises:
        OSError: it cannot be made.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_FILE))


def write_private_text(path: Path, text: str) -> None:
    """Writes a file of text in UTF-8. Raises OSError where that fails."""
    with open(path, "w", encoding="utf-8", opener=private_opener) as file:
        file.write(text)


def exposed_paths(data_dir: Path) -> Iterator[Path]:
    """Files and folders of a data folder that are ours and that other users may do something with.

    What lies in one of its folders that only the owner can enter is not looked at.
    """
    if _holds_nothing_else(data_dir) and _is_open(data_dir):
        yield data_dir
    for path in (found for pattern in (*MADE, KEYS) for found in sorted(data_dir.glob(pattern))):
        if not _is_open(path):
            continue
        yield path
        for folder, folders, files in os.walk(path):
            yield from (one for name in (*folders, *files) if _is_open(one := Path(folder, name)))


def close_to_others(data_dir: Path) -> None:
    """Takes from other users what `exposed` finds; a folder of another owner is left as it is, which is logged once.

    Raises:
        OSError: it cannot be changed.
    """
    if not data_dir.is_dir():
        return
    if data_dir.stat().st_uid != os.geteuid():
        if data_dir not in _told:
            _told.add(data_dir)
            logger.warning(
                "The data folder %s belongs to another user, who decides who may read it. Set FOOTNOTE_DATA_DIR to a "
                "folder of your own to keep documents and conversations to yourself.",
                data_dir,
            )
        return
    for path in list(exposed_paths(data_dir)):
        close_one(path)


def close_one(path: Path) -> None:
    """Takes one file or folder from other users; one that is gone meanwhile is no error."""
    try:
        path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~OTHERS)
    except FileNotFoundError:
        return


def close_files_to_others(folder: Path) -> None:
    """Takes the files of one folder from other users: what a library has written there."""
    for path in folder.iterdir():
        if _is_open(path):
            close_one(path)


def _is_open(path: Path) -> bool:
    """Whether others than the owner, who is this process's user, may do something with it."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return not stat.S_ISLNK(found.st_mode) and bool(found.st_mode & OTHERS) and found.st_uid == os.geteuid()


def _holds_nothing_else(data_dir: Path) -> bool:
    """Whether all that lies in a data folder is Footnote's, so that the folder itself may be closed."""
    ours = {path.name for pattern in (*MADE, KEYS) for path in data_dir.glob(pattern)}
    return bool(ours) and all(path.name in ours for path in data_dir.iterdir())
