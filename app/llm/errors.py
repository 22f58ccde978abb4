"""Maps the errors of providers' libraries to Footnote's errors, with messages for users."""

from __future__ import annotations

import math
import re
import time
from collections.abc import Iterable, Mapping
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import Any
from urllib.parse import urlsplit

from app.llm.limits import unanswered
from ingest.errors import (
    LLMBusy,
    LLMContextTooLong,
    LLMError,
    LLMInterrupted,
    LLMNoCredit,
    LLMNotFound,
    LLMRateLimited,
    LLMRefusedKey,
    LLMUnreachable,
)

# How servers report that a prompt exceeds the context: OpenAI and vLLM, llama.cpp, Anthropic, Google, LiteLLM.
TOO_LONG = re.compile(
    r"context_length_exceeded|maximum context length|context (?:length|window|size)|exceed_context_size|"
    r"ContextWindowExceeded|prompt is too long|input (?:is too long|token count)|too many (?:input )?tokens|"
    r"reduce the length of the (?:messages|prompt)",
    re.IGNORECASE,
)
# How they report the size of the context.
CONTEXT = re.compile(
    r"(?:maximum context length (?:is|of)|context size \(|n_ctx\D{0,5}|max_model_len\D{0,5})\s*(\d[\d,]{0,12})"
    r"|(\d[\d,]{0,12})(?: tokens)? (?:maximum|context)",
    re.IGNORECASE,
)
LEAST_CONTEXT = 256
# How many of a server's models a message lists, and the most characters of each.
MOST_NAMES, MOST_NAME = 5, 80
# Statuses of temporary errors; the last is Anthropic's for an overloaded service.
PASSING = {408, 409, 425, 500, 502, 503, 504, 529}
# Errors that mean a lost connection, by library: httpx, aiohttp, Python itself.
DROPPED = {
    "ReadError",
    "WriteError",
    "RemoteProtocolError",
    "ServerDisconnectedError",
    "ConnectionResetError",
    "BrokenPipeError",
}
NO_CREDIT = re.compile(r"insufficient_quota|credit balance|billing", re.IGNORECASE)


def in_words(error: Exception, where: str, partial: str, patience: float, key: str) -> LLMError:
    """Maps a library's error to an `LLMError`. Never quotes the server: its message could contain the key.

    Args:
        error: as the library raised it.
        where: the model, and its server's address if one is set.
        partial: the answer's text so far.
        patience: the longest wait for the next text, in seconds.
        key: the name of the variable that holds the provider's key.
    """
    if ours := _ours(error):
        return ours
    if partial:
        return LLMInterrupted(
            f"The answer of {where} was cut off ({type(error).__name__}). Ask again for the full answer.",
            partial=partial,
        )
    status = _status(error)
    return _of_request(error, where, key) or (
        _unreachable(error, where, patience) if status is None else _of_status(status, error, where, key)
    )


def _of_request(error: Exception, where: str, key: str) -> LLMError | None:
    """Maps errors that concern the request itself, whatever their status."""
    status, said = _status(error), _said(error)
    too_long = type(error).__name__.endswith("ContextOverflowError") or (
        status in {400, 413, 422} | PASSING and TOO_LONG.search(said)
    )
    if too_long or status == HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
        return LLMContextTooLong(
            f"The question with its passages is longer than {where} reads. Set FOOTNOTE_LLM_CONTEXT_TOKENS to the "
            "model's context, or ask with fewer passages.",
            context_tokens=_context(said),
        )
    if status in {402, 429} and (status == HTTPStatus.PAYMENT_REQUIRED or NO_CREDIT.search(said)):
        return LLMNoCredit(f"The account of {where} has no credit left. Add some, or use another key in {key}.")
    return None


def _of_status(status: int, error: Exception, where: str, key: str) -> LLMError:
    if status in {401, 403}:
        return refused_key(where, key)
    if status == HTTPStatus.NOT_FOUND:
        return no_model(where, None)
    if status == HTTPStatus.TOO_MANY_REQUESTS:
        return LLMRateLimited(f"{where} received too many requests.", retry_after=_retry_after(error))
    if status in PASSING:
        return LLMBusy(f"{where} cannot answer just now (HTTP {status}).", retry_after=_retry_after(error))
    return LLMError(f"{where} answered with an error (HTTP {status}). Look at the server's log, or try again.")


