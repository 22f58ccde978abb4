"""Addresses of Unix sockets, which are shorter than paths may be."""

from __future__ import annotations

import errno
import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

# Bytes of a path that every system accepts: macOS has 104, with the final zero; Linux 108.
MOST_BYTES = 103


@contextmanager
def socket_address(path: Path) -> Iterator[str]:
    """Yields an address to bind or connect a Unix socket at a path, whatever the path's length.

    Raises:
        OSError: the folder cannot be opened, or the path is too long and this is not Linux.
    """
    if len(os.fsencode(path)) <= MOST_BYTES:
        yield str(path)
        return
    if sys.platform != "linux":
        raise OSError(errno.ENAMETOOLONG, f"its path has more than {MOST_BYTES} bytes", str(path))
    descriptor = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY)
    try:
        yield f"/proc/self/fd/{descriptor}/{path.name}"
    finally:
        os.close(descriptor)
