"""Opens and hashes the files that a user names: regular files alone, without waiting for anyone."""

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
# A pipe without a writer, and some devices, would keep a plain open() waiting for ever.
WITHOUT_WAITING = os.O_RDONLY | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
PACKED = struct.Struct(">32sQ")


@dataclass(frozen=True, slots=True)
class Fingerprint:
    """Says which bytes a file has: their SHA-256 (hex) and how many they are."""

    content_sha: str
    size: int

    @classmethod
    def of(cls, data: bytes) -> Self:
        """The fingerprint of bytes that are at hand."""
        return cls(hashlib.sha256(data).hexdigest(), len(data))

    @classmethod
    def unpack(cls, packed: bytes) -> Self:
        """The fingerprint that `pack` wrote."""
        digest, size = PACKED.unpack(packed)
        return cls(digest.hex(), size)

    def pack(self) -> bytes:
        """Writes it in `PACKED.size` bytes."""
        return PACKED.pack(bytes.fromhex(self.content_sha), self.size)


@contextmanager
def open_regular_file(path: Path) -> Iterator[BinaryIO]:
    """Opens a regular file for reading; never waits for the other end of a pipe.

    Raises:
        UnsupportedDocument: it is a folder, device, pipe or socket.
        OSError: it cannot be opened.
    """
    _check_regular(path, path.stat().st_mode)  # before opening: that alone makes some devices act
    with open(os.open(path, WITHOUT_WAITING), "rb") as file:  # noqa: PTH123 - of a descriptor
        _check_regular(path, os.fstat(file.fileno()).st_mode)  # it may have been exchanged in between
        yield file


def fingerprint(path: Path, max_mb: int, cancel: threading.Event) -> Fingerprint:
    """Hashes a file, a part at a time.

    Args:
        path: the file.
        max_mb: larger files are refused, in MiB, before anything of them is read.
        cancel: stops the reading.

    Raises:
        LoadError: it is too large, or no regular file.
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
    """Adds up the sizes of all files in a folder and below it, in bytes; what goes meanwhile counts nothing."""
    total = 0
    for above, _, names in os.walk(folder):
        for name in names:
            with suppress(OSError):
                total += Path(above, name).lstat().st_size
    return total


def check_size(name: str, size: int, max_mb: int) -> None:
    """Refuses a file of more than `max_mb` MiB; `size` is in bytes, `name` what messages call it.

    Raises:
        LoadError: it is larger.
    """
    if size > max_mb * MIB:
        raise LoadError(
            f"{name} has {size / MIB:,.0f} MiB; {max_mb:,} are the most. Split it, or raise FOOTNOTE_MAX_FILE_MB."
        )


def _check_regular(path: Path, mode: int) -> None:
    if not stat.S_ISREG(mode):
        raise UnsupportedDocument(f"{path} is not a file, but a folder, device, pipe or socket, and is not read.")
