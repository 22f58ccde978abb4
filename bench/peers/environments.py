"""Makes a virtual environment for each peer, outside the repository, and makes it again when its pins change."""

from __future__ import annotations

import hashlib
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from bench.peers.errors import BenchmarkFailed

# Written when everything is installed.
READY = ".ready"
INSTALL_SECONDS = 3_600


def cache_folder() -> Path:
    """Returns the folder of the peers' environments: in XDG_CACHE_HOME, or else in ~/.cache."""
    base = Path(os.environ.get("XDG_CACHE_HOME", ""))
    return (base if base.is_absolute() else Path.home() / ".cache") / "footnote" / "bench-peers"


def install(command: Sequence[str]) -> None:
    """Runs a command that makes or fills an environment.

    Raises:
        BenchmarkFailed: it did not succeed.
    """
    done = subprocess.run(command, capture_output=True, text=True, timeout=INSTALL_SECONDS, check=False)
    if done.returncode:
        raise BenchmarkFailed(f"{' '.join(command)} failed:\n{done.stderr.strip()[-2000:]}")


def environment(requirements: Path, cache: Path, run: Callable[[Sequence[str]], None] = install) -> Path:
    """Returns the interpreter of the environment for a file of pins, after making it if it does not exist.

    Environments of the same name for other pins or another Python are deleted.

    Args:
        requirements: the pins; the file's name is the environment's.
        cache: the folder of environments.
        run: runs a command, or raises BenchmarkFailed.
    """
    name = requirements.stem
    folder = cache / f"{name}-{_digest(requirements)}"
    interpreter = folder / "bin" / "python"
    if (folder / READY).exists():
        return interpreter
    for old in cache.glob(f"{name}-*"):
        shutil.rmtree(old)
    run([sys.executable, "-m", "venv", str(folder)])
    run([str(interpreter), "-m", "pip", "install", "--quiet", "--requirement", str(requirements)])
    (folder / READY).touch()
    return interpreter


def _digest(requirements: Path) -> str:
    """Returns the start of a SHA-256 (hex) over the pins and the version of Python."""
    return hashlib.sha256(sys.version.encode() + requirements.read_bytes()).hexdigest()[:12]
