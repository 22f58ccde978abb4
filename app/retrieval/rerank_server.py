"""A client for the user's reranking server, over HTTP.

Two protocols are supported; the server's response shows which one it speaks:

- Cohere's, also used by vLLM, llama.cpp, Jina, LocalAI, Infinity and others: {model, query, documents, top_n} ->
  {"results": [{"index", "relevance_score"}, ...]};
- text-embeddings-inference's: {query, texts, truncate} -> [{"index", "score"}, ...]. It rejects the other with 422.

Scores may be shares or logits (as from llama.cpp). Messages never quote the server or a library, because the text
could contain a key that is not a valid header.
"""

from __future__ import annotations

import json
import time
from collections.abc import Sequence
from typing import Any

import httpx

from app.bounded_http import TooMuch, ask, bearer
from ingest.errors import RerankerError, RerankerFailed
from ingest.settings import Settings

# Batch size that text-embeddings-inference accepts by default (--max-client-batch-size).
TEI_BATCH = 32
MOST_BYTES = 16 * 1024 * 1024
# Seconds without requests after a server timed out, so that not every question waits for it.
REST = 30.0
UNPROCESSABLE, TOO_MANY = 422, 429
REFUSED_KEY, NOT_THERE = (401, 403), (404, 405)


class RerankServer:
    """The server at FOOTNOTE_RERANKER_URL. Opens no connection before the first question. Thread-safe.

    Raises:
        RerankerError: its address or key is invalid.
    """

    def __init__(self, settings: Settings) -> None:
        self._model = settings.reranker
        self._timeout = settings.reranker_timeout
        self._url = _address(settings.reranker_url)
        key = settings.reranker_key.get_secret_value().strip()
        if not (key.isascii() and key.isprintable()):
            raise RerankerError(
                "FOOTNOTE_RERANKER_KEY contains characters that no key can have. Copy it again from its provider."
            )
        self._headers = bearer(key)
        self._speaks_tei = False
        self._rests_until = 0.0

    def scores(self, question: str, documents: Sequence[str]) -> list[float]:
        """Returns the server's scores; see `app.retrieval.reranking.Judges.scores`."""
        if time.monotonic() < self._rests_until:
            raise self._failed(f"recently timed out and will not be called for {REST:.0f} seconds")
        deadline = time.monotonic() + self._timeout
        if not self._speaks_tei:
            asked = {"query": question, "documents": list(documents), "top_n": len(documents)}
            status, body = self._post({"model": self._model, **asked} if self._model else asked, deadline)
            if status != UNPROCESSABLE:
                return self._read(status, body, len(documents))
        found = []
        for i in range(0, len(documents), TEI_BATCH):
            texts = list(documents[i : i + TEI_BATCH])
            status, body = self._post({"query": question, "texts": texts, "truncate": True}, deadline)
            found += self._read(status, body, len(texts))
        self._speaks_tei = True
        return found

    def _post(self, asked: dict[str, Any], deadline: float) -> tuple[int, bytes]:
        """Returns the status and body of a response, which must be complete by `deadline`."""
        left = max(0.0, deadline - time.monotonic())
        try:
            said = ask(self._url, seconds=left, most_bytes=MOST_BYTES, json=asked, headers=self._headers)
        except TooMuch as error:
            raise self._failed("sent a response that is too large or compressed") from error
        except httpx.TimeoutException as error:
            self._rests_until = time.monotonic() + REST
            raise self._failed(
                f"did not answer within {self._timeout:g} seconds",
                "Check the server, or raise FOOTNOTE_RERANKER_TIMEOUT",
            ) from error
        except (httpx.HTTPError, httpx.InvalidURL, UnicodeError) as error:
            raise self._failed(
                f"cannot be reached ({type(error).__name__})", "Check that it runs, and FOOTNOTE_RERANKER_URL"
            ) from error
        return said.status, said.body

    def _read(self, status: int, body: bytes, wanted: int) -> list[float]:
        if status in REFUSED_KEY:
            raise self._failed("did not accept the key", "Check FOOTNOTE_RERANKER_KEY")
        if status in NOT_THERE:
            raise self._failed(
                "has no such address or model",
                "Check FOOTNOTE_RERANKER_URL (the part before /rerank) and FOOTNOTE_RERANKER",
            )
        if status == TOO_MANY:
            raise self._failed("received too many requests", "Ask again later")
        if status != httpx.codes.OK:
            raise self._failed(f"answered with status {status}", "Look at its log")
        scores = _scores(body)
        if sorted(scores) != list(range(wanted)):
            raise self._failed(
                "did not return one score for each passage",
                "Check that FOOTNOTE_RERANKER_URL is a reranking server",
            )
        return [scores[i] for i in range(wanted)]

    def _failed(self, what: str, then: str = "") -> RerankerFailed:
        where = f"{self._url.scheme}://{self._url.netloc.decode()}{self._url.path}"  # without user, password and query
        return RerankerFailed(f"The reranker at {where} {what}.{f' {then}.' if then else ''}")


def _address(setting: str) -> httpx.URL:
    try:
        base = httpx.URL(setting)
    except httpx.InvalidURL as error:
        raise RerankerError(
            "FOOTNOTE_RERANKER_URL is not a valid address. Example: http://127.0.0.1:8080/v1."
        ) from error
    path = base.path.rstrip("/")
    return base if path.endswith("/rerank") else base.copy_with(path=f"{path}/rerank")


def _scores(body: bytes) -> dict[int, float]:
    """Returns each passage's score by its index; {} if the body has neither format or names a passage twice."""
    try:
        said = json.loads(body)
        rows = said["results"] if isinstance(said, dict) else said
        named = [(row["index"], row["relevance_score"] if "relevance_score" in row else row["score"]) for row in rows]
        found = {index: float(score) for index, score in named if type(index) is int and type(score) in {int, float}}
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return {}
    return found if len(found) == len(named) else {}
