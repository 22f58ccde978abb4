"""How much a model reads: what the settings say, else what its server or LangChain knows of it."""

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
# Between two attempts to ask a server that could not be asked: a question a minute may wait for it, no more.
ASK_AGAIN_SECONDS = 60.0
# Bytes of UTF-8 a token has at least, on average, over the tokenizers of current models: errs on the safe side.
BYTES_PER_TOKEN = 3


class ContextWindow:
    """How much one model reads, answer included. Thread-safe.

    vLLM and SGLang say it in their list of models ("max_model_len"), and LangChain knows it of the large providers'
    models. Ollama and llama.cpp say only how much the model was trained for, not how much of it they were started
    with: there, the default is the safer guess.

    Args:
        settings: FOOTNOTE_LLM_CONTEXT_TOKENS comes before all else.
        model: LangChain's model.
        server: whom to ask.
        clock: seconds that go on.
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
        """The context window in tokens; DEFAULT_CONTEXT where nobody says.

        What was told once is kept. A server that could not be asked is asked again, at most every ASK_AGAIN_SECONDS.
        """
        if self._settings.llm_context_tokens is not None:
            found = self._settings.llm_context_tokens
        elif self._settings.llm_base_url:
            found = self._of_server()
        else:
            found = _sensible((self._model.profile or {}).get("max_input_tokens"))
        return found if self._most is None else min(found, self._most)

    def learn(self, tokens: int) -> None:
        """Believes a server that says, in refusing a prompt, how much it reads."""
        self._most = tokens if self._most is None else min(tokens, self._most)

    def _of_server(self) -> int:
        with self._lock:
            if self._told is None and self._clock() >= self._ask_from:
                try:
                    self._told = _sensible(self._from_server())
                except (httpx.HTTPError, httpx.InvalidURL) as error:
                    # One that is not there, or still loading its model, is said when it is asked for an answer.
                    logger.info("The server cannot be asked for its context (%s)", type(error).__name__)
                    self._ask_from = self._clock() + ASK_AGAIN_SECONDS
            return DEFAULT_CONTEXT if self._told is None else self._told

    def _from_server(self) -> object:
        """What the server's list of models says of ours; None where it says nothing.

        Raises:
            httpx.HTTPError, httpx.InvalidURL: it gives no such list now.
        """
        found = self._server.ask()
        if found.models is None and found.status != HTTPStatus.OK:
            raise httpx.HTTPError(f"HTTP {found.status}")
        listed = (found.models or {}).get(self._settings.llm.partition(":")[2], {})
        return listed.get("max_model_len")


def _sensible(told: object) -> int:
    return told if isinstance(told, int) and told >= LEAST_CONTEXT else DEFAULT_CONTEXT


def most_tokens(text: str) -> int:
    """How many tokens a text is, at most, as far as one can tell without the model's tokenizer."""
    return -(-len(text.encode("utf-8", "replace")) // BYTES_PER_TOKEN)
