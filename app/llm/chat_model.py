"""Builds LangChain's chat model from the settings."""

from __future__ import annotations

import os
import re
import sys
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

from app.llm.address import bases
from app.llm.context_window import DEFAULT_CONTEXT
from ingest.errors import LLMNotConfigured
from ingest.settings import Settings
from ingest.urls import bypass_proxy_for_loopback, masked

if TYPE_CHECKING:
    from langchain_core.language_models import BaseChatModel

# Compatible servers require a key in the request but ignore its value.
NO_KEY = "not-needed"
# Largest share of a server's context that may be written; reasoning models need much of it.
ANSWER_SHARE = 0.5
# Variables whose values are removed from messages, and the length from which a value is not taken for a common word.
SECRET = re.compile(r"KEY|TOKEN|SECRET|PASSWORD|CREDENTIAL", re.IGNORECASE)
LEAST_SECRET, MOST_REASON = 6, 300


def named(settings: Settings) -> str:
    """Returns the model's name, with its server's address if one is set, for messages."""
    address = masked(settings.llm_base_url)
    return f"{settings.llm} at {address}" if address else settings.llm


def built_model(settings: Settings) -> BaseChatModel:
    """Builds LangChain's model. Opens no connection yet.

    Raises:
        LLMNotConfigured: FOOTNOTE_LLM cannot be used as set.
    """
    # Never sends traces of questions and documents anywhere, whatever LangChain settings the environment has.
    os.environ["LANGSMITH_TRACING"] = os.environ["LANGCHAIN_TRACING_V2"] = "false"
    bypass_proxy_for_loopback()
    arguments = _arguments(settings)
    from langchain.chat_models import init_chat_model  # noqa: PLC0415 - two seconds, not needed for quoting

    try:
        model: BaseChatModel = init_chat_model(settings.llm, **arguments)
    except ImportError as error:
        raise LLMNotConfigured(_missing_package(settings.llm, str(error))) from error
    except Exception as error:
        raise LLMNotConfigured(
            f"FOOTNOTE_LLM={settings.llm} cannot be used: {_reason(error, settings)} Write provider:model, for example "
            "openai:gpt-5-mini, and set what the provider needs."
        ) from error
    return model


def _missing_package(llm: str, said: str) -> str:
    """Returns how to install the package that LangChain names, or else LangChain's whole message."""
    named = re.search(r"pip install [\"'`]?([\w\[\]-]+)", said)
    if not named:
        return f"FOOTNOTE_LLM={llm} needs a package that is missing: {said}"
    package = named.group(1).replace("_", "-")
    return (
        f"FOOTNOTE_LLM={llm} needs the package {package}, which is not installed. Install it with "
        f"{sys.executable} -m pip install {package}"
    )


def _arguments(settings: Settings) -> dict[str, Any]:
    # Libraries retry silently: `ChatLLM.stream` does it instead, visibly and stoppably.
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
        if settings.llm_base_url:
            arguments |= _address(settings.llm_base_url)
        # `AnswerLimits` enforces the timeout, the same for all providers.
        arguments |= {"api_key": key or NO_KEY, "stream_chunk_timeout": None}
        from app.llm.transport import bounded_client  # noqa: PLC0415 - seconds of imports, as below

        arguments["http_async_client"] = bounded_client(named(settings))
        arguments["http_socket_options"] = ()  # else LangChain warns about an unused client
        if not settings.llm_base_url:
            del arguments["temperature"]  # newer OpenAI models reject it
    return arguments


def _address(setting: str) -> dict[str, Any]:
    """Returns the setting's likeliest address, and its query separately: the library would append paths to it."""
    parts = urlsplit(next(bases(setting)))
    query = dict(parse_qsl(parts.query, keep_blank_values=True))
    return {"base_url": parts._replace(query="").geturl(), "default_query": query or None}


def _reason(error: Exception, settings: Settings) -> str:
    """Returns a library's message about unusable settings, with any secrets removed."""
    errors = getattr(error, "errors", None)
    try:
        said = "; ".join(str(one["msg"]) for one in errors()) if callable(errors) else str(error)
    except (TypeError, KeyError):
        said = str(error)
    secrets = [value for name, value in os.environ.items() if SECRET.search(name)]
    for secret in [*secrets, settings.openai_api_key.get_secret_value()]:
        if len(secret) >= LEAST_SECRET:
            said = said.replace(secret, "***")
    said = masked(" ".join(said.split()))[:MOST_REASON].rstrip(" .") or type(error).__name__
    return f"{said}."
