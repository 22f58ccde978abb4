"""Chat models through LangChain's init_chat_model, their errors put in the user's words."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from app.models import Prompt
from ingest.errors import (
    LLMError,
    LLMInterrupted,
    LLMNotConfigured,
    LLMNotFound,
    LLMRateLimited,
    LLMRefusedKey,
    LLMUnreachable,
)
from ingest.network import bypass_proxy_for_loopback
from ingest.settings import Settings

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

# Compatible servers want some key in the request, and do not look at it.
NO_KEY = "not-needed"
RETRIES = 2
# Of a server's own context, what it may write at most; models that think aloud need much of it.
ANSWER_SHARE = 0.5
THOUGHTS = ("<think>", "</think>")
# Where providers keep the reason for an answer's end.
REASONS = ("finish_reason", "stop_reason", "done_reason")
CUT_BY_LENGTH = {"length", "max_tokens", "MAX_TOKENS"}


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
        settings: for the address and the patience, which error messages name.
    """

    def __init__(self, name: str, model: BaseChatModel, settings: Settings) -> None:
        self.name = name
        self._model = model
        self._settings = settings

    def stream(self, prompt: Prompt) -> Iterator[str]:
        """The answer, piece by piece, without what a model says to itself between <think> marks.

        Raises:
            LLMError: no usable answer; `LLMInterrupted` carries what came before a cut.
        """
        said: list[str] = []
        for piece in _without_thoughts(self._pieces(prompt, said)):
            said.append(piece)
            yield piece
        if not "".join(said).strip():
            raise LLMError(f"{self.name} gave an empty answer. Ask again, or choose another model in FOOTNOTE_LLM.")

    def complete(self, prompt: Prompt) -> str:
        """The whole answer. Raises as `stream` does."""
        return "".join(self.stream(prompt)).strip()

    def _pieces(self, prompt: Prompt, said: list[str]) -> Iterator[str]:
        messages = [("system", prompt.system), ("human", prompt.user)]
        reason = ""
        with self._mapped(said):
            for chunk in self._model.stream(messages):
                reason = next((str(found) for key in REASONS if (found := chunk.response_metadata.get(key))), reason)
                if chunk.text:
                    yield chunk.text
        if reason in CUT_BY_LENGTH:
            raise LLMInterrupted(
                f"{self.name} stopped at its length limit before the answer was complete.", partial="".join(said)
            )
        if not reason and self.name.startswith("openai:"):
            raise LLMInterrupted(
                f"The answer of {self.name} was cut off before it was complete. Ask again for the rest.",
                partial="".join(said),
            )

    @contextmanager
    def _mapped(self, said: list[str]) -> Iterator[None]:
        try:
            yield
        except LLMError:
            raise
        except Exception as error:
            raise self._in_words(error, "".join(said)) from error

    def _in_words(self, error: Exception, partial: str) -> LLMError:  # noqa: PLR0911 - one return a case
        """The error of a provider's library as one of ours. Never quotes the key: only status and kind are used."""
        where = f"{self.name} at {self._settings.llm_base_url}" if self._settings.llm_base_url else self.name
        status, kind = _status(error), type(error).__name__
        if partial:
            return LLMInterrupted(
                f"The answer of {where} was cut off ({kind}). Ask again for the rest.", partial=partial
            )
        if status in {401, 403}:
            return LLMRefusedKey(f"{where} did not accept the key. Check OPENAI_API_KEY (or your provider's variable).")
        if status == 404:  # noqa: PLR2004 - HTTP Not Found
            return LLMNotFound(f"{where} knows no such model. Check FOOTNOTE_LLM and FOOTNOTE_LLM_BASE_URL.")
        if status == 429:  # noqa: PLR2004 - HTTP Too Many Requests
            wait = _retry_after(error)
            hint = f"Try again in {wait:.0f} seconds" if wait else "Try again later"
            return LLMRateLimited(f"{where} has too many requests, or no credit left. {hint}.", retry_after=wait)
        if status is not None:
            return LLMError(f"{where} answered with an error (HTTP {status}). Look at the server's log, or try again.")
        if isinstance(error, TimeoutError) or "Timeout" in kind:
            return LLMUnreachable(
                f"{where} did not answer within {self._settings.llm_timeout:g} seconds (FOOTNOTE_LLM_TIMEOUT)."
            )
        if "Connect" in kind or "Protocol" in kind or isinstance(error, OSError):
            return LLMUnreachable(f"{where} cannot be reached. Is the server running, and FOOTNOTE_LLM_BASE_URL right?")
        return LLMError(f"{where} gave no usable answer ({kind}). Check FOOTNOTE_LLM, or try again.")


def _model(settings: Settings) -> BaseChatModel:
    # No traces of questions and documents to anyone, whatever else the environment asks of LangChain.
    os.environ["LANGSMITH_TRACING"] = os.environ["LANGCHAIN_TRACING_V2"] = "false"
    bypass_proxy_for_loopback()
    arguments = _arguments(settings)
    from langchain.chat_models import init_chat_model  # noqa: PLC0415 - two seconds that quoting does without

    try:
        model: BaseChatModel = init_chat_model(settings.llm, **arguments)
    except ImportError as error:
        raise LLMNotConfigured(f"FOOTNOTE_LLM={settings.llm} needs a package that is missing: {error}") from error
    except Exception as error:
        raise LLMNotConfigured(
            f"FOOTNOTE_LLM={settings.llm} cannot be used ({type(error).__name__}). Write provider:model, for example "
            "openai:gpt-5-mini, and set the provider's key."
        ) from error
    return model


def _arguments(settings: Settings) -> dict[str, Any]:
    arguments: dict[str, Any] = {"temperature": 0, "timeout": settings.llm_timeout, "max_retries": RETRIES}
    provider, colon, model = settings.llm.partition(":")
    if not colon or not provider or not model:
        raise LLMNotConfigured(
            f"FOOTNOTE_LLM={settings.llm} lacks its provider. Write provider:model, for example openai:{settings.llm}."
        )
    if settings.llm_base_url:
        # A small model that has lost its thread would go on until someone stops it.
        arguments |= {"base_url": settings.llm_base_url, "max_tokens": int(ANSWER_SHARE * settings.llm_context_tokens)}
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


def _status(error: Exception) -> int | None:
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    return status if isinstance(status, int) else None


def _retry_after(error: Exception) -> float | None:
    headers = getattr(getattr(error, "response", None), "headers", {})
    try:
        return float(headers.get("retry-after", ""))
    except ValueError:
        return None


def _without_thoughts(pieces: Iterable[str]) -> Iterator[str]:
    """Leaves out a leading <think>…</think>, as some open models write it into their answers."""
    begin, end = THOUGHTS
    held, thinking, decided = "", False, False
    for piece in pieces:
        if decided:
            yield piece
            continue
        held += piece
        if thinking or held.lstrip().startswith(begin):
            thinking = True
            _, closed, rest = held.partition(end)
            if closed:
                decided = True
                yield rest
        elif not begin.startswith(held.lstrip()):
            decided = True
            yield held
    if held and not decided and not thinking:
        yield held
