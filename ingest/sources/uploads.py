"""Keeps files that were uploaded in the chat, in the data folder."""

from __future__ import annotations

import os
import shutil
import threading
import unicodedata
from pathlib import Path
from typing import IO

from ingest.host import make_private_folder, private_opener

# File systems take 255 bytes for a name; the suffix of a file half written must still fit.
MOST_NAME_BYTES = 200


class Uploads:
    """The folder of uploads, with a folder in it for each collection."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, name: str, data: IO[bytes], collection: str) -> Path:
        """Keeps a file under a name that is safe; one of the same name is replaced.

        Returns:
            Where it lies.
        """
        folder = self._folder / collection
        make_private_folder(folder)
        path = folder / safe_name(name)
        partial = path.with_name(f".{path.name}.{threading.get_ident()}.partial")
        with open(partial, "wb", opener=private_opener) as file:
            shutil.copyfileobj(data, file)
        partial.replace(path)
        return path

    def holds(self, source: str) -> bool:
        """Tells whether a document is a file of this folder, and not one that only a `..` or a link leads to."""
        try:
            return Path(source).parent.resolve().is_relative_to(self._folder.resolve())
        except (OSError, RuntimeError, ValueError):  # a loop of links, a name that cannot be one
            return False


def safe_name(name: str) -> str:
    """Makes a file name that cannot leave its folder: no separators or control characters, not hidden, not too long."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join("_" if unicodedata.category(c) in {"Cc", "Cs"} else c for c in name).strip(". ") or "upload"
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    suffix = suffix.encode()[:MOST_NAME_BYTES].decode(errors="ignore")
    room = MOST_NAME_BYTES - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore") + suffix
