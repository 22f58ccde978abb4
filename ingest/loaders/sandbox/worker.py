"""Reads files for the pool, one by one: `python -m ingest.loaders.sandbox.worker MEMORY_MB PARENT REQUIRED`.

Standard input is a socket that carries requests, each with its open file. Standard output carries a greeting, then
answers, as `ingest.loaders.sandbox.protocol` encodes them. Output of libraries goes to standard error.
"""

from __future__ import annotations

import ctypes
import os
import signal
import socket
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import BinaryIO, NamedTuple

from ingest.errors import LoadError, LoaderStopped, NotConfined
from ingest.host import Fingerprint
from ingest.loaders.loading import load_source, open_source
from ingest.loaders.sandbox.confinement import MOST_OPEN_FILES, Confinement, allow_seconds, confine
from ingest.loaders.sandbox.protocol import AT_WORK, Request, encode, encode_greeting, receive_request
from ingest.models import Document

PR_SET_PDEATHSIG = 1
# Libraries may compute in several threads, so the limit of CPU time is higher than that of wall-clock time.
CPU_SHARE = 2.0

NOTHING_READ = Fingerprint.of(b"")


class WorkerAnswer(NamedTuple):
    """The outcome of a file.

    Attributes:
        result: its document or an error.
        read: fingerprint of the bytes read: the file may have changed since it was hashed.
        unrecognised: text was left unread because OCR is off.
    """

    result: Document | LoadError
    read: Fingerprint
    unrecognised: bool = False


def _confined(memory_mb: int, *, required: bool) -> Confinement | NotConfined:
    try:
        return confine(memory_mb, required=required)
    except NotConfined as error:
        return error


def read_requested(request: Request, memory_mb: int, answers: BinaryIO) -> WorkerAnswer:
    """Reads the file of a request, reporting on `answers` that it is at work. Returns every error as the outcome."""
    path, read, source = Path(request.path), NOTHING_READ, None

    def at_work() -> None:
        allow_seconds(request.seconds * CPU_SHARE)
        answers.write(AT_WORK)
        answers.flush()

    allow_seconds(request.seconds * CPU_SHARE)
    try:
        source = open_source(
            path, request.file, name=request.name, ocr=request.ocr, at_work=at_work, most_output=request.most_output
        )
        read = Fingerprint.of(source.data)
        document = load_source(source)
        return WorkerAnswer(document, read, source.allowance.unrecognised)
    except LoadError as error:
        return WorkerAnswer(error, read, source is not None and source.allowance.unrecognised)
    except MemoryError:
        reason = (
            f"{request.name} needs more than {memory_mb} MiB of memory to be read. Raise FOOTNOTE_LOAD_MEMORY_MB, or "
        )
        return WorkerAnswer(LoaderStopped(f"{reason}split it."), read)
    except Exception as error:  # noqa: BLE001 - any error of a parser is a failure of its file
        reason = f"{request.name} could not be read: {type(error).__name__}: {error}. The file may be damaged."
        return WorkerAnswer(LoadError(reason), read)


def main(
    memory_mb: int,
    parent: int,
    required: str = "required",
    *,
    read: Callable[[Request, int, BinaryIO], WorkerAnswer] = read_requested,
    encoded: Callable[..., Iterable[bytes]] = encode,
) -> None:
    """Serves until the other end of standard input is closed.

    Args:
        memory_mb: limit of the address space, in MiB.
        parent: process id of the pool.
        required: "required": reads nothing if the kernel does not sandbox the process.
        read: reads the file of a request; takes the arguments of `read_requested`.
        encoded: encodes an answer; takes the arguments of `encode`.
    """
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the pool handles Ctrl-C
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, signal.SIGKILL)
    if os.getppid() != parent:  # the parent died before the death signal was set
        sys.exit(0)
    os.closerange(3, MOST_OPEN_FILES)
    requests = socket.socket(fileno=os.dup(0))
    answers = os.fdopen(os.dup(1), "wb")
    os.dup2(2, 1)
    greeting = _confined(memory_mb, required=required == "required")
    answers.write(encode_greeting(greeting))
    answers.flush()
    while isinstance(greeting, Confinement) and (request := receive_request(requests)):
        with request.file:
            answer = read(request, memory_mb, answers)
        for frame in encoded(answer.result, unrecognised=answer.unrecognised):
            answers.write(frame)
        answers.write(answer.read.pack())
        answers.flush()


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3])
