"""Network backend for fetching pages: resolves and checks each host once, and enforces a deadline on every step."""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Iterable
from typing import Any, TypeAlias

import httpcore

from ingest.errors import LoadError
from ingest.urls import is_public

# Returns the addresses of a host and port, the best first; raises OSError or UnicodeError if there are none.
Resolve: TypeAlias = Callable[[str, int], list[str]]


def addresses_of(host: str, port: int) -> list[str]:
    """Looks up the addresses of a host with the system's resolver.

    Raises:
        OSError, UnicodeError: the host was not found.
    """
    return [str(entry[4][0]) for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


class PublicNetwork(httpcore.NetworkBackend):
    """Connects only to addresses that it checked, for one page.

    Args:
        shown: the page's address, for messages.
        until: the deadline, in seconds of `time.monotonic`.
        allow_private: allows connections to addresses that are not public.
        resolve: looks up the addresses of a host.
    """

    def __init__(self, shown: str, until: float, *, allow_private: bool, resolve: Resolve = addresses_of) -> None:
        self._resolve = resolve
        self._shown = shown
        self._until = until
        self._allow_private = allow_private
        self._inner = httpcore.SyncBackend()

    def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,
        local_address: str | None = None,
        socket_options: Iterable[Any] | None = None,
    ) -> httpcore.NetworkStream:
        """Connects to the first address of a host that accepts the connection.

        Raises:
            LoadError: the host does not exist, or has an address that is not allowed.
            httpcore.NetworkError, httpcore.TimeoutException: no address accepts it.
        """
        *some, last = self._addresses(host, port)
        for address in some:
            try:
                return self._stream(address, port, timeout, local_address, socket_options)
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return self._stream(last, port, timeout, local_address, socket_options)

    def _stream(self, address: str, port: int, timeout: float | None, *more: Any) -> httpcore.NetworkStream:
        seconds = left(self._until, timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.connect_tcp(address, port, seconds, *more), self._until)

    def _addresses(self, host: str, port: int) -> list[str]:
        try:
            addresses = self._resolve(host, port)
        except (OSError, UnicodeError) as error:
            raise LoadError(
                f"{self._shown} could not be fetched: the host {host!r} was not found ({error})."
            ) from error
        private = [address for address in addresses if not is_public(address)]
        if private and not self._allow_private:
            raise LoadError(
                f"{self._shown} was not fetched: it leads to {host} ({private[0]}), which is not a public address. "
                "To allow that, use --allow-private."
            )
        return addresses


class _Stream(httpcore.NetworkStream):
    """A connection on which every step ends by the deadline, even if data arrives slowly."""

    def __init__(self, inner: httpcore.NetworkStream, until: float) -> None:
        self._inner = inner
        self._until = until

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        return self._inner.read(max_bytes, left(self._until, timeout, httpcore.ReadTimeout))

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        self._inner.write(buffer, left(self._until, timeout, httpcore.WriteTimeout))

    def close(self) -> None:
        self._inner.close()

    def start_tls(
        self, ssl_context: ssl.SSLContext, server_hostname: str | None = None, timeout: float | None = None
    ) -> httpcore.NetworkStream:
        seconds = left(self._until, timeout, httpcore.ConnectTimeout)
        return _Stream(self._inner.start_tls(ssl_context, server_hostname, seconds), self._until)

    def get_extra_info(self, info: str) -> Any:
        return self._inner.get_extra_info(info)


def left(until: float, timeout: float | None, kind: type[httpcore.TimeoutException]) -> float:
    """Returns the seconds that a step may take: its timeout, or the time until the deadline.

    Raises:
        httpcore.TimeoutException: the deadline has passed; of type `kind`.
    """
    seconds = until - time.monotonic()
    if seconds <= 0:
        raise kind("the deadline has passed")
    return seconds if timeout is None else min(seconds, timeout)
