"""The messages between a command and a running chat.

A message is a length in four bytes, big-endian, and a JSON object in UTF-8. One connection carries one call::

    client   {"protocol": 1, "token": ..., "identity": ..., "call": "ask", "arguments": {...}}
    server   {"accepted": true}                  or {"refused": reason}, and the connection ends
    server   {"event": ...} | {"hit": ...}       any number
    server   {"value": ...}                      the end, or {"error": type, "message": ...}

If the client closes its half of the connection, the answer is cancelled, and the server sends the partial answer.
"""

from __future__ import annotations

import json
import socket
import struct
from collections.abc import Callable, Generator, Mapping
from pathlib import Path
from typing import Any, Protocol

from app.cancellation import CancelToken
from app.models import Event, SearchResult
from ingest.filters import Filter

PROTOCOL = 1
# In the folder `run` of the data folder. The token is new at each start.
RUN, SOCKET, TOKEN = "run", "service.sock", "service.token"
# Seconds within which a call must arrive and be accepted.
HANDSHAKE_SECONDS = 2.0
LENGTH = struct.Struct(">I")
# Sizes of messages in bytes. A question may have 8,000 characters; an answer, its passages several times.
MOST_REQUEST = 256 * 1024
MOST_REPLY = 64 * 1024 * 1024


class ProtocolError(Exception):
    """A message is malformed, too long, or cut off."""


class Questions(Protocol):
    """Searches and answers; `app.footnote.Footnote` does."""

    def model_note(self, collection: str | None = None) -> str:
        """Explains that the settings name another embedding model than a collection's; "" if they do not."""
        ...

    def check_filter(self, within: Filter | None, *, collection: str | None = None) -> None:
        """Rejects a filter that matches no document."""
        ...

    def retrieve(
        self, question: str, k: int, *, collection: str | None = None, within: Filter | None = None
    ) -> SearchResult:
        """Finds the `k` chunks that best match a question."""
        ...

    def ask(
        self,
        question: str,
        *,
        collection: str | None = None,
        k: int | None = None,
        within: Filter | None = None,
        cancel: CancelToken | None = None,
    ) -> Generator[Event, None, None]:
        """Yields the events of an answer."""
        ...


def run_files(data_dir: Path) -> tuple[Path, Path]:
    """Returns the paths of the socket and the token of a data folder."""
    return data_dir / RUN / SOCKET, data_dir / RUN / TOKEN


def send(connection: socket.socket, message: Mapping[str, Any], most: int) -> None:
    """Sends one message.

    Args:
        connection: the connection.
        message: a JSON object; its strings may hold lone surrogates.
        most: the limit on its size, in bytes.

    Raises:
        ProtocolError: it is too long.
        OSError: the other side has closed the connection, or its time limit has passed.
    """
    data = json.dumps(message, ensure_ascii=False).encode("utf-8", "surrogatepass")
    if len(data) > most:
        raise ProtocolError(f"a message of {len(data):,} bytes exceeds the limit of {most:,}")
    connection.sendall(LENGTH.pack(len(data)) + data)


def receive(
    connection: socket.socket, most: int, on_silence: Callable[[], None] | None = None
) -> dict[str, Any] | None:
    """Receives one message; None if the other side has closed the connection.

    Args:
        connection: the connection.
        most: the limit on the message's size, in bytes; nothing longer is read.
        on_silence: called each time that the connection's time limit passes without data; None: that is an error.

    Raises:
        ProtocolError: the message is malformed, too long, or cut off.
        OSError: the connection failed, or its time limit has passed.
    """
    head = _exactly(connection, LENGTH.size, on_silence)
    if not head:
        return None
    if len(head) < LENGTH.size:
        raise ProtocolError("the length of a message is cut off")
    (length,) = LENGTH.unpack(head)
    if length > most:
        raise ProtocolError(f"a message of {length:,} bytes exceeds the limit of {most:,}")
    data = _exactly(connection, length, on_silence)
    if len(data) < length:
        raise ProtocolError("a message is cut off")
    try:
        message = json.loads(data.decode("utf-8", "surrogatepass"))
    except (ValueError, RecursionError) as error:
        raise ProtocolError("a message is not JSON") from error
    if not isinstance(message, dict):
        raise ProtocolError("a message is not a JSON object")
    return message


def _exactly(connection: socket.socket, size: int, on_silence: Callable[[], None] | None) -> bytes:
    """Reads `size` bytes, or fewer if the connection ends before."""
    data = bytearray()
    while len(data) < size:
        try:
            part = connection.recv(size - len(data))
        except TimeoutError:
            if on_silence is None:
                raise
            on_silence()
            continue
        if not part:
            break
        data += part
    return bytes(data)
