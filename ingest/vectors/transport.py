"""Runs chromadb's client over connections handed out by the local server's supervisor (see network_namespace)."""

from __future__ import annotations

import select
import socket
import ssl
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpcore
import httpx
from chromadb.api.client import Client
from chromadb.config import Settings

from ingest.vectors.network_namespace import handed_out


def handed_out_client(run_dir: Path, port: int) -> Client:
    """Connects chromadb's client to the server of a run folder.

    Args:
        run_dir: the run folder.
        port: the server's port inside its namespace, used in request URLs.

    Raises:
        ValueError: the server does not answer (chromadb gives no detail).
    """

    class HandedOut(Client):
        """Replaces the session before the first request, because chromadb accepts no transport."""

        def get_user_identity(self) -> Any:
            _exchange_session(self._server, run_dir)
            return super().get_user_identity()

        def _validate_tenant_database(self, tenant: str, database: str) -> None:
            _exchange_session(self._admin_client._server, run_dir)  # type: ignore[attr-defined]  # noqa: SLF001
            super()._validate_tenant_database(tenant, database)

    settings = Settings(
        anonymized_telemetry=False,
        chroma_api_impl="chromadb.api.fastapi.FastAPI",
        chroma_server_host="127.0.0.1",
        chroma_server_http_port=port,
    )
    return HandedOut(settings=settings)


def _exchange_session(server: Any, run_dir: Path) -> None:
    given = server._session  # noqa: SLF001 - tested with chromadb 1.5; its versions are pinned
    transport = httpx.HTTPTransport(trust_env=False)
    transport._pool = httpcore.ConnectionPool(  # noqa: SLF001 - httpx 0.28 takes no network backend
        max_connections=None, max_keepalive_connections=None, network_backend=_Backend(run_dir)
    )
    client = httpx.Client(transport=transport, headers=given.headers, timeout=given.timeout, trust_env=False)
    server._session = client  # noqa: SLF001
    given.close()


class _Backend(httpcore.NetworkBackend):
    """Connects to the one server, for any host."""

    def __init__(self, run_dir: Path) -> None:
        self._run_dir = run_dir

    def connect_tcp(
        self,
        host: str,  # noqa: ARG002 - httpcore's form
        port: int,  # noqa: ARG002
        timeout: float | None = None,
        local_address: str | None = None,  # noqa: ARG002
        socket_options: Iterable[Any] | None = None,  # noqa: ARG002
    ) -> httpcore.NetworkStream:
        try:
            return _Stream(handed_out(self._run_dir, timeout))
        except OSError as error:
            raise httpcore.ConnectError(str(error)) from error


class _Stream(httpcore.NetworkStream):
    def __init__(self, connection: socket.socket) -> None:
        self._connection = connection

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        with _mapped(httpcore.ReadTimeout, httpcore.ReadError):
            self._connection.settimeout(timeout)
            return self._connection.recv(max_bytes)

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        with _mapped(httpcore.WriteTimeout, httpcore.WriteError):
            self._connection.settimeout(timeout)
            self._connection.sendall(buffer)

    def close(self) -> None:
        self._connection.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        raise NotImplementedError("the local server does not support TLS")

    def get_extra_info(self, info: str) -> Any:
        if info == "is_readable":  # checked on a pooled connection: True if the server closed it
            return _is_readable(self._connection)
        return self._connection if info == "socket" else None


def _is_readable(connection: socket.socket) -> bool:
    if connection.fileno() < 0:
        return True
    poll = select.poll()
    poll.register(connection, select.POLLIN)
    return bool(poll.poll(0))


@contextmanager
def _mapped(late: type[Exception], broken: type[Exception]) -> Iterator[None]:
    """Maps socket errors to httpcore's."""
    try:
        yield
    except TimeoutError as error:
        raise late(str(error)) from error
    except OSError as error:
        raise broken(str(error)) from error
