"""Chat models through LangChain's init_chat_model: streamed, stoppable, patient with servers that are busy."""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from app.llm_context import DEFAULT_CONTEXT, ContextWindow, most_tokens
from app.llm_errors import dropped, in_words, refuses_stream_options
from app.models import Prompt, Waiting
from app.pump import pumped
from app.spending import Spending
from app.thoughts import without_thoughts
from ingest.errors import LLMBusy, LLMError, LLMInterrupted, LLMNotConfigured
from ingest.network import bypass_proxy_for_loopback
from ingest.settings import Settings
from ingest.storable import StorableStream
from ingest.urls import masked

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk
    from langchain_core.messages.ai import UsageMetadata

# Compatible servers want some key in the request, and do not look at it.
NO_KEY = "not-needed"
# Of a server's own context, what it may write at most; models that think aloud need much of it.
ANSWER_SHARE = 0.5
LEAST_ANSWER = 256
# Where providers keep the reason for an answer's end.
REASONS = ("finish_reason", "stop_reason", "done_reason", "status")
CUT_BY_LENGTH = {"length", "max_tokens", "MAX_TOKENS", "incomplete"}
# Seconds between two signs of life while a model is silent, and between two of a countdown.
BEAT_SECONDS = 0.25
# A connection that was closed before the question came is told within a moment; more than one on a busy machine.
STALE_SECONDS = 3.0
COUNT_SECONDS = 1.0


def build_llm(settings: Settings) -> ChatLLM | None:
    """The language model that the settings name; None where they name none. Connects to nothing yet.

    Raises:
        LLMNotConfigured: FOOTNOTE_LLM cannot be used as it is.
    """
    if not settings.llm:
        return None
    return ChatLLM(settings.llm, _model(settings), settings)


