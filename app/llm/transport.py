"""The HTTP client that talks to an OpenAI-compatible server: nothing that it sends fills the memory or leads elsewhere.

A redirect would take the question and its passages to another host: none is followed. What is sent compressed without
being asked for, has a line longer than any event, or does not end, is not read on.
"""

from __future__ import annotations

from collections.abc import AsyncIterator

import httpx2
from openai import DefaultAsyncHttpxClient

from ingest.errors import LLMError
from ingest.urls import packed

MIB = 1024 * 1024
# Bytes of one line of a stream, and of one answer. A token takes some 200 bytes.
MOST_LINE, MOST_ANSWER = MIB, 256 * MIB


def bounded_client(where: str) -> httpx2.AsyncClient:
    """A client for `where`, which its messages name. It connects to nothing yet.

    Its requests raise LLMError where a server does one of the above.
    """

    async def checked(response: httpx2.Response) -> None:
        if response.has_redirect_location:
            raise LLMError(
                f"{where} sends questions on to another address, which is not followed. Set FOOTNOTE_LLM_BASE_URL to "
                "the server's own address."
            )
        if packed(response.headers):
            raise LLMError(
                f"{where} answered in a compressed form, which it was not asked for. Look at the server's settings."
            )
        response.stream = _Bounded(response.stream, where)

    headers = {"accept-encoding": "identity"}
    return DefaultAsyncHttpxClient(follow_redirects=False, headers=headers, event_hooks={"response": [checked]})


class _Bounded(httpx2.AsyncByteStream):
    """A body as it comes, until it is too much."""

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
                raise LLMError(f"{self._where} sent an answer without end. Look at the server, or choose another one.")
            yield piece

    async def aclose(self) -> None:
        await self._stream.aclose()
