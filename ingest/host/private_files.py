"""Creates files and folders that only their owner can read from the start, whatever the umask.

A data folder holds documents and conversations in clear text, so other users of the machine have no access to it.
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
# Names that Footnote creates in a data folder. The folder may be the user's own and hold other things too.
MADE = ("footnote.sqlite*", "chats.sqlite*", "chroma", "chroma.damaged", "lexical", "run", "uploads", ".restore-*")
# Written by the user, and contains keys.
KEYS = ".env"
_told: set[Path] = set()


def keep_to_owner() -> None:
    """Makes all files that this process creates private; only for Footnote's own processes."""
    os.umask(OTHERS)


def make_private_folder(path: Path) -> None:
    """Creates a folder and its missing parents; leaves an existing one unchanged.

    Raises:
        OSError: it cannot be created.
    """
    if path.is_dir():
        return
    make_private_folder(path.parent)
    path.mkdir(OWNER_FOLDER, exist_ok=True)


def private_opener(path: str, flags: int) -> int:
    """Opens a file as `open` asks, creating new files as private. Pass it to `open` as `opener`."""
    return os.open(path, flags, OWNER_FILE)


def make_private_file(path: Path) -> None:
    """Creates an empty private file; leaves an existing one unchanged.

    Raises:
        OSError: it cannot be created.
    """
    with suppress(FileExistsError):
        os.close(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, OWNER_FILE))


def write_private_text(path: Path, text: str) -> None:
    """Writes a private text file in UTF-8. Raises OSError if that fails."""
    with open(path, "w", encoding="utf-8", opener=private_opener) as file:
        file.write(text)


def exposed_paths(data_dir: Path) -> Iterator[Path]:
    """Yields Footnote's files and folders in a data folder to which other users have access.

    Does not descend into folders that only the owner can enter.
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
    """Makes the paths from `exposed_paths` private. Leaves a folder of another owner unchanged, and logs that once.

    Raises:
        OSError: permissions cannot be changed.
    """
    if not data_dir.is_dir():
        return
    if data_dir.stat().st_uid != os.geteuid():
        if data_dir not in _told:
            _told.add(data_dir)
            logger.warning(
                "The data folder %s belongs to another user, who controls access to it. To keep documents and "
                "conversations private, set FOOTNOTE_DATA_DIR to a folder of your own.",
                data_dir,
            )
        return
    for path in list(exposed_paths(data_dir)):
        close_one(path)


def close_one(path: Path) -> None:
    """Makes one file or folder private; ignores one that was deleted in the meantime."""
    try:
        path.chmod(stat.S_IMODE(path.lstat().st_mode) & ~OTHERS)
    except FileNotFoundError:
        return


def close_files_to_others(folder: Path) -> None:
    """Makes the files of one folder private, after a library has written there."""
    for path in folder.iterdir():
        if _is_open(path):
            close_one(path)


def _is_open(path: Path) -> bool:
    """Returns True if users other than the owner, who is this process's user, have access to it."""
    try:
        found = path.lstat()
    except FileNotFoundError:
        return False
    return not stat.S_ISLNK(found.st_mode) and bool(found.st_mode & OTHERS) and found.st_uid == os.geteuid()


def _holds_nothing_else(data_dir: Path) -> bool:
    """Returns True if a data folder contains only Footnote's files, so that the folder itself may be made private."""
    ours = {path.name for pattern in (*MADE, KEYS) for path in data_dir.glob(pattern)}
    return bool(ours) and all(path.name in ours for path in data_dir.iterdir())
