"""Checks that the configured language model can be used, and explains what to change if not."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Callable, Mapping
from http import HTTPStatus

import httpx

from app.bounded_http import ask, bearer
from app.llm.address import MOST_BYTES, Server, below
from app.llm.chat_model import named
from app.llm.client import build_llm
from app.llm.errors import no_api, no_model, refused_key, unreachable
from app.models import Prompt
from ingest.errors import LLMBusy, LLMError
from ingest.settings import Settings

# Seconds that a page waits for a server before it is drawn, and seconds that the result is reused.
SECONDS, KEPT_SECONDS = 1.5, 30.0
NOTHING_THERE = {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}
QUESTION = Prompt("You check a connection.", "Answer with the word: ready")


def tried(settings: Settings) -> LLMError | None:
    """Returns the problem with the model, found by asking it for one word; None if it answers.

    A model with too many requests counts as working.
    """
    try:
        model = build_llm(settings)
        if model is not None:
            model.complete(QUESTION)
    except LLMBusy:
        return None
    except LLMError as error:
        return error
    return None


class Connection:
    """Finds problems with the server of an `openai:` model without asking for an answer. Thread-safe.

    Args:
        settings: the model, its server and key.
        clock: a monotonic clock, in seconds.
        seconds: how long a page may wait for the server before it is drawn.
    """

    def __init__(
        self, settings: Settings, clock: Callable[[], float] = time.monotonic, seconds: float = SECONDS
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._seconds = seconds
        self._lock = threading.Lock()
        self._asked = -KEPT_SECONDS
        self._found = ""

    def problem(self) -> str:
        """Returns the problem and what to change; "" if there is none or the server did not respond in time."""
        if not self._settings.llm.startswith("openai:"):
            return ""
        if self._lock.acquire(blocking=False):  # otherwise another page is checking
            try:
                if self._clock() - self._asked >= KEPT_SECONDS:
                    self._found = self._look()
                    self._asked = self._clock()
            finally:
                self._lock.release()
        return self._found

    def _look(self) -> str:
        settings, where = self._settings, named(self._settings)
        try:
            found = Server(settings, self._seconds).ask()
            if found.status == HTTPStatus.UNAUTHORIZED:
                return str(refused_key(where, "OPENAI_API_KEY"))
            if found.models is None:
                return "" if self._has_chat(found.base) else str(no_api(where, settings.llm_base_url))
        except httpx.TimeoutException:
            return ""
        except (httpx.HTTPError, httpx.InvalidURL):
            return str(unreachable(where))
        name = settings.llm.partition(":")[2]
        if name in found.models or f"{name}:latest" in found.models or _takes_any_name(found.models):
            return ""
        return str(no_model(where, found.models))

    def _has_chat(self, base: str) -> bool:
        """Returns True if there is a chat endpoint: it rejects an empty question, but its path exists."""
        key = self._settings.openai_api_key.get_secret_value()
        chat = below(base, "chat/completions")
        said = ask(chat, seconds=self._seconds, most_bytes=MOST_BYTES, json={}, headers=bearer(key))
        return said.status not in NOTHING_THERE and said.kind != "text/html"


def _takes_any_name(models: Mapping[str, object]) -> bool:
    """Returns True for llama.cpp, which serves the model it was started with under any name."""
    return "llamacpp" in json.dumps(list(models.values()))
