"""Runs loaders in processes with limits on time, memory and output, so that a file can only affect itself."""

from __future__ import annotations

import os
import queue
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import NamedTuple, Self, TypeAlias

from ingest.errors import LoadError
from ingest.host import Fingerprint
from ingest.loaders.sandbox.confinement import Confinement
from ingest.loaders.sandbox.worker_process import POLL_SECONDS, WORKER, WorkerLimits, WorkerProcess
from ingest.segments import SegmentedDocument

# Finished documents that may wait: a batch takes as long to write as this many small files to read. Each takes at most
# a MiB or two of memory (ingest.loaders.sandbox.receiving).
READ_AHEAD = 32


class Loaded(NamedTuple):
    """The outcome of a file: its document, or an error, and the seconds it took.

    `read` is the fingerprint of the bytes that the loader read; None if it read none, or was ended before it reported.
    `unrecognised`: text was left unread because OCR is off.
    """

    path: Path
    result: SegmentedDocument | LoadError
    seconds: float
    read: Fingerprint | None = None
    unrecognised: bool = False


class LoaderPool:
    """Worker processes that read files in parallel. Use it in a `with` block.

    Args:
        workers: number of processes.
        timeout: seconds a file may take, plus one per MiB; each OCR page extends this by as much, up to ten to a
            hundred times in all, depending on the file's size.
        memory_mb: address space of a worker, in MiB.
        max_file_mb: size limit of files, in MiB.
        ocr: also reads text in pictures.
        allow_unconfined: also reads files if the kernel does not sandbox the workers.
        command: the worker's command line; limits are appended to it.
        spool_folder: folder for long documents while they are read; None for the system's temporary folder.
    """

    def __init__(
        self,
        workers: int,
        timeout: float,
        memory_mb: int,
        max_file_mb: int,
        *,
        ocr: bool = True,
        allow_unconfined: bool = False,
        command: Sequence[str] = WORKER,
        spool_folder: Path | None = None,
    ) -> None:
        self._workers = workers
        self._limits = WorkerLimits(
            timeout, memory_mb, max_file_mb, ocr, allow_unconfined, tuple(command), spool_folder
        )
        self._confinement: Confinement | None = None
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def confinement(self) -> Confinement | None:
        """Returns the sandbox of its workers; None before one was started."""
        return self._confinement

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Ends all workers immediately."""
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def load_all(
        self,
        paths: Iterable[Path],
        cancel: threading.Event | None = None,
        name_of: Callable[[Path], str] = os.fspath,
    ) -> Iterator[Loaded]:
        """Reads files.

        Args:
            paths: iterated as workers become free, in their threads, one item at a time.
            cancel: ends the reading early.
            name_of: returns a file's name for messages.

        Yields:
            The outcome of each path, in order of completion.
        """
        source = _Source(paths)
        results: queue.Queue[Loaded | BaseException | None] = queue.Queue(READ_AHEAD)
        self._threads = [
            threading.Thread(target=self._serve, args=(source, results, name_of), name=f"loader-{i}", daemon=True)
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

    def _serve(
        self, source: _Source, results: queue.Queue[Loaded | BaseException | None], name_of: Callable[[Path], str]
    ) -> None:
        """Runs one thread, which owns one worker process at a time and ends it."""
        worker = WorkerProcess(self._limits, self._stop)
        try:
            while not self._stop.is_set() and (path := source.next()) is not None:
                started = time.monotonic()
                result, read, unrecognised = worker.load(path, name_of(path))
                self._confinement = worker.confinement or self._confinement
                self._put(results, Loaded(path, result, time.monotonic() - started, read, unrecognised))
            self._put(results, None)
        except BaseException as error:  # noqa: BLE001 - re-raised by `load_all`, in the caller's thread
            self._put(results, error)
        finally:
            worker.end()

    def _put(self, results: queue.Queue[Loaded | BaseException | None], result: Loaded | BaseException | None) -> None:
        while not self._stop.is_set():
            with suppress(queue.Full):
                results.put(result, timeout=POLL_SECONDS)
                return


# Starts loaders; takes the arguments of `LoaderPool`.
OpenLoaders: TypeAlias = Callable[..., LoaderPool]


class _Source:
    """An iterator shared by several threads."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = iter(paths)
        self._lock = threading.Lock()

    def next(self) -> Path | None:
        with self._lock:
            return next(self._paths, None)
