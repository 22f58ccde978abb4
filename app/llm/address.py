"""Finds the API of an OpenAI-compatible server at, or one step from, the configured address."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

import httpx

from app.bounded_http import ask, bearer
from app.llm.limits import PATIENCE
from ingest.settings import Settings

# Size limit of a list of models in bytes: OpenRouter lists 340 in 500 KB.
MOST_BYTES = 8 * 1024 * 1024
# Endpoint paths that users copy along with the address.
ENDPOINT = re.compile(r"/(?:chat/completions|completions|responses|models|embeddings)\Z")
VERSIONED = re.compile(r"/v\d\w*(?:/openai)?\Z")
OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Listing:
    """A server's response to a request for its models.

    `base` is the address requested; `models` are the listed models by name, None if it returned no such list.
    """

    base: str
    status: int
    models: dict[str, dict[str, Any]] | None


def bases(setting: str) -> Iterator[str]:
    """Yields the addresses that FOOTNOTE_LLM_BASE_URL may mean, likeliest first, all on the same server.

    Each keeps the setting's query, such as Azure's API version. A fragment is dropped.
    """
    parts = urlsplit(setting)
    path = ENDPOINT.sub("", parts.path.rstrip("/")).rstrip("/")
    paths = (path, path if VERSIONED.search(path) else f"{path}/v1", "/v1")
    yield from (parts._replace(path=one, fragment="").geturl() for one in dict.fromkeys(paths))


def below(base: str, path: str) -> str:
    """Returns the address of a path, such as "models", below one of `bases`."""
    parts = urlsplit(base)
    return parts._replace(path=f"{parts.path}/{path}").geturl()


def listing(base: str, key: str, seconds: float) -> Listing:
    """Requests the list of models from the server at `base`.

    Raises:
        httpx.HTTPError, httpx.InvalidURL: the request failed.
    """
    said = ask(below(base, "models"), seconds=seconds, most_bytes=MOST_BYTES, headers=bearer(key))
    return Listing(base, said.status, _models(said.body) if said.status == HTTPStatus.OK else None)


class Server:
    """The server at FOOTNOTE_LLM_BASE_URL, or OpenAI's. Sends no request before `look`. Thread-safe.

    Args:
        settings: its address and key.
        seconds: time limit of each request.

    Attributes:
        base: the address of its API, as far as known.
        models: its models by name; None if not requested yet or not listed.
    """

    def __init__(self, settings: Settings, seconds: float = PATIENCE.asking) -> None:
        self._seconds = seconds
        self._bases = tuple(bases(settings.llm_base_url or OPENAI))
        self._key = settings.openai_api_key.get_secret_value()
        self.base = self._bases[0]
        self.models: dict[str, dict[str, Any]] | None = None

    def look(self) -> bool:
        """Searches for the address that lists models. Returns True if it finds one."""
        try:
            found = self.ask()
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        if found.models is not None:
            self.base, self.models = found.base, found.models
        return found.models is not None

    def ask(self) -> Listing:
        """Returns the first listing found, or else the first response.

        Raises:
            httpx.HTTPError, httpx.InvalidURL: the requests failed.
        """
        first: Listing | None = None
        for base in self._bases:
            found = listing(base, self._key, self._seconds)
            if found.models is not None or found.status in {HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN}:
                return found
            first = first or found
        assert first is not None
        return first


def _models(body: bytes) -> dict[str, dict[str, Any]] | None:
    try:
        rows = json.loads(body)["data"]
        return {str(row["id"]): dict(row) for row in rows}
    except (ValueError, KeyError, TypeError, RecursionError):
        return None
