"""Runs a command and measures its seconds and its memory, with all processes that it starts."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Self

import psutil

from bench.peers.errors import BenchmarkFailed

SAMPLE_SECONDS = 0.25
# Unit of `ru_maxrss`: kilobytes, but bytes on macOS.
RUSAGE_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass(frozen=True, slots=True)
class Finished:
    """A command that succeeded.

    Attributes:
        seconds: from its start to its end on the clock.
        processor: seconds of processors that all its processes used, without the last SAMPLE_SECONDS of each.
        largest: peak resident bytes of its largest process, as the kernel counts them: at least those of the process
            that started the command.
        together: peak resident bytes of all its processes at one time, sampled every SAMPLE_SECONDS. Memory that they
            share is counted more than once.
        output: its standard output.
    """

    seconds: float
    processor: float
    largest: int
    together: int
    output: str

    @property
    def result(self) -> dict[str, Any]:
        """Returns the JSON object in the last line of the output.

        Raises:
            BenchmarkFailed: there is none.
        """
        line = self.output.rpartition("\n")[2]
        try:
            found = json.loads(line)
        except ValueError:
            found = None
        if not isinstance(found, dict):
            raise BenchmarkFailed(f"A line of JSON was expected at the end of the output, but found: {line[:200]!r}")
        return found


def measured(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> Finished:
    """Runs a command in a folder.

    Raises:
        BenchmarkFailed: its exit status was not 0.
    """
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        began = time.perf_counter()
        process = subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, env=environment, cwd=folder
        )
        try:
            with _Together(process.pid) as together:
                # Not `Popen.wait`: the kernel reports the peak memory to whoever collects the process.
                _, status, usage = os.wait4(process.pid, 0)
                seconds = time.perf_counter() - began
                process.returncode = os.waitstatus_to_exitcode(status)
        finally:
            if process.returncode is None:  # interrupted
                process.kill()
                process.wait()
        if process.returncode:
            told = _text(errors)[-2000:]
            raise BenchmarkFailed(f"{' '.join(command)} ended with status {process.returncode}:\n{told}")
        largest = max(usage.ru_maxrss * RUSAGE_UNIT, together.largest)
        return Finished(seconds, together.processor, largest, max(together.most, largest), _text(output))


def _text(file: IO[bytes]) -> str:
    file.seek(0)
    return file.read().decode(errors="replace").strip()


class _Together:
    """Samples the memory and the processors' time of a process and its descendants while a block runs.

    Attributes:
        most: the most bytes of all processes at one time.
        largest: the most bytes of one process.
    """

    def __init__(self, pid: int) -> None:
        self._pid = pid
        self._ended = threading.Event()
        self._sampler = threading.Thread(target=self._sample, daemon=True)
        self._used: dict[int, float] = {}
        self.most = self.largest = 0

    @property
    def processor(self) -> float:
        """Returns the seconds of processors that all processes had used when last seen."""
        return sum(self._used.values())

    def __enter__(self) -> Self:
        self._sampler.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.set()
        self._sampler.join()

    def _sample(self) -> None:
        with suppress(psutil.NoSuchProcess):
            process = psutil.Process(self._pid)
            while not self._ended.wait(SAMPLE_SECONDS):
                sizes = [self._seen(one) for one in (process, *process.children(recursive=True))]
                self.most, self.largest = max(self.most, sum(sizes)), max(self.largest, *sizes)

    def _seen(self, process: psutil.Process) -> int:
        """Records the seconds that a process has used; returns its resident bytes, or 0 if it has ended."""
        try:
            with process.oneshot():
                times = process.cpu_times()
                self._used[process.pid] = times.user + times.system
                return int(process.memory_info().rss)
        except psutil.Error:
            return 0
