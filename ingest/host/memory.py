"""Returns freed memory to the system."""

from __future__ import annotations

import ctypes
import sys
from contextlib import suppress


def release_memory() -> None:
    """Makes the C library return freed memory to the system, if it has a function for it.

    glibc kept 4 MiB of unused memory for every thousand files of an ingest (`python -m bench growth`).
    """
    if sys.platform == "linux":
        with suppress(OSError, AttributeError):  # another C library
            ctypes.CDLL(None).malloc_trim(0)
