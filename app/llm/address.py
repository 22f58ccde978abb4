"""Where an OpenAI-compatible server has its API: at the address that the settings name, or one step from it."""

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

# Bytes of a list of models: OpenRouter lists 340 in 500 KB.
MOST_BYTES = 8 * 1024 * 1024
# What people copy with the address.
ENDPOINT = re.compile(r"/(?:chat/completions|completions|responses|models|embeddings)\Z")
VERSIONED = re.compile(r"/v\d\w*(?:/openai)?\Z")
OPENAI = "https://api.openai.com/v1"


@dataclass(frozen=True, slots=True)
class Listing:
    """What a server said when it was asked for its models.

    `base` is where it was asked; `models` are what it lists by name, None where it gave no such list.
    """

    base: str
    status: int
    models: dict[str, dict[str, Any]] | None


def bases(setting: str) -> Iterator[str]:
    """The addresses that FOOTNOTE_LLM_BASE_URL may mean, likeliest first, all of the same server.

    Each has the setting's query, such as the version that Azure asks for. A fragment is left out.
    """
    parts = urlsplit(setting)
    path = ENDPOINT.sub("", parts.path.rstrip("/")).rstrip("/")
    paths = (path, path if VERSIONED.search(path) else f"{path}/v1", "/v1")
    yield from (parts._replace(path=one, fragment="").geturl() for one in dict.fromkeys(paths))


def below(base: str, path: str) -> str:
    """The address of a path, such as "models", below one of `bases`."""
    parts = urlsplit(base)
    return parts._replace(path=f"{parts.path}/{path}").geturl()


def listing(base: str, key: str, seconds: float) -> Listing:
    """What the server at `base` says of its models.

    Raises:
        httpx.HTTPError, httpx.InvalidURL: it cannot be asked now.
    """
    said = ask(below(base, "models"), seconds=seconds, most_bytes=MOST_BYTES, headers=bearer(key))
    return Listing(base, said.status, _models(said.body) if said.status == HTTPStatus.OK else None)


class Server:
    """The server of FOOTNOTE_LLM_BASE_URL, or OpenAI's. Asks nothing before `look`. Thread-safe.

    Args:
        settings: its address and key.
        seconds: that it may take to answer at each of its addresses.

    Attributes:
        base: where its API is, as far as is known.
        models: what it lists by name; None where it was not asked yet or gave no list.
    """

    def __init__(self, settings: Settings, seconds: float = PATIENCE.asking) -> None:
        self._seconds = seconds
        self._bases = tuple(bases(settings.llm_base_url or OPENAI))
        self._key = settings.openai_api_key.get_secret_value()
        self.base = self._bases[0]
        self.models: dict[str, dict[str, Any]] | None = None

    def look(self) -> bool:
        """Looks where it lists models, and which. Returns whether it does so anywhere, as far as it can be asked."""
        try:
            found = self.ask()
        except (httpx.HTTPError, httpx.InvalidURL):
            return False
        if found.models is not None:
            self.base, self.models = found.base, found.models
        return found.models is not None

    def ask(self) -> Listing:
        """The first of its addresses that lists models; else what the first one said.

        Raises:
            httpx.HTTPError, httpx.InvalidURL: it cannot be asked now.
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
