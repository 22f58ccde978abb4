"""Sends the questions of a command to the running chat of a data folder."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Generator, Mapping
from contextlib import ExitStack, closing, suppress
from pathlib import Path
from typing import Any

from app.cancellation import CancelToken
from app.local_service.protocol import (
    HANDSHAKE_SECONDS,
    MOST_REPLY,
    MOST_REQUEST,
    PROTOCOL,
    ProtocolError,
    receive,
    run_files,
    send,
)
from app.models import Event, SearchResult
from app.packing import unpack_event, unpack_hit
from ingest import errors
from ingest.errors import ChatStopped, FootnoteError
from ingest.filters import Filter
from ingest.host import socket_address

# Seconds between two checks if the answer was cancelled.
POLL_SECONDS = 0.1
STOPPED = "The running chat stopped before it had answered. Ask again: the command then does the work itself."


class NotServed(Exception):
    """No running chat takes the call; the caller does the work itself."""


class ServerFailed(Exception):
    """The running chat had an internal error; its log has the details."""


class LocalClient:
    """Searches and asks through the running chat of a data folder, as `Questions`.

    All methods raise what `Footnote` raises, and:

    Raises:
        NotServed: no chat with this identity takes the call; nothing was yielded yet.
        ChatStopped: the chat ended before it had answered.
        ServerFailed: the chat had an internal error.

    Args:
        data_dir: the data folder.
        identity: `identity` of this process.
        seconds: time limit for connecting and being accepted.
    """

    def __init__(self, data_dir: Path, identity: str, seconds: float = HANDSHAKE_SECONDS) -> None:
        self._socket, self._token = run_files(data_dir)
        self._identity, self._seconds = identity, seconds

    @staticmethod
    def is_possible(data_dir: Path) -> bool:
        """Returns True if the data folder has the files of a running chat, which may be left over from a killed one."""
        return all(map(_is_own, run_files(data_dir)))

    def model_note(self, collection: str | None = None) -> str:
        """Returns `Footnote.model_note`."""
        return str(self._value("model_note", collection=collection))

    def check_filter(self, within: Filter | None, *, collection: str | None = None) -> None:
        """Calls `Footnote.check_filter`."""
        self._value("check_filter", within=_packed(within), collection=collection)

    def retrieve(
        self, question: str, k: int, *, collection: str | None = None, within: Filter | None = None
    ) -> SearchResult:
        """Returns `Footnote.retrieve`."""
        replies = self._call("retrieve", question=question, k=k, collection=collection, within=_packed(within))
        *hits, last = replies
        return SearchResult([unpack_hit(one["hit"]) for one in hits], tuple(last["value"]))

    def ask(
        self,
        question: str,
        *,
        collection: str | None = None,
        k: int | None = None,
        within: Filter | None = None,
        cancel: CancelToken | None = None,
    ) -> Generator[Event, None, None]:
        """Yields the events of `Footnote.ask`, `Retrieved` without its passages."""
        arguments = {"question": question, "collection": collection, "k": k, "within": _packed(within)}
        with closing(self._call("ask", cancel, **arguments)) as replies:
            for reply in replies:
                if "event" in reply:
                    yield unpack_event(reply["event"])

    def _value(self, call: str, **arguments: Any) -> Any:
        (reply,) = self._call(call, **arguments)
        return reply["value"]

    def _call(self, call: str, cancel: CancelToken | None = None, **arguments: Any) -> Generator[dict[str, Any]]:
        """Yields the replies to a call, the last with "value"."""
        with self._accepted(call, arguments) as connection:
            connection.settimeout(POLL_SECONDS)

            def on_silence() -> None:
                if cancel and cancel.cancelled:
                    with suppress(OSError):
                        connection.shutdown(socket.SHUT_WR)

            while True:
                try:
                    reply = receive(connection, MOST_REPLY, on_silence)
                except (OSError, ProtocolError) as error:
                    raise ChatStopped(STOPPED) from error
                if reply is None:
                    raise ChatStopped(STOPPED)
                if "error" in reply:
                    raise _error(reply)
                yield reply
                if "value" in reply:
                    return
                on_silence()

    def _accepted(self, call: str, arguments: Mapping[str, Any]) -> socket.socket:
        """Returns a connection on which the server has accepted the call.

        Raises:
            NotServed: it was not accepted in time, or at all.
        """
        with ExitStack() as failing:
            connection = failing.enter_context(socket.socket(socket.AF_UNIX))
            try:
                connection.settimeout(self._seconds)
                request = {"protocol": PROTOCOL, "token": self._read_token(), "identity": self._identity}
                with socket_address(self._socket) as name:
                    connection.connect(name)
                send(connection, request | {"call": call, "arguments": arguments}, MOST_REQUEST)
                reply = receive(connection, MOST_REQUEST)
            except (OSError, ProtocolError) as error:
                raise NotServed(str(error)) from error
            if not (reply and reply.get("accepted")):
                raise NotServed(reply.get("refused", "") if reply else "the connection was closed")
            failing.pop_all()
            return connection

    def _read_token(self) -> str:
        if not (_is_own(self._token) and _is_own(self._socket)):
            raise FileNotFoundError(f"no chat of this user has its files in {self._token.parent}")
        return self._token.read_text(encoding="ascii", errors="replace")


def _is_own(path: Path) -> bool:
    """Returns True if a file exists, belongs to this user, and nobody else may write to it."""
    try:
        found = path.lstat()
    except OSError:
        return False
    return found.st_uid == os.geteuid() and not found.st_mode & (stat.S_IWGRP | stat.S_IWOTH)


def _packed(within: Filter | None) -> dict[str, Any] | None:
    return within.as_json() if within else None


def _error(reply: Mapping[str, Any]) -> Exception:
    """Returns the error that the server reports, with its class if it was raised on purpose."""
    name, message = str(reply["error"]), str(reply.get("message", ""))
    kind = getattr(errors, name, None)
    if isinstance(kind, type) and issubclass(kind, FootnoteError):
        return kind(message)
    return ServerFailed(f"{name} in the running chat: {message}")