class ChatLLM:
    """A chat model that streams.

    Args:
        name: provider:model, as the settings have it.
        model: LangChain's model.
        settings: for the address, the context and the patience, which error messages name.
        sleep: waits so many seconds.
    """

    def __init__(
        self, name: str, model: BaseChatModel, settings: Settings, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self.name = name
        self._model = model
        self._settings = settings
        self._sleep = sleep
        self._counts_tokens = True
        self._keeps = False  # a connection, from an answer before
        self._context = ContextWindow(settings, model)

    @property
    def context_tokens(self) -> int:
        """The model's context window. May ask its server; see `ContextWindow.tokens`."""
        return self._context.tokens()

    def learn_context(self, tokens: int) -> None:
        """Believes a server that says how much it reads, from now on."""
        self._context.learn(tokens)

    def stream(self, prompt: Prompt, spending: Spending | None = None) -> Generator[str | Waiting, None, None]:
        """The answer, piece by piece, without what a model says to itself between <think> marks.

        A server that is busy is asked again after a while, as long as FOOTNOTE_LLM_RETRY_SECONDS allows. `Waiting`
        comes between the pieces where there is nothing to read. Closing the iterator ends the request.

        Args:
            prompt: what is asked.
            spending: counts what is taken; several requests for one answer share their patience in it.

        Raises:
            LLMError: no usable answer; `LLMInterrupted` carries what came before a cut.
        """
        spending = Spending() if spending is None else spending
        while True:
            try:
                with closing(self._once(prompt, spending)) as pieces:
                    yield from pieces
            except LLMBusy as error:
                seconds = spending.wait(error.retry_after, self._settings.llm_retry_seconds)
                if seconds is None:
                    raise self._out_of_patience(error) from error
                yield from self._countdown(seconds, str(error))
            else:
                return

    def complete(self, prompt: Prompt, spending: Spending | None = None) -> str:
        """The whole answer. Waits and raises as `stream` does."""
        pieces = self.stream(prompt, spending)
        return "".join(piece for piece in pieces if not isinstance(piece, Waiting)).strip()

    def _countdown(self, seconds: float, reason: str) -> Iterator[Waiting]:
        until = time.monotonic() + seconds
        left = seconds
        while left > 0:
            yield Waiting(reason, left)
            self._sleep(min(left, COUNT_SECONDS))
            left = min(left - COUNT_SECONDS, until - time.monotonic())

    def _out_of_patience(self, error: LLMBusy) -> LLMBusy:
        asked = f" It asks to wait {error.retry_after:,.0f} seconds." if error.retry_after else ""
        return type(error)(
            f"{error}{asked} Ask again later, or let it wait longer with FOOTNOTE_LLM_RETRY_SECONDS.",
            retry_after=error.retry_after,
        )

    def _once(self, prompt: Prompt, spending: Spending) -> Generator[str | Waiting, None, None]:
        said = ""
        with closing(self._pieces(prompt, spending)) as pieces:
            for piece in without_thoughts(pieces):
                if piece:
                    said += piece
                    yield piece
                else:
                    yield Waiting(f"{self.name} is at work")
        if not said.strip():
            raise LLMError(f"{self.name} gave an empty answer. Ask again, or choose another model in FOOTNOTE_LLM.")

    def _pieces(self, prompt: Prompt, spending: Spending) -> Generator[str, None, None]:
        """What the model writes; "" where it wrote nothing for a moment."""
        said, reason, usage, heard = "", "", None, False
        storable = StorableStream()
        try:
            with closing(self._chunks(prompt)) as chunks:
                for chunk in chunks:
                    if chunk is not None:
                        heard = True
                        usage = self._counted(usage, chunk.usage_metadata)
                        reason = next(
                            (str(found) for key in REASONS if (found := chunk.response_metadata.get(key))), reason
                        )
                    piece = storable.feed(chunk.text) if chunk is not None else ""
                    said += piece
                    yield piece
            if rest := storable.end():
                yield rest
        except Exception as error:
            raise self._in_words(error, said) from error
        finally:
            if heard:
                spending.book(usage)
        self._check_end(said, reason)

    def _counted(self, before: UsageMetadata | None, now: UsageMetadata | None) -> UsageMetadata | None:
        """What a stream took until now: LangChain's parts of it add up, but OpenAI's protocol gives the whole."""
        if before is None or now is None or self.name.startswith("openai:"):
            return now or before
        from langchain_core.messages.ai import add_usage  # noqa: PLC0415 - the model is loaded by now

        return add_usage(before, now)

    def _chunks(self, prompt: Prompt) -> Generator[AIMessageChunk | None, None, None]:
        """The model's answer. A connection kept from the answer before may be closed by now: then asks once more.

        A server that takes its time and then drops the question is not asked again: it may have worked, and be paid.
        """
        heard, asked = False, time.monotonic()
        try:
            with closing(self._request(prompt)) as chunks:
                for chunk in chunks:
                    heard = heard or chunk is not None
                    yield chunk
        except Exception as error:
            if heard or not self._keeps or not dropped(error) or time.monotonic() > asked + STALE_SECONDS:
                raise
            yield from self._request(prompt)
        self._keeps = True

    def _request(self, prompt: Prompt) -> Generator[AIMessageChunk | None, None, None]:
        messages = [("system", prompt.system), ("human", prompt.user)]
        more: dict[str, Any] = {}
        if self.name.startswith("openai:"):
            more["stream_usage"] = self._counts_tokens
            if self._settings.llm_base_url:
                # A small model that has lost its thread would go on until someone stops it.
                more["max_tokens"] = self._room(prompt)
        try:
            yield from pumped(lambda: self._model.astream(messages, **more), BEAT_SECONDS)
        except Exception as error:
            if not (more.get("stream_usage") and refuses_stream_options(error)):
                raise
            self._counts_tokens = False
            yield from self._request(prompt)

    def _room(self, prompt: Prompt) -> int:
        """Tokens that may be written. vLLM refuses a request for more than the prompt leaves of the context."""
        left = self.context_tokens - most_tokens(prompt.system + prompt.user)
        return max(LEAST_ANSWER, min(left, int(ANSWER_SHARE * self.context_tokens)))

    def _check_end(self, said: str, reason: str) -> None:
        if reason in CUT_BY_LENGTH:
            raise LLMInterrupted(
                f"{self.name} stopped at its length limit before the answer was complete.", partial=said
            )
        if not reason and self.name.startswith("openai:"):
            raise LLMInterrupted(
                f"The answer of {self.name} was cut off before it was complete. Ask again to have it whole.",
                partial=said,
            )

    def _in_words(self, error: Exception, partial: str) -> LLMError:
        address = masked(self._settings.llm_base_url)
        where = f"{self.name} at {address}" if address else self.name
        provider = self.name.partition(":")[0]
        key = "OPENAI_API_KEY" if provider == "openai" else f"the key of {provider}"
        return in_words(error, where, partial, self._settings.llm_timeout, key)


def _model(settings: Settings) -> BaseChatModel:
    # No traces of questions and documents to anyone, whatever else the environment asks of LangChain.
    os.environ["LANGSMITH_TRACING"] = os.environ["LANGCHAIN_TRACING_V2"] = "false"
    bypass_proxy_for_loopback()
    arguments = _arguments(settings)
    from langchain.chat_models import init_chat_model  # noqa: PLC0415 - two seconds that quoting does without

    try:
        model: BaseChatModel = init_chat_model(settings.llm, **arguments)
    except ImportError as error:
        raise LLMNotConfigured(_missing_package(settings.llm, str(error))) from error
    except Exception as error:
        raise LLMNotConfigured(
            f"FOOTNOTE_LLM={settings.llm} cannot be used ({type(error).__name__}). Write provider:model, for example "
            "openai:gpt-5-mini, and set the provider's key."
        ) from error
    return model


def _missing_package(llm: str, said: str) -> str:
    """LangChain names the package; where it does not, all that it says is repeated."""
    named = re.search(r"pip install [\"'`]?([\w\[\]-]+)", said)
    if not named:
        return f"FOOTNOTE_LLM={llm} needs a package that is missing: {said}"
    package = named.group(1).replace("_", "-")
    return (
        f"FOOTNOTE_LLM={llm} needs the package {package}, which is not installed. Install it with "
        f"{sys.executable} -m pip install {package}"
    )


def _arguments(settings: Settings) -> dict[str, Any]:
    # Libraries that try again by themselves wait in silence: `ChatLLM.stream` does it where it can be seen and stopped.
    arguments: dict[str, Any] = {"temperature": 0, "timeout": settings.llm_timeout, "max_retries": 0}
    provider, colon, model = settings.llm.partition(":")
    if not colon or not provider or not model:
        raise LLMNotConfigured(
            f"FOOTNOTE_LLM={settings.llm} lacks its provider. Write provider:model, for example openai:{settings.llm}."
        )
    if settings.llm_base_url:
        context = settings.llm_context_tokens or DEFAULT_CONTEXT
        arguments |= {"base_url": settings.llm_base_url, "max_tokens": int(ANSWER_SHARE * context)}
    if provider == "openai":
        key = settings.openai_api_key.get_secret_value()
        if not key and not settings.llm_base_url:
            raise LLMNotConfigured(
                f"FOOTNOTE_LLM={settings.llm} needs a key. Set OPENAI_API_KEY, or FOOTNOTE_LLM_BASE_URL for a server "
                "of your own."
            )
        arguments |= {"api_key": key or NO_KEY, "stream_chunk_timeout": settings.llm_timeout}
        if not settings.llm_base_url:
            del arguments["temperature"]  # newer models of OpenAI's refuse it
    return arguments
