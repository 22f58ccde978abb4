"""What a worker process says and does at its end, for messages."""

from __future__ import annotations

import signal
import socket
from contextlib import suppress

MIB = 1024 * 1024
# Bytes of standard error that are kept, and characters of the last line that are shown.
LAST_WORDS = 4096
MOST_REASON = 200


class LastWords:
    """The end of what a worker says on standard error.

    A socket, because code can be mapped from a file that the worker can write. It is read as it fills.
    """

    def __init__(self, end: socket.socket) -> None:
        end.setblocking(False)
        self._end = end
        self._kept = b""
        self.ends = [end.fileno()]
        """The descriptors to wait for: none once the worker has closed its end."""

    def hear(self) -> None:
        """Takes what there is, which is less than a MiB."""
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
    """Puts a process's exit status in words."""
    with suppress(ValueError):  # real-time signals have no names
        return f"signal {signal.Signals(-status).name}" if status < 0 else f"status {status}"
    return f"signal {-status}"
