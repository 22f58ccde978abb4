"""Short HTTP requests with a limit on total time and size, without redirects."""

from __future__ import annotations

import ssl
from dataclasses import dataclass
from functools import cache
from typing import Any

import httpx

from app.stream_bridge import settled
from ingest.urls import bypass_proxy_for_loopback, packed


class TooMuch(httpx.HTTPError):
    """The response exceeds the size limit, or is compressed although `identity` was requested."""


@dataclass(frozen=True, slots=True)
class Answered:
    """A server's response."""

    status: int
    kind: str
    """The media type, such as "application/json"; "" if the response has none."""
    body: bytes


def ask(
    url: str | httpx.URL,
    *,
    seconds: float,
    most_bytes: int,
    json: Any = None,
    headers: dict[str, str] | None = None,
) -> Answered:
    """Sends a POST request if `json` is given, otherwise a GET request. Follows no redirect.

    Raises:
        httpx.TimeoutException: the complete response did not arrive within `seconds`.
        TooMuch: the response has more than `most_bytes` bytes, or is compressed.
        httpx.HTTPError, httpx.InvalidURL: the server is unreachable or does not speak HTTP.
    """
    bypass_proxy_for_loopback()
    sent = {"accept-encoding": "identity"} | (headers or {})
    try:
        return settled(lambda: _asked("GET" if json is None else "POST", url, most_bytes, json, sent), seconds)
    except TimeoutError as error:
        raise httpx.ReadTimeout(f"No complete response within {seconds:g} seconds") from error


def bearer(key: str) -> dict[str, str]:
    """Returns the authorization header for a key; no header for ""."""
    return {"authorization": f"Bearer {key}"} if key else {}


async def _asked(method: str, url: str | httpx.URL, most: int, json: Any, headers: dict[str, str]) -> Answered:
    async with (
        httpx.AsyncClient(verify=_trust(), timeout=None) as client,  # noqa: S113 - `settled` limits the total time
        client.stream(method, url, json=json, headers=headers) as response,
    ):
        if packed(response.headers):
            raise TooMuch("It is compressed")
        body = bytearray()
        async for piece in response.aiter_raw():
            body += piece
            if len(body) > most:
                raise TooMuch(f"It has more than {most:,} bytes")
        kind = response.headers.get("content-type", "").partition(";")[0].strip().lower()
        return Answered(response.status_code, kind, bytes(body))


@cache
def _trust() -> ssl.SSLContext:
    return httpx.create_ssl_context()  # building it takes longer than a request to a local server
