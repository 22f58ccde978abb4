"""The HTTP client for OpenAI-compatible servers, with limits on responses and without redirects.

A redirect would send the question and its passages to another host, so none is followed. Responses are rejected if they
are compressed without being asked to, have a line longer than any event, or never end.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
from openai import DefaultAsyncHttpxClient

from ingest.errors import LLMError
from ingest.urls import packed

MIB = 1024 * 1024
# Most bytes of one line of a stream, and of one answer. A token takes about 200 bytes.
MOST_LINE, MOST_ANSWER = MIB, 256 * MIB


def bounded_client(where: str) -> httpx2.AsyncClient:
    """Builds a client for `where`, the name used in messages. Opens no connection yet.

    Its requests raise LLMError for a redirect or a rejected response.
    """

    async def checked(response: httpx2.Response) -> None:
        if response.has_redirect_location:
            raise LLMError(
                f"{where} redirects to another address, which is not followed. Set FOOTNOTE_LLM_BASE_URL to the "
                "server's own address."
            )
        if packed(response.headers):
            raise LLMError(f"{where} sent a compressed response, which was not requested. Check the server's settings.")
        response.stream = _Bounded(response.stream, where)

    headers = {"accept-encoding": "identity"}
    return DefaultAsyncHttpxClient(follow_redirects=False, headers=headers, event_hooks={"response": [checked]})


class _Bounded(httpx2.AsyncByteStream):
    """A response body with a limit on line length and size."""

    def __init__(self, stream: object, where: str) -> None:
        assert isinstance(stream, httpx2.AsyncByteStream)
        self._stream = stream
        self._where = where

    async def __aiter__(self) -> AsyncIterator[bytes]:
        line = whole = 0
        async for piece in self._stream:
            whole += len(piece)
            first, last = piece.find(b"\n"), piece.rfind(b"\n")
            longest = line + (len(piece) if first < 0 else first)
            line = line + len(piece) if last < 0 else len(piece) - last - 1
            if longest > MOST_LINE or whole > MOST_ANSWER:
                raise LLMError(f"{self._where} sent an answer that is too large. Check the server, or use another.")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
