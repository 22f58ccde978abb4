"""Runs loaders in processes with limits on time, memory and output: no file can hurt more than itself."""

from __future__ import annotations

import os
import queue
import select
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, NamedTuple, Self

from ingest.errors import LoadError, LoaderStopped, UnreadableFile
from ingest.files import PACKED, Fingerprint, check_size, opened
from ingest.loaders.output import most_of_any, most_output
from ingest.loaders.wire import HEADER, Request, decode, encode_request, longest_answer
from ingest.models import Document

MIB = 1024 * 1024
# Fresh processes now and then: what a library leaks over many files is given back.
FILES_A_WORKER = 200
POLL_SECONDS = 0.2
# What a worker gets of the environment: no keys, no tokens.
PASSED_ON = ("PATH", "HOME", "LANG", "LC_ALL", "LC_CTYPE", "TMPDIR", "PYTHONPATH", "LD_LIBRARY_PATH", "VIRTUAL_ENV")
WORKER = (sys.executable, "-m", "ingest.loaders.worker")

# Signs of life that one file may give, each of which lets it go on for as long as it had at first.
MOST_SIGNS = 2_000


class Loaded(NamedTuple):
    """What became of a file: its Document, or why it could not be read, and how many seconds that took.

    `read` says which bytes its loader read; None where it read none, or did not live to say.
    """

    path: Path
    result: Document | LoadError
    seconds: float
    read: Fingerprint | None = None


class LoaderPool:
    """Worker processes that read files side by side. Use it in a `with` block.

    Args:
        workers: how many.
        timeout: seconds a file may take, plus one for every MiB of it; each page that is recognised may as well.
        memory_mb: address space of a worker, in MiB.
        max_file_mb: larger files are not read, in MiB.
        ocr: whether text in pictures is read.
        command: the worker's command line; limits are appended to it.
    """

    def __init__(
        self,
        workers: int,
        timeout: float,
        memory_mb: int,
        max_file_mb: int,
        *,
        ocr: bool = True,
        command: Sequence[str] = WORKER,
    ) -> None:
        self._workers = workers
        self._limits = _Limits(timeout, memory_mb, max_file_mb, ocr, tuple(command))
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all workers, whatever they are at."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def load_all(self, paths: Iterable[Path], cancel: threading.Event | None = None) -> Iterator[Loaded]:
        """Reads files.

        Args:
            paths: taken one by one as workers are free, in their threads, one at a time.
            cancel: ends the reading early.

        Yields:
            What became of each path, in the order they are done.
        """
        source = _Source(paths)
        # Small: what is read ahead waits in memory.
        results: queue.Queue[Loaded | BaseException | None] = queue.Queue(self._workers)
        self._threads = [
            threading.Thread(target=self._serve, args=(source, results), name=f"loader-{i}", daemon=True)
            for i in range(self._workers)
        ]
        for thread in self._threads:
            thread.start()
        left = self._workers
        try:
            while left and not (cancel and cancel.is_set()):
                try:
                    result = results.get(timeout=POLL_SECONDS)
                except queue.Empty:
                    continue
                if isinstance(result, BaseException):
                    raise result
                if result is None:
                    left -= 1
                else:
                    yield result
        finally:
            self.close()

    def _serve(self, source: _Source, results: queue.Queue[Loaded | BaseException | None]) -> None:
        """One thread's life: it owns one worker process at a time, which dies with it."""
        worker = _Worker(self._limits, self._stop)
        try:
            while not self._stop.is_set() and (path := source.next()) is not None:
                started = time.monotonic()
                result, read = worker.load(path)
                self._put(results, Loaded(path, result, time.monotonic() - started, read))
            self._put(results, None)
        except BaseException as error:  # noqa: BLE001 - raised again by `load_all`, in the caller's thread
            self._put(results, error)
        finally:
            worker.end()

    def _put(self, results: queue.Queue[Loaded | BaseException | None], result: Loaded | BaseException | None) -> None:
        while not self._stop.is_set():
            with suppress(queue.Full):
                results.put(result, timeout=POLL_SECONDS)
                return


@dataclass(frozen=True, slots=True)
class _Limits:
    timeout: float
    memory_mb: int
    max_file_mb: int
    ocr: bool
    command: tuple[str, ...]