def _unreachable(error: Exception, where: str, patience: float) -> LLMError:
    kind = type(error).__name__
    if isinstance(error, TimeoutError) or "Timeout" in kind:
        return LLMUnreachable(unanswered(where, patience))
    if "Connect" in kind or "Protocol" in kind or dropped(error) or isinstance(error, OSError):
        return unreachable(where)
    return LLMError(f"{where} gave no usable answer ({kind}). Check FOOTNOTE_LLM, or try again.")


def refused_key(where: str, key: str) -> LLMRefusedKey:
    """Returns the error for a key that the server rejects."""
    return LLMRefusedKey(f"{where} did not accept the key. Check {key}.")


def unreachable(where: str) -> LLMUnreachable:
    """Returns the error for an address where nothing responds."""
    return LLMUnreachable(f"{where} cannot be reached. Check that it is running, and FOOTNOTE_LLM_BASE_URL.")


def no_model(where: str, models: Iterable[str] | None) -> LLMNotFound:
    """Returns the error for a missing model; `models` are those the server lists, None if it lists none."""
    names = [name[:MOST_NAME] for name in models or () if name.isprintable()]
    more = " and others" if len(names) > MOST_NAMES else ""
    has = f" It has {', '.join(names[:MOST_NAMES])}{more}." if names else ""
    return LLMNotFound(f"{where} has no such model.{has} Check FOOTNOTE_LLM.")


def no_api(where: str, base: str) -> LLMNotFound:
    """Returns the error for a server that responds, but has no OpenAI-compatible API at that path."""
    example = "http://127.0.0.1:11434/v1"
    hint = (
        ""
        if urlsplit(base).path.rstrip("/").endswith("/v1")
        else f" Such an address usually ends in /v1, as {example} does."
    )
    return LLMNotFound(
        f"{where} responds, but has no OpenAI-compatible chat API at that address.{hint} Check FOOTNOTE_LLM_BASE_URL."
    )


def is_not_found(error: Exception) -> bool:
    """Returns True if the path or the model does not exist: servers report both the same way."""
    return _status(error) in {HTTPStatus.NOT_FOUND, HTTPStatus.METHOD_NOT_ALLOWED}


def refuses_stream_options(error: Exception) -> bool:
    """Returns True if a server rejects requests that ask for token counts."""
    return _status(error) in {400, 422} and "stream_options" in _said(error)


def dropped(error: BaseException) -> bool:
    """Returns True if the request's connection was lost."""
    cause: BaseException | None = error
    while cause is not None:
        if DROPPED & {kind.__name__ for kind in type(cause).__mro__}:
            return True
        cause = cause.__cause__
    return False


def _ours(error: BaseException) -> LLMError | None:
    """Returns an `LLMError` that a library wrapped in an error of its own."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, LLMError):
        cause = cause.__cause__
    return cause


def _status(error: Exception) -> int | None:
    response = getattr(error, "response", None)
    status = getattr(error, "status_code", None) or getattr(response, "status_code", None)
    return status if isinstance(status, int) else None


def _said(error: Exception) -> str:
    return f"{error} {getattr(error, 'body', '') or ''} {getattr(error, 'code', '') or ''}"


def _context(said: str) -> int | None:
    """Returns the model's context in tokens, if the server reports it."""
    found = CONTEXT.search(said)
    tokens = int((found.group(1) or found.group(2)).replace(",", "")) if found else 0
    return tokens if tokens >= LEAST_CONTEXT else None


def _retry_after(error: Exception) -> float | None:
    """Returns the wait a server asks for, in seconds: retry-after-ms, or Retry-After (RFC 9110, 10.2.3)."""
    headers: Mapping[str, Any] = getattr(getattr(error, "response", None), "headers", None) or {}
    return _seconds(headers.get("retry-after-ms"), 0.001) or _seconds(headers.get("retry-after"), 1.0)


def _seconds(value: Any, unit: float) -> float | None:
    if not value:
        return None
    try:
        seconds = float(value) * unit
    except ValueError:
        try:
            seconds = parsedate_to_datetime(str(value)).timestamp() - time.time()
        except ValueError:
            return None
    return max(seconds, 0.0) if math.isfinite(seconds) else None
