"""Determines the model's context window from the settings, its server or LangChain."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from http import HTTPStatus
from typing import TYPE_CHECKING

import httpx

from app.llm.address import Server
from ingest.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

logger = logging.getLogger(__name__)
DEFAULT_CONTEXT = 8192
LEAST_CONTEXT = 1024
# Minimum interval between requests to a server that failed: at most one question a minute waits for it.
ASK_AGAIN_SECONDS = 60.0


class ContextWindow:
    """One model's context window, including the answer. Thread-safe.

    vLLM and SGLang report it in their list of models ("max_model_len"); LangChain knows that of the large providers'
    models. Ollama and llama.cpp report only the length the model was trained for, not the one they were started with,
    so the default is the safer guess there.

    Args:
        settings: FOOTNOTE_LLM_CONTEXT_TOKENS takes precedence.
        model: LangChain's model.
        server: the server to query.
        clock: a monotonic clock, in seconds.
    """

    def __init__(
        self,
        settings: Settings,
        model: BaseChatModel,
        server: Server,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._settings = settings
        self._model = model
        self._server = server
        self._clock = clock
        self._lock = threading.Lock()
        self._told: int | None = None
        self._most: int | None = None
        self._ask_from = 0.0

    def tokens(self) -> int:
        """Returns the context window in tokens; DEFAULT_CONTEXT if unknown.

        The result is kept. A server that could not be reached is queried again at most every ASK_AGAIN_SECONDS.
        """
        if self._settings.llm_context_tokens is not None:
            found = self._settings.llm_context_tokens
        elif self._settings.llm_base_url:
            found = self._of_server()
        else:
            found = _sensible((self._model.profile or {}).get("max_input_tokens"))
        return found if self._most is None else min(found, self._most)

    def learn(self, tokens: int) -> None:
        """Uses the context size that a server reports when it rejects a prompt."""
        self._most = tokens if self._most is None else min(tokens, self._most)

    def _of_server(self) -> int:
        with self._lock:
            if self._told is None and self._clock() >= self._ask_from:
                try:
                    self._told = _sensible(self._from_server())
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    # A server that is down or still loading is reported when an answer is requested.
                    logger.info("The server's context window could not be read (%s)", type(error).__name__)
                    self._ask_from = self._clock() + ASK_AGAIN_SECONDS
            return DEFAULT_CONTEXT if self._told is None else self._told

    def _from_server(self) -> object:
        """Returns the context size in the server's list of models; None if it is not there.

        Raises:
            httpx.HTTPError, httpx.InvalidURL: the server returned no list.
        """
        found = self._server.ask()
        if found.models is None and found.status != HTTPStatus.OK:
            raise httpx.HTTPError(f"HTTP {found.status}")
        listed = (found.models or {}).get(self._settings.llm.partition(":")[2], {})
        return listed.get("max_model_len")


def _sensible(told: object) -> int:
    return told if isinstance(told, int) and told >= LEAST_CONTEXT else DEFAULT_CONTEXT
