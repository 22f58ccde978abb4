"""`python -m ingest.loaders.worker MEMORY_MB PARENT`: reads files for `ingest.loaders.sandbox`, one after another.

On standard input comes the length of a path (8 bytes) and the path; on standard output goes the result, as
`ingest.loaders.wire` writes it. What a library prints goes to standard error.
"""

from __future__ import annotations

import ctypes
import os
import resource
import signal
import sys
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

from ingest.errors import LoadError, LoaderStopped
from ingest.loaders import load
from ingest.loaders.wire import HEADER, encode
from ingest.models import Document

PR_SET_PDEATHSIG = 1
# A loader writes no files; this is for what libraries say on standard error.
MOST_WRITTEN = 1024 * 1024


def main(memory_mb: int, parent: int) -> None:
    """Serves until standard input ends."""
    _limit(memory_mb, parent)
    requests = os.fdopen(os.dup(0), "rb")
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    while path := _request(requests):
        answers.write(encode(_load(path, memory_mb)))
        answers.flush()


def _load(path: Path, memory_mb: int) -> Document | LoadError:
    try:
        return load(path)
    except LoadError as error:
        return error
    except MemoryError:
        return LoaderStopped(
            f"{path} needs more than {memory_mb} MiB of memory to be read. Raise FOOTNOTE_LOAD_MEMORY_MB, or split it."
        )
    except Exception as error:  # noqa: BLE001 - whatever a parser throws at a hostile file is that file's failure
        return LoadError(f"{path} could not be read: {type(error).__name__}: {error}. The file may be damaged.")


def _request(requests: BinaryIO) -> Path | None:
    header = requests.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    return Path(os.fsdecode(requests.read(HEADER.unpack(header)[0])))


def _limit(memory_mb: int, parent: int) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is the pool's to handle
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # it died before it could be watched
        sys.exit(0)
    limits = {
        resource.RLIMIT_AS: memory_mb * 1024 * 1024,
        resource.RLIMIT_CORE: 0,
        resource.RLIMIT_FSIZE: MOST_WRITTEN,
    }
    for which, value in limits.items():
        with suppress(ValueError, OSError):  # a stricter limit is set already
            resource.setrlimit(which, (value, value))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))
