"""Stores files uploaded in the chat, in the data folder."""

from __future__ import annotations

import os
import shutil
import threading
import unicodedata
from pathlib import Path
from typing import IO

from ingest.host import make_private_folder, private_opener

# File systems limit names to 255 bytes; the suffix of a partially written file must still fit.
MOST_NAME_BYTES = 200


class Uploads:
    """The folder of uploads, with a subfolder for each collection."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def save(self, name: str, data: IO[bytes], collection: str) -> Path:
        """Stores a file under a safe name, replacing one of the same name.

        Returns:
            Its path.
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
        """Returns True if a document is really inside this folder, and not only through `..` or a link."""
        try:
            return Path(source).parent.resolve().is_relative_to(self._folder.resolve())
        except (OSError, RuntimeError, ValueError):  # a loop of links, or an invalid name
            return False


def safe_name(name: str) -> str:
    """Returns a file name that is safe in its folder: no separators or control characters, not hidden, not too long."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join("_" if unicodedata.category(c) in {"Cc", "Cs"} else c for c in name).strip(". ") or "upload"
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    suffix = suffix.encode()[:MOST_NAME_BYTES].decode(errors="ignore")
    room = MOST_NAME_BYTES - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore") + suffix
