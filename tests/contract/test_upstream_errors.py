"""Tests that every error of a library is mapped to one of Footnote's. New errors of a new version fail here."""

from __future__ import annotations

import inspect
import sqlite3

import chromadb.errors
import httpx
import openai
import pytest

from app.llm.errors import in_words
from ingest.docstore.database import Database
from ingest.errors import (
    DocumentStoreError,
    FootnoteError,
    LexicalStoreError,
    LLMBusy,
    LLMContextTooLong,
    LLMError,
    LLMInterrupted,
    LLMNotFound,
    LLMRateLimited,
    LLMRefusedKey,
    LLMUnreachable,
    VectorStoreError,
)
from ingest.lexical.writer import mapped as of_text_index
from ingest.vectors.client import mapped as of_chroma

REQUEST = httpx.Request("POST", "http://127.0.0.1:9/v1/chat/completions")


def raised_by(module: object, base: type[BaseException]) -> list[type[BaseException]]:
    """The public errors of a library, its base's own subclasses, in order of their names."""
    found = inspect.getmembers(module, lambda one: inspect.isclass(one) and issubclass(one, base))
    return [kind for name, kind in found if not name.startswith("_")]


def made(kind: type[BaseException]) -> BaseException:
    """An error of a library, without what its server would have said."""
    error = kind.__new__(kind)
    Exception.__init__(error, "scripted")
    return error


# The language model

# What no call of ours can raise: the first are of logins and files that we do not use, the others bases.
NOT_OURS = {"OAuthError", "SubjectTokenProviderError", "InvalidWebhookSignatureError", "WebSocketConnectionClosedError"}
NOT_OURS |= {"WebSocketQueueFullError", "ContentFilterFinishReasonError", "OpenAIError", "APIError", "APIStatusError"}
NOT_OURS |= {"LengthFinishReasonError", "APIResponseValidationError"}
# Of which nobody knows what is the matter: the message says its name.
UNCLEAR = {httpx.TransportError, httpx.NetworkError, httpx.ProxyError, httpx.DecodingError, httpx.CloseError}
BY_STATUS = {
    400: LLMError,
    401: LLMRefusedKey,
    403: LLMRefusedKey,
    404: LLMNotFound,
    408: LLMBusy,
    409: LLMBusy,
    413: LLMContextTooLong,
    422: LLMError,
    429: LLMRateLimited,
    500: LLMBusy,
    502: LLMBusy,
    503: LLMBusy,
    504: LLMBusy,
    529: LLMBusy,
}


def of_status(kind: type[openai.APIStatusError], status: int) -> openai.APIStatusError:
    return kind("scripted", response=httpx.Response(status, request=REQUEST), body=None)


@pytest.mark.parametrize(("status", "ours"), BY_STATUS.items())
def test_each_status_of_a_model_server_gets_its_own_error(status, ours):
    error = in_words(of_status(openai.APIStatusError, status), "the model", "", 5.0, "OPENAI_API_KEY")
    assert type(error) is ours
    assert str(status) in str(error) or ours is not LLMError


def ours() -> list[type[BaseException]]:
    return [kind for kind in raised_by(openai, openai.OpenAIError) if kind.__name__ not in NOT_OURS]


@pytest.mark.parametrize("kind", ours(), ids=lambda kind: kind.__name__)
def test_each_error_of_the_openai_library_is_mapped(kind):
    if issubclass(kind, openai.APIStatusError):
        status = getattr(kind, "status_code", 500)
        error = of_status(kind, status if isinstance(status, int) else 500)
        wanted = BY_STATUS[error.status_code]
    else:
        error, wanted = kind(request=REQUEST), LLMUnreachable
    assert type(in_words(error, "the model", "", 5.0, "OPENAI_API_KEY")) is wanted


@pytest.mark.parametrize("kind", raised_by(httpx, httpx.TransportError), ids=lambda kind: kind.__name__)
def test_each_error_of_the_connection_is_mapped(kind):
    before = in_words(kind("scripted"), "the model", "", 5.0, "OPENAI_API_KEY")
    assert type(before) is (LLMError if kind in UNCLEAR else LLMUnreachable)
    interrupted = in_words(kind("scripted"), "the model", "Apples are", 5.0, "OPENAI_API_KEY")
    assert isinstance(interrupted, LLMInterrupted)
    assert interrupted.partial == "Apples are"


# The stores


@pytest.mark.parametrize("kind", raised_by(chromadb.errors, Exception), ids=lambda kind: kind.__name__)
def test_each_error_of_chroma_is_mapped(kind):
    with pytest.raises(VectorStoreError, match="Could not write vectors"), of_chroma("write vectors"):
        raise made(kind)


@pytest.mark.parametrize("kind", raised_by(httpx, httpx.HTTPError), ids=lambda kind: kind.__name__)
def test_each_error_of_chromas_connection_is_mapped(kind):
    with pytest.raises(VectorStoreError, match="Could not search"), of_chroma("search"):
        raise made(kind)


@pytest.mark.parametrize("kind", raised_by(sqlite3, sqlite3.Error), ids=lambda kind: kind.__name__)
def test_each_error_of_sqlite_is_mapped(tmp_path, kind):
    database = Database(tmp_path / "a.db", "CREATE TABLE t (a)", 1)
    with pytest.raises(DocumentStoreError, match=r"a\.db"), database.transaction():
        raise kind("scripted")
    assert database.query("SELECT count(*) FROM t")[0][0] == 0


@pytest.mark.parametrize("kind", [ValueError, OSError, RuntimeError, type("PanicException", (BaseException,), {})])
def test_each_error_of_tantivy_is_mapped(tmp_path, kind):
    with pytest.raises(LexicalStoreError, match="Could not write"), of_text_index("write", tmp_path):
        raise kind("scripted")


@pytest.mark.parametrize("kind", [KeyboardInterrupt, MemoryError, AssertionError])
def test_an_error_of_our_own_is_not_mapped_to_a_librarys(tmp_path, kind):
    for mapped in (of_chroma("search"), of_text_index("write", tmp_path)):
        with pytest.raises(kind), mapped:
            raise kind


def test_messages_of_all_errors_are_sentences():
    for status in BY_STATUS:
        said = str(in_words(of_status(openai.APIStatusError, status), "the model", "", 5.0, "OPENAI_API_KEY"))
        assert said.endswith(".")
        assert "scripted" not in said


def test_every_error_is_in_the_tree_that_the_module_draws():
    import ingest.errors

    for name, kind in inspect.getmembers(ingest.errors, inspect.isclass):
        if issubclass(kind, FootnoteError):
            assert f" {name} " in f"{ingest.errors.__doc__} ".replace("\n", " ")
