"""Captures a worker process's final output and exit status, for messages."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress

MIB = 1024 * 1024
# Bytes of standard error that are kept, and characters of the last line that are shown.
LAST_WORDS = 4096
MOST_REASON = 200


class LastWords:
    """The end of a worker's standard error.

    Uses a socket, not a file, because code can be mapped from a file that the worker can write. Read as it fills.
    """

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self._kept = b""
        self.ends = [end.fileno()]
        """The descriptors to wait for; none after the worker has closed its end."""

    def hear(self) -> None:
        """Reads the available output, which is less than a MiB."""
        with suppress(BlockingIOError):
            said = self._end.recv(MIB)
            self._kept = (self._kept + said)[-LAST_WORDS:]
            self.ends = self.ends if said else []

    def close(self) -> None:
        """Closes this end."""
        self._end.close()

    def __str__(self) -> str:
        lines = self._kept.decode(errors="replace").strip().splitlines()
        return f": {lines[-1][:MOST_REASON]}" if lines else ""


def how_it_ended(status: int) -> str:
    """Describes a process's exit status."""
    with suppress(ValueError):  # real-time signals have no names
        return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
    return f"signal {-status}"
