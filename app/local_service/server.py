"""Answers the commands of one user from a running chat.

The socket is in the run folder of the data folder, with mode 0600, so the file system keeps other users out. Clients
also send a token, because Footnote does not change the permissions of a data folder of another owner: the token's file
is always private, and its content is new at each start. A client must also have the server's `identity`.
"""

from __future__ import annotations

import hmac
import logging
import secrets
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from pathlib import Path
from typing import Any, Self

from app.cancellation import CancelToken
from app.local_service.protocol import (
    HANDSHAKE_SECONDS,
    MOST_REPLY,
    MOST_REQUEST,
    PROTOCOL,
    ProtocolError,
    Questions,
    receive,
    run_files,
    send,
)
from app.packing import pack_event, pack_hit
from ingest.errors import FootnoteError
from ingest.filters import Filter
from ingest.host import OWNER_FILE, make_private_folder, socket_address, write_private_text

logger = logging.getLogger(__name__)
# Calls answered at the same time; the clients of further ones do the work themselves.
MOST_CALLS = 16
PAUSE_SECONDS = 0.1
Replies = Iterator[dict[str, Any]]


class LocalService:
    """Serves searches and answers to commands of the same user. Use it in a `with` block.

    Args:
        questions: searches and answers.
        data_dir: the data folder; its chat lock is held, so no other server uses its socket.
        identity: `identity` of this process.
        most_calls: how many calls are answered at the same time.
    """

    def __init__(self, questions: Questions, data_dir: Path, identity: str, most_calls: int = MOST_CALLS) -> None:
        self._questions, self._identity, self._most_calls = questions, identity, most_calls
        self._socket, self._token_file = run_files(data_dir)
        self._token = secrets.token_hex(32)
        self._listener = socket.socket(socket.AF_UNIX)
        self._lock = threading.Lock()
        self._open: set[socket.socket] = set()
        self._closed = False

    def __enter__(self) -> Self:
        """Starts serving.

        Raises:
            OSError: the socket or the token cannot be created; nothing is left behind.
        """
        try:
            make_private_folder(self._socket.parent)
            self._remove_files()  # left by a server that was killed
            with socket_address(self._socket) as name:
                self._listener.bind(name)
            self._socket.chmod(OWNER_FILE)
            write_private_text(self._token_file, self._token)
            self._listener.listen(socket.SOMAXCONN)
        except OSError:
            self.__exit__()
            raise
        threading.Thread(target=self._accept, name="local-service", daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        """Stops serving, and cancels answers in progress."""
        with self._lock:
            self._closed = True
            for connection in self._open:
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)
        self._remove_files()
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)  # wakes the thread that accepts
        self._listener.close()

    def _remove_files(self) -> None:
        for path in (self._socket, self._token_file):
            with suppress(OSError):
                path.unlink(missing_ok=True)

    def _accept(self) -> None:
        while not self._closed:
            try:
                connection, _ = self._listener.accept()
                threading.Thread(target=self._serve, args=(connection,), name="local-call", daemon=True).start()
            except (OSError, RuntimeError):  # out of descriptors or threads, or closed
                time.sleep(PAUSE_SECONDS)

    def _serve(self, connection: socket.socket) -> None:
        """Answers the one call of a connection."""
        with connection:
            with self._lock:
                if self._closed or len(self._open) >= self._most_calls:
                    return
                self._open.add(connection)
            try:
                self._answer(connection)
            except _ClientGone:
                logger.debug("A command has closed its connection")
            finally:
                with self._lock:
                    self._open.discard(connection)
                with suppress(OSError):
                    connection.shutdown(socket.SHUT_RDWR)  # also wakes the thread that waits for the client's end

    def _answer(self, connection: socket.socket) -> None:
        connection.settimeout(HANDSHAKE_SECONDS)
        try:
            request = receive(connection, MOST_REQUEST)
            if request is None:
                return
            replies = self._replies(request, connection)
        except OSError as error:
            raise _ClientGone from error
        except (ProtocolError, FootnoteError, TypeError) as error:
            _reply(connection, {"refused": str(error)})
            return
        _reply(connection, {"accepted": True})
        connection.settimeout(None)  # a command may wait for its own output to be read
        try:
            with closing(replies):
                for reply in replies:
                    _reply(connection, reply)
        except _ClientGone:
            raise
        except Exception as error:
            if not isinstance(error, FootnoteError):
                logger.exception("A command's question failed with an internal error")
            _reply(connection, {"error": type(error).__name__, "message": str(error)})

    def _replies(self, request: dict[str, Any], connection: socket.socket) -> Any:
        """Returns the replies to a request, not begun yet.

        Raises:
            ProtocolError: the request is refused; the message says why.
        """
        if request.get("protocol") != PROTOCOL:
            raise ProtocolError("another version of Footnote")
        if not _equal(request.get("token"), self._token):
            raise ProtocolError("not the token of this server")
        if not _equal(request.get("identity"), self._identity):
            raise ProtocolError("other code, settings or environment")
        calls: dict[str, Callable[..., Replies]] = {
            "model_note": self._model_note,
            "check_filter": self._check_filter,
            "retrieve": self._retrieve,
            "ask": self._ask,
        }
        call, arguments = calls.get(str(request.get("call"))), request.get("arguments")
        if call is None or not isinstance(arguments, dict):
            raise ProtocolError("an unknown call")
        if "within" in arguments:
            arguments["within"] = Filter.from_json(arguments["within"]) if arguments["within"] else None
        return call(connection, **arguments)

    def _model_note(self, _connection: socket.socket, collection: str | None) -> Replies:
        yield {"value": self._questions.model_note(collection)}

    def _check_filter(self, _connection: socket.socket, within: Filter | None, collection: str | None) -> Replies:
        self._questions.check_filter(within, collection=collection)
        yield {"value": None}

    def _retrieve(
        self, _connection: socket.socket, question: str, k: int, collection: str | None, within: Filter | None
    ) -> Replies:
        found = self._questions.retrieve(question, k, collection=collection, within=within)
        for hit in found.hits:
            yield {"hit": pack_hit(hit)}
        yield {"value": found.notices}

    def _ask(
        self, connection: socket.socket, question: str, k: int | None, collection: str | None, within: Filter | None
    ) -> Replies:
        cancel = CancelToken()
        threading.Thread(target=_cancel_at_end, args=(connection, cancel), name="local-cancel", daemon=True).start()
        with closing(self._questions.ask(question, collection=collection, k=k, within=within, cancel=cancel)) as events:
            for event in events:
                yield {"event": pack_event(event)}
        yield {"value": None}


class _ClientGone(Exception):
    """The client has closed the connection, or sent nothing in time."""


def _reply(connection: socket.socket, message: dict[str, Any]) -> None:
    try:
        send(connection, message, MOST_REPLY)
    except OSError as error:
        raise _ClientGone from error


def _equal(given: object, expected: str) -> bool:
    return isinstance(given, str) and hmac.compare_digest(given.encode("utf-8", "replace"), expected.encode())


def _cancel_at_end(connection: socket.socket, cancel: CancelToken) -> None:
    """Cancels an answer when its client closes the connection, or its half of it; clients send nothing else."""
    with suppress(OSError):
        connection.recv(1)
    cancel.cancel()
