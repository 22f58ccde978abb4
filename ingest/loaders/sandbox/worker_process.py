"""Controls one worker process: starts it, sends it files, limits its time and answers, ends it."""

from __future__ import annotations

import os
import select
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, BinaryIO, NamedTuple

from ingest.errors import LoadError, LoaderStopped, NoRoom, NotConfined, UnreadableFile
from ingest.host import PACKED, Fingerprint, check_size, open_regular_file, without_keys
from ingest.loaders.output_limits import most_of_any, most_output
from ingest.loaders.sandbox.confinement import Confinement, close_to_others
from ingest.loaders.sandbox.last_words import MOST_REASON, LastWords, how_it_ended
from ingest.loaders.sandbox.protocol import HEADER, MOST_FRAME, Request, decode_greeting, send_request
from ingest.loaders.sandbox.receiving import receive
from ingest.segments import SegmentedDocument

MIB = 1024 * 1024
# Workers are replaced after this many files, which frees what libraries leak: after 1,200 files, those that read office
# files had 43 MiB more, and those that read PDFs 2 MiB. To start one takes a third of a second.
FILES_A_WORKER = 1_000
POLL_SECONDS = 0.2
# Time limit for starting a worker on a busy machine.
STARTING_SECONDS = 60.0
LONGEST_GREETING = 10_000
# NumPy would start threads before the worker is sandboxed; ONNX Runtime would store a machine identifier in the home
# folder and send telemetry.
ADDED = {"OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "ORT_DISABLE_TELEMETRY": "1"}
WORKER = (sys.executable, "-m", "ingest.loaders.sandbox.worker")
# Most signs of life per file. Each extends the file's time by its initial limit, up to a multiple that depends on its
# size: a scanned page takes 5 KiB or more, and some seconds of OCR.
MOST_SIGNS = 2_000
FEWEST_TIMES, MOST_TIMES = 10, 100
BYTES_A_TIME = 100 * 1024
TOO_LONG = "took too long to read and was skipped"


class Read(NamedTuple):
    """The outcome of a file. `fingerprint` is that of the bytes read; None if none were."""

    result: SegmentedDocument | LoadError
    fingerprint: Fingerprint | None = None
    unrecognised: bool = False


@dataclass(frozen=True, slots=True)
class WorkerLimits:
    """Limits of a worker, and how to start it; as in `ingest.loaders.sandbox.pool.LoaderPool`."""

    timeout: float
    memory_mb: int
    max_file_mb: int
    ocr: bool = True
    allow_unconfined: bool = False
    command: tuple[str, ...] = WORKER
    spool_folder: Path | None = None


@dataclass(frozen=True, slots=True)
class _Running:
    """A running worker, and the ends of its channels."""

    process: subprocess.Popen[bytes]
    requests: socket.socket
    answers: IO[bytes]
    errors: LastWords


def confinement_of(memory_mb: int, *, allow_unconfined: bool) -> Confinement:
    """Starts a worker to determine its sandbox.

    Raises:
        LoadError: it does not start, or cannot be sandboxed.
    """
    worker = WorkerProcess(
        WorkerLimits(STARTING_SECONDS, memory_mb, 1, allow_unconfined=allow_unconfined), threading.Event()
    )
    try:
        return worker.start()
    finally:
        worker.end()


class WorkerProcess:
    """A worker process, started on demand and restarted after it was ended."""

    def __init__(self, limits: WorkerLimits, stop: threading.Event) -> None:
        self._limits = limits
        self._stop = stop
        self._running: _Running | None = None
        self._files = 0
        self._name = "No file"
        self.confinement: Confinement | None = None

    def load(self, path: Path, name: str) -> Read:
        """Reads one file, called `name` in messages; every failure is returned as an error of that file."""
        self._name = name
        try:
            with _open(path, name) as file:
                size = os.fstat(file.fileno()).st_size
                check_size(name, size, self._limits.max_file_mb)
                return self._answer(path, file, size)
        except LoadError as error:
            return Read(error)

    def start(self) -> Confinement:
        """Starts the process unless it is running.

        Raises:
            NotConfined: it must be sandboxed but cannot be.
            LoaderStopped: it does not start.
        """
        if self._files >= FILES_A_WORKER:
            self.end()
        if self._running and self.confinement:
            return self.confinement
        close_to_others()
        self._files = 0
        try:
            self._running = self._started()
            self.confinement = decode_greeting(self._message(time.monotonic() + STARTING_SECONDS))
        except NotConfined as error:
            self.end()
            raise NotConfined(
                f"{self._name} was not read: the reading process cannot be confined ({error}). To read files "
                "anyway, set FOOTNOTE_ALLOW_UNCONFINED=true, and then read only files that you trust."
            ) from error
        except LoadError:
            raise
        except Exception as error:
            raise self._crashed(error) from error
        return self.confinement

    def end(self) -> None:
        """Ends the process immediately."""
        running, self._running = self._running, None
        if running:
            running.process.kill()
            running.process.wait()
            for end in (running.requests, running.answers, running.errors):
                with suppress(OSError):
                    end.close()

    def _started(self) -> _Running:
        limits = self._limits
        (requests, stdin), (errors, stderr) = socket.socketpair(), socket.socketpair()
        required = "optional" if limits.allow_unconfined else "required"
        with stdin, stderr:
            process = subprocess.Popen(  # noqa: S603 - our own module
                [*limits.command, str(limits.memory_mb), str(os.getpid()), required],
                stdin=stdin.fileno(),
                stdout=subprocess.PIPE,
                stderr=stderr.fileno(),
                cwd=Path(__file__).resolve().parents[3],
                env=without_keys(**ADDED),
            )
        assert process.stdout is not None
        return _Running(process, requests, process.stdout, LastWords(errors))

    def _answer(self, path: Path, file: BinaryIO, file_size: int) -> Read:
        seconds = self._limits.timeout + file_size / MIB
        most_of_all = most_of_any(self._limits.max_file_mb)
        request = Request(os.fspath(path), self._name, file, seconds, self._limits.ocr, most_of_all)
        self.start()
        self._files += 1
        try:
            return self._asked(request, most_output(file_size, most_of_all), most_seconds(seconds, file_size))
        except LoadError:
            raise
        except Exception as error:  # a worker may send anything: any error it causes is a failure of its file
            raise self._crashed(error) from error

    def _asked(self, request: Request, most: int, in_all: float) -> Read:
        """Sends a request and waits at most `in_all` seconds for its answer of at most `most` characters."""
        assert self._running
        end = time.monotonic() + in_all
        send_request(self._running.requests, request)
        frames = self._frames(request.seconds, end)
        try:
            received = receive(frames, most, self._limits.spool_folder)
        except NoRoom as error:
            self.end()
            raise NoRoom(
                f"{self._name} was not read, because the disk is full ({error}). Free some space, then ingest it again."
            ) from error
        deadline = min(time.monotonic() + request.seconds, end)
        read = Fingerprint.unpack(self._read(PACKED.size, deadline))
        return Read(received.result, read if read.size else None, received.unrecognised)

    def _frames(self, seconds: float, end: float) -> Iterator[bytes]:
        """Yields the frames of an answer. Each may take `seconds`, all until `end`; signs of life come first."""
        signs = 0
        while True:
            deadline = min(time.monotonic() + seconds, end)
            size = HEADER.unpack(self._read(HEADER.size, deadline))[0]
            signs += not size
            if signs > MOST_SIGNS:
                raise self._stopped(f"{TOO_LONG}. Split it")
            if size > MOST_FRAME:
                raise self._crashed()
            if size:
                yield self._read(size, deadline)

    def _message(self, deadline: float) -> bytes:
        size = HEADER.unpack(self._read(HEADER.size, deadline))[0]
        if size > LONGEST_GREETING:
            raise self._crashed()
        return self._read(size, deadline)

    def _read(self, size: int, deadline: float) -> bytes:
        assert self._running
        answers, errors = self._running.answers.fileno(), self._running.errors
        body = bytearray()  # a single buffer, even if data arrives in small pieces
        while missing := size - len(body):
            if self._stop.is_set():
                raise self._stopped("was not read completely, because the work was stopped. Ingest it again")
            if time.monotonic() > deadline:
                raise self._stopped(f"{TOO_LONG}. Raise FOOTNOTE_LOAD_TIMEOUT, or split it")
            ready, _, _ = select.select([answers, *errors.ends], [], [], POLL_SECONDS)
            if errors.ends and errors.ends[0] in ready:
                errors.hear()
            if answers not in ready:
                continue
            part = os.read(answers, min(missing, MIB))
            if not part:
                raise self._crashed()
            body += part
        return bytes(body)

    def _stopped(self, reason: str) -> LoaderStopped:
        self.end()
        return LoaderStopped(f"{self._name} {reason}.")

    def _crashed(self, error: Exception | None = None) -> LoaderStopped:
        """Returns the error of a file whose worker failed, with the reason; ends the worker if it is still running."""
        why = [f"{type(error).__name__}: {error}"[:MOST_REASON]] if error else []
        if running := self._running:
            running.process.kill()
            ended = how_it_ended(running.process.wait())
            running.errors.hear()
            why.insert(0, f"{ended}{running.errors}")
            self.end()
        how = "; ".join(why)
        return LoaderStopped(
            f"{self._name} could not be read: the reading process ended ({how}). The file may be damaged, or need more "
            f"than {self._limits.memory_mb} MiB (FOOTNOTE_LOAD_MEMORY_MB)."
        )


def most_seconds(seconds: float, file_size: int) -> float:
    """Returns the total time limit in seconds for a file of this size, where each step may take `seconds`."""
    return seconds * min(MOST_TIMES, FEWEST_TIMES + file_size / BYTES_A_TIME)


@contextmanager
def _open(path: Path, name: str) -> Iterator[BinaryIO]:
    """Opens a file for reading without blocking.

    Raises:
        UnreadableFile: the file system refuses to open or read the file.
        UnsupportedDocument: it is a folder, device, pipe or socket.
    """
    try:
        with open_regular_file(path) as file:
            yield file
    except OSError as error:
        raise UnreadableFile(
            f"{name} could not be read: {error.strerror}. Check that it exists and is readable."
        ) from error
