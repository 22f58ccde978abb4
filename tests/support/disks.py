"""Mounts small file systems, and texts to fill them with."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

# Documents by file name.
TEXTS = {
    f"{name}.txt": f"{name} is here. " + " ".join(f"{name}{i}" for i in range(200))
    for name in ("ash", "birch", "cedar")
}


@contextmanager
def mounted(folder: Path, size: str) -> Iterator[Path]:
    """A file system of its own of that size."""
    folder.mkdir()
    made = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", folder], capture_output=True, check=False
    )
    if made.returncode:
        pytest.skip("file systems cannot be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", folder], check=True)
