"""Runs loaders in processes with limits on time, memory and output: no file can hurt more than itself."""

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
from ingest.loaders.sandbox.worker_process import POLL_SECONDS, WORKER, Limits, WorkerProcess
from ingest.segments import SegmentedDocument


class Loaded(NamedTuple):
    """What became of a file: its document, or why it could not be read, and how many seconds that took.

    `read` says which bytes its loader read; None where it read none, or did not live to say. `unrecognised`: text was
    left unread because recognition is turned off.
    """

    path: Path
    result: SegmentedDocument | LoadError
    seconds: float
    read: Fingerprint | None = None
    unrecognised: bool = False


class LoaderPool:
    """Worker processes that read files side by side. Use it in a `with` block.

    Args:
        workers: how many.
        timeout: seconds a file may take, plus one for every MiB of it; each page that is recognised may as well,
            up to ten to a hundred times as long in all, by the file's size.
        memory_mb: address space of a worker, in MiB.
        max_file_mb: larger files are not read, in MiB.
        ocr: whether text in pictures is read.
        allow_unconfined: read files also where the kernel does not confine the workers.
        command: the worker's command line; limits are appended to it.
        spool_folder: where long documents are kept while they are read; None for the system's temporary folder.
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
        self._limits = Limits(timeout, memory_mb, max_file_mb, ocr, allow_unconfined, tuple(command), spool_folder)
        self._confinement: Confinement | None = None
        self._stop = threading.Event()
        self._threads: list[threading.Thread] = []

    @property
    def confinement(self) -> Confinement | None:
        """What holds its workers; None while none was started."""
        return self._confinement

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

    def load_all(
        self,
        paths: Iterable[Path],
        cancel: threading.Event | None = None,
        name_of: Callable[[Path], str] = os.fspath,
    ) -> Iterator[Loaded]:
        """Reads files.

        Args:
            paths: taken one by one as workers are free, in their threads, one at a time.
            cancel: ends the reading early.
            name_of: tells what messages call a file.

        Yields:
            What became of each path, in the order they are done.
        """
        source = _Source(paths)
        # Small: what is read ahead waits in memory.
        results: queue.Queue[Loaded | BaseException | None] = queue.Queue(self._workers)
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
        """One thread's life: it owns one worker process at a time, which dies with it."""
        worker = WorkerProcess(self._limits, self._stop)
        try:
            while not self._stop.is_set() and (path := source.next()) is not None:
                started = time.monotonic()
                result, read, unrecognised = worker.load(path, name_of(path))
                self._confinement = worker.confinement or self._confinement
                self._put(results, Loaded(path, result, time.monotonic() - started, read, unrecognised))
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


# Starts loaders; takes what `LoaderPool` takes.
OpenLoaders: TypeAlias = Callable[..., LoaderPool]


class _Source:
    """An iterator that several threads take from."""

    def __init__(self, paths: Iterable[Path]) -> None:
        self._paths = iter(paths)
        self._lock = threading.Lock()

    def next(self) -> Path | None:
        with self._lock:
            return next(self._paths, None)
