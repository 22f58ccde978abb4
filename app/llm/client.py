"""Streams chat models through LangChain's init_chat_model, with cancellation and retries for busy servers."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator
from contextlib import closing
from typing import TYPE_CHECKING, Any

from app.llm.address import Server
from app.llm.chat_model import ANSWER_SHARE, built_model, named
from app.llm.context_window import ContextWindow
from app.llm.errors import dropped, in_words, is_not_found, no_api, no_model, refuses_stream_options
from app.llm.limits import PATIENCE, AnswerLimits, Patience
from app.llm.reasoning import ThoughtFilter
from app.llm.usage import Spending
from app.models import Prompt, Retracted, Waiting
from app.stream_bridge import pumped
from app.text import most_tokens
from ingest.errors import LLMBusy, LLMError, LLMInterrupted
from ingest.settings import Settings
from ingest.text import StorableStream

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel
    from langchain_core.messages import AIMessageChunk
    from langchain_core.messages.ai import UsageMetadata

LEAST_ANSWER = 256
# Keys under which providers report why an answer ended.
REASONS = ("finish_reason", "stop_reason", "done_reason", "status")
CUT_BY_LENGTH = {"length", "max_tokens", "MAX_TOKENS", "incomplete"}
# Seconds between two events while a model is silent or busy. The caller can cancel at each event.
BEAT_SECONDS = 0.25


def build_llm(settings: Settings, patience: Patience = PATIENCE) -> ChatLLM | None:
    """Builds the configured language model; None if the settings name none. Opens no connection yet.

    Args:
        settings: the model, its server and key.
        patience: time limits for the model and its server.

    Raises:
        LLMNotConfigured: FOOTNOTE_LLM cannot be used as set.
    """
    if not settings.llm:
        return None
    return ChatLLM(settings.llm, built_model(settings), settings, patience=patience)


class ChatLLM:
    """A streaming chat model.

    Args:
        name: provider:model, as in the settings.
        model: LangChain's model.
        settings: address, context and retry time, which error messages name.
        sleep: waits the given number of seconds.
        patience: time limits for the model and its server.
    """

    def __init__(
        self,
        name: str,
        model: BaseChatModel,
        settings: Settings,
        sleep: Callable[[float], None] = time.sleep,
        patience: Patience = PATIENCE,
    ) -> None:
        self.name = name
        self._model = model
        self._settings = settings
        self._sleep = sleep
        self._patience = patience
        self._counts_tokens = True
        self._keeps = False  # a connection from an earlier answer
        self._thinks_first = False  # without a start mark: its answers begin inside a thought
        self._server = Server(settings, patience.asking)
        self._context = ContextWindow(settings, model, self._server)

    @property
    def context_tokens(self) -> int:
        """The model's context window. May query its server; see `ContextWindow.tokens`."""
        return self._context.tokens()

    def learn_context(self, tokens: int) -> None:
        """Uses the context size reported by a server from now on."""
        self._context.learn(tokens)

    def stream(
        self, prompt: Prompt, spending: Spending | None = None
    ) -> Generator[str | Waiting | Retracted, None, None]:
        """Streams the answer, without the reasoning that precedes it.

        A busy server is retried after a wait, as long as FOOTNOTE_LLM_RETRY_SECONDS allows. `Waiting` is yielded while
        there is no text; `Retracted` if the text so far turns out to be reasoning. Closing the iterator ends the
        request.

        Args:
            prompt: the messages to send.
            spending: counts tokens and waits; shared by all requests for one answer.

        Raises:
            LLMError: no usable answer, or one beyond the limits of `app.llm.limits`; `LLMInterrupted` carries the
                partial answer.
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
        """Returns the complete answer. Waits and raises as `stream` does."""
        said = ""
        for piece in self.stream(prompt, spending):
            if isinstance(piece, Retracted):
                said = ""
            elif isinstance(piece, str):
                said += piece
        return said.strip()

    def _countdown(self, seconds: float, reason: str) -> Iterator[Waiting]:
        until = time.monotonic() + seconds
        left = seconds
        while left > 0:
            yield Waiting(reason, left)
            self._sleep(min(left, BEAT_SECONDS))
            left = min(left - BEAT_SECONDS, until - time.monotonic())

    def _out_of_patience(self, error: LLMBusy) -> LLMBusy:
        asked = f" The server asks for a wait of {error.retry_after:,.0f} seconds." if error.retry_after else ""
        return type(error)(
            f"{error}{asked} Ask again later, or allow a longer wait in FOOTNOTE_LLM_RETRY_SECONDS.",
            retry_after=error.retry_after,
        )

    def _once(self, prompt: Prompt, spending: Spending) -> Generator[str | Waiting | Retracted, None, None]:
        limits = AnswerLimits(named(self._settings), self._settings.llm_timeout, patience=self._patience)
        thoughts = ThoughtFilter(hold=self._thinks_first)
        try:
            with closing(self._pieces(prompt, spending, limits)) as pieces:
                for piece in pieces:
                    yield from self._shown(thoughts.feed(piece), limits) or [Waiting(f"{self.name} is at work")]
        except LLMError:
            yield from thoughts.cut()  # a few characters held back as a possible mark
            raise
        yield from self._shown(thoughts.end(), limits)
        self._thinks_first = thoughts.retracted
        if not limits.text.strip():
            raise LLMError(f"{self.name} gave an empty answer. Ask again, or choose another model in FOOTNOTE_LLM.")

    @staticmethod
    def _shown(found: list[str | Retracted], limits: AnswerLimits) -> list[str | Waiting | Retracted]:
        for one in found:
            if isinstance(one, Retracted):
                limits.retracted()
            else:
                limits.said(one)
        limits.check()
        return [*found]

    def _pieces(self, prompt: Prompt, spending: Spending, limits: AnswerLimits) -> Generator[str, None, None]:
        """Yields the model's text, including reasoning; "" if there was none for a moment."""
        reason, usage, heard = "", None, False
        storable = StorableStream()
        try:
            with closing(self._chunks(prompt)) as chunks:
                for chunk in chunks:
                    piece = storable.feed(chunk.text) if chunk is not None else ""
                    if chunk is not None:
                        heard = True
                        limits.heard(chunk.text)
                        usage = self._counted(usage, chunk.usage_metadata)
                        reason = next(
                            (str(found) for key in REASONS if (found := chunk.response_metadata.get(key))), reason
                        )
                    yield piece
            yield storable.end()
        except LLMError:
            raise
        except Exception as error:
            raise self._in_words(error, limits.text) from error
        finally:
            if heard:
                spending.book(usage)
        self._check_end(limits.text, reason)

    def _counted(self, before: UsageMetadata | None, now: UsageMetadata | None) -> UsageMetadata | None:
        """Returns the usage so far: LangChain's chunks add up, but OpenAI's protocol reports totals."""
        if before is None or now is None or self.name.startswith("openai:"):
            return now or before
        from langchain_core.messages.ai import add_usage  # noqa: PLC0415 - already imported with the model

        return add_usage(before, now)

    def _chunks(self, prompt: Prompt) -> Generator[AIMessageChunk | None, None, None]:
        """Yields the model's answer; retries once if a connection kept from an earlier answer was stale.

        If a server takes its time and then drops the connection, it is not retried: the request may be billed.
        """
        heard, asked = False, time.monotonic()
        try:
            with closing(self._request(prompt)) as chunks:
                for chunk in chunks:
                    heard = heard or chunk is not None
                    yield chunk
        except Exception as error:
            if heard or not self._keeps or not dropped(error) or time.monotonic() > asked + self._patience.stale:
                raise
            yield from self._request(prompt)
        self._keeps = True

    def _request(self, prompt: Prompt) -> Generator[AIMessageChunk | None, None, None]:
        messages = [("system", prompt.system), ("human", prompt.user)]
        more: dict[str, Any] = {}
        if self.name.startswith("openai:"):
            more["stream_usage"] = self._counts_tokens
            if self._settings.llm_base_url:
                # Stops a small model that repeats itself endlessly.
                more["max_tokens"] = self._room(prompt)
        try:
            yield from pumped(lambda: self._model.astream(messages, **more), BEAT_SECONDS)
        except Exception as error:
            if more.get("stream_usage") and refuses_stream_options(error):
                self._counts_tokens = False
            elif not (self._settings.llm_base_url and is_not_found(error) and self._moved()):
                raise
            yield from self._request(prompt)

    def _moved(self) -> bool:
        """Returns True if the server's API is at another path, which is used from now on."""
        base = self._server.base
        if not self._server.look() or self._server.base == base:
            return False
        self._model = built_model(self._settings.model_copy(update={"llm_base_url": self._server.base}))
        return True

    def _room(self, prompt: Prompt) -> int:
        """Returns how many tokens may be written. vLLM rejects requests for more than the context has left."""
        left = self.context_tokens - most_tokens(prompt.system + prompt.user)
        return max(LEAST_ANSWER, min(left, int(ANSWER_SHARE * self.context_tokens)))

    def _check_end(self, said: str, reason: str) -> None:
        if reason in CUT_BY_LENGTH and not said.strip():
            raise LLMError(
                f"{self.name} reached its length limit before the first word of an answer: its reasoning is too long. "
                "Set FOOTNOTE_LLM_CONTEXT_TOKENS higher, or choose another model in FOOTNOTE_LLM."
            )
        if reason in CUT_BY_LENGTH:
            raise LLMInterrupted(
                f"{self.name} stopped at its length limit before the answer was complete.", partial=said
            )
        if not reason and self.name.startswith("openai:"):
            raise LLMInterrupted(
                f"The answer of {self.name} was cut off before it was complete. Ask again for the full answer.",
                partial=said,
            )

    def _in_words(self, error: Exception, partial: str) -> LLMError:
        where = named(self._settings)
        if self._settings.llm_base_url and not partial and is_not_found(error):
            has_api = self._server.models is not None or "model" in str(error).lower()
            return no_model(where, self._server.models) if has_api else no_api(where, self._settings.llm_base_url)
        provider = self.name.partition(":")[0]
        key = "OPENAI_API_KEY" if provider == "openai" else f"the key of {provider}"
        return in_words(error, where, partial, self._settings.llm_timeout, key)