class _Source:
    """An iterator that several threads take from."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = iter(paths)
        self._lock = threading.Lock()

    def next(self) -> Path | None:
        with self._lock:
            return next(self._paths, None)


class _Worker:
    """A worker process, started when there is something to read and again when it had to be ended."""

    def __init__(self, limits: _Limits, stop: threading.Event) -> None:
        self._limits = limits
        self._stop = stop
        self._process: subprocess.Popen[bytes] | None = None
        self._errors: IO[bytes] | None = None
        self._files = 0

    def load(self, path: Path) -> tuple[Document | LoadError, Fingerprint | None]:
        """Reads one file; every way this can go wrong is an error about that file."""
        try:
            size = self._checked_size(path)
            return self._answer(self._running(), path, size)
        except LoadError as error:
            return error, None

    def end(self) -> None:
        process, self._process = self._process, None
        if process is not None:
            process.kill()
            process.wait()
            for pipe in (process.stdin, process.stdout, self._errors):
                if pipe:
                    with suppress(OSError):
                        pipe.close()

    def _checked_size(self, path: Path) -> int:
        try:
            with opened(path) as file:
                size = os.fstat(file.fileno()).st_size
        except OSError as error:
            raise UnreadableFile(
                f"{path} could not be read: {error.strerror}. Check that it is there and readable."
            ) from error
        check_size(path, size, self._limits.max_file_mb)
        return size

    def _running(self) -> subprocess.Popen[bytes]:
        if self._files >= FILES_A_WORKER:
            self.end()
        if self._process is None:
            self._files = 0
            self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - lives as long as the process
            self._process = subprocess.Popen(  # noqa: S603 - our own module
                [*self._limits.command, str(self._limits.memory_mb), str(os.getpid())],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._errors,
                cwd=Path(__file__).resolve().parents[2],
                env={name: os.environ[name] for name in PASSED_ON if name in os.environ},
            )
        self._files += 1
        return self._process

    def _answer(
        self, process: subprocess.Popen[bytes], path: Path, file_size: int
    ) -> tuple[Document | LoadError, Fingerprint | None]:
        assert process.stdin is not None
        seconds = self._limits.timeout + file_size / MIB
        most_of_all = most_of_any(self._limits.max_file_mb)
        most = most_output(file_size, most_of_all)
        try:
            process.stdin.write(encode_request(Request(os.fspath(path), seconds, self._limits.ocr, most_of_all)))
            process.stdin.flush()
            size = 0
            for _ in range(MOST_SIGNS):
                deadline = time.monotonic() + seconds
                size = HEADER.unpack(self._read(process, HEADER.size, path, deadline))[0]
                if size:
                    break
            else:
                raise self._stopped(path, "took too long to be read and was given up. Split it")
            if size > longest_answer(most):
                raise self._stopped(path, f"gives more than {most / MIB:,.0f} MiB of text. Split it")
            result = decode(self._read(process, size, path, deadline), most)
            read = Fingerprint.unpack(self._read(process, PACKED.size, path, deadline))
        except (OSError, ValueError) as error:
            raise self._crashed(process, path) from error
        return result, read if read.size else None

    def _read(self, process: subprocess.Popen[bytes], size: int, path: Path, deadline: float) -> bytes:
        assert process.stdout is not None
        pipe, parts, missing = process.stdout.fileno(), [], size
        while missing:
            if self._stop.is_set():
                raise self._stopped(path, "was not read to the end, because the work was stopped. Ingest it again")
            if time.monotonic() > deadline:
                raise self._stopped(
                    path, "took too long to be read and was given up. Raise FOOTNOTE_LOAD_TIMEOUT, or split it"
                )
            if not select.select([pipe], [], [], POLL_SECONDS)[0]:
                continue
            part = os.read(pipe, min(missing, MIB))
            if not part:
                raise self._crashed(process, path)
            parts.append(part)
            missing -= len(part)
        return b"".join(parts)

    def _stopped(self, path: Path, reason: str) -> LoaderStopped:
        self.end()
        return LoaderStopped(f"{path} {reason}.")

    def _crashed(self, process: subprocess.Popen[bytes], path: Path) -> LoaderStopped:
        process.kill()
        status, said = process.wait(), self._last_words()
        self.end()
        how = f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
        return LoaderStopped(
            f"{path} could not be read: the reading process ended ({how}{said}). The file may be damaged, or need more "
            f"than {self._limits.memory_mb} MiB (FOOTNOTE_LOAD_MEMORY_MB)."
        )

    def _last_words(self) -> str:
        if self._errors is None:
            return ""
        with suppress(OSError):
            self._errors.seek(0)
            lines = self._errors.read(MIB).decode(errors="replace").strip().splitlines()
            return f": {lines[-1][:200]}" if lines else ""
        return ""
