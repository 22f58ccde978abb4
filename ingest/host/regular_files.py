"""Opens and hashes files that a user names: regular files only, without blocking."""

from __future__ import annotations

import hashlib
import os
import stat
import struct
import threading
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Self

from ingest.errors import LoadError, UnsupportedDocument
from ingest.host.bounded_waits import check_cancelled

MIB = 1024 * 1024
# Without O_NONBLOCK, opening a pipe without a writer, or some devices, would block forever.
WITHOUT_WAITING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
PACKED = struct.Struct(">32sQ")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """The content of a file, identified by its SHA-256 (hex) and its size in bytes."""

    content_sha: str
    size: int

    @classmethod
    def of(cls, data: bytes) -> Self:
        """Returns the fingerprint of bytes in memory."""
        return cls(hashlib.sha256(data).hexdigest(), len(data))

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """Restores a fingerprint that `pack` wrote."""
        digest, size = PACKED.unpack(packed)
        return cls(digest.hex(), size)

    def pack(self) -> bytes:
        """Packs the fingerprint into `PACKED.size` bytes."""
        return PACKED.pack(bytes.fromhex(self.content_sha), self.size)


@contextmanager
def open_regular_file(path: Path) -> Iterator[BinaryIO]:
    """Opens a regular file for reading; never blocks on a pipe.

    Raises:
        UnsupportedDocument: it is a folder, device, pipe or socket.
        OSError: it cannot be opened.
    """
    _check_regular(path, path.stat().st_mode)  # before opening, which has side effects on some devices
    with open(os.open(path, WITHOUT_WAITING), "rb") as file:  # noqa: PTH123 - of a descriptor
        _check_regular(path, os.fstat(file.fileno()).st_mode)  # it may have been replaced in between
        yield file


def fingerprint(path: Path, max_mb: int, cancel: threading.Event) -> Fingerprint:
    """Hashes a file in parts.

    Args:
        path: the file.
        max_mb: size limit in MiB; larger files are rejected before they are read.
        cancel: stops the reading.

    Raises:
        LoadError: it is too large, or not a regular file.
        OSError: it cannot be read.
        Cancelled: `cancel` was set.
    """
    with open_regular_file(path) as file:
        check_size(str(path), os.fstat(file.fileno()).st_size, max_mb)
        digest, size = hashlib.sha256(), 0
        while part := file.read(MIB):
            check_cancelled(cancel)
            digest.update(part)
            size += len(part)
            check_size(str(path), size, max_mb)  # it may grow while it is read
    return Fingerprint(digest.hexdigest(), size)


def bytes_in(folder: Path) -> int:
    """Returns the total size of the files in a folder and its subfolders, in bytes; skips files deleted meanwhile."""
    total = 0
    for above, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(above, name).lstat().st_size
    return total


def check_size(name: str, size: int, max_mb: int) -> None:
    """Rejects a file of more than `max_mb` MiB; `size` is in bytes, `name` is for the message.

    Raises:
        LoadError: it is larger.
    """
    if size > max_mb * MIB:
        raise LoadError(
            f"{name} has {size / MIB:,.0f} MiB; the limit is {max_mb:,}. Split it, or raise FOOTNOTE_MAX_FILE_MB."
        )


def _check_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise UnsupportedDocument(f"{path} is a folder, device, pipe or socket. Name a regular file.")
