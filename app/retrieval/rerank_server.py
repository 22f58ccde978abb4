"""A reranking server of the user's, spoken to over HTTP.

Two forms are spoken, told apart by what the server accepts:

- Cohere's, which vLLM, llama.cpp, Jina, LocalAI, Infinity and others have too: {model, query, documents, top_n} ->
  {"results": [{"index", "relevance_score"}, ...]};
- text-embeddings-inference's: {query, texts, truncate} -> [{"index", "score"}, ...]. It refuses the other with 422.

Scores may be shares or logits (llama.cpp's are). Nothing that a server or a library says is quoted in messages: a key
that cannot be a header would stand in it.
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

# What text-embeddings-inference takes in one request unless told otherwise (--max-client-batch-size).
TEI_BATCH = 32
MOST_BYTES = 16 * 1024 * 1024
# A server that did not answer in time is left alone for so many seconds: not every question shall wait for it.
REST = 30.0
UNPROCESSABLE, TOO_MANY = 422, 429
REFUSED_KEY, NOT_THERE = (401, 403), (404, 405)


class RerankServer:
    """The server of FOOTNOTE_RERANKER_URL. Connects to nothing before the first question. Thread-safe.

    Raises:
        RerankerError: its address or key cannot be one.
    """

    def __init__(self, settings: Settings) -> None:
        self._model = settings.reranker
        self._timeout = settings.reranker_timeout
        self._url = _address(settings.reranker_url)
        key = settings.reranker_key.get_secret_value().strip()
        if not (key.isascii() and key.isprintable()):
            raise RerankerError(
                "FOOTNOTE_RERANKER_KEY has characters that no key has. Copy it again from its provider."
            )
        self._headers = bearer(key)
        self._speaks_tei = False
        self._rests_until = 0.0

    def scores(self, question: str, documents: Sequence[str]) -> list[float]:
        """What the server says; see `app.retrieval.reranking.Judges.scores`."""
        if time.monotonic() < self._rests_until:
            raise self._failed(f"did not answer in time a moment ago and is not asked for {REST:.0f} seconds")
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
        """The status and body of an answer, which must be whole by `deadline`."""
        left = max(0.0, deadline - time.monotonic())
        try:
            said = ask(self._url, seconds=left, most_bytes=MOST_BYTES, json=asked, headers=self._headers)
        except TooMuch as error:
            raise self._failed("sent an answer without end, or one that is compressed") from error
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
                "Check FOOTNOTE_RERANKER_URL (what comes before /rerank) and FOOTNOTE_RERANKER",
            )
        if status == TOO_MANY:
            raise self._failed("has too many requests", "Ask again later")
        if status != httpx.codes.OK:
            raise self._failed(f"answered with status {status}", "Look at its log")
        scores = _scores(body)
        if sorted(scores) != list(range(wanted)):
            raise self._failed(
                "gave an answer that is no score for each passage",
                "Check that FOOTNOTE_RERANKER_URL is a reranking server",
            )
        return [scores[i] for i in range(wanted)]

    def _failed(self, what: str, then: str = "") -> RerankerFailed:
        where = f"{self._url.scheme}://{self._url.netloc.decode()}{self._url.path}"  # no user, no password, no query
        return RerankerFailed(f"The reranker at {where} {what}.{f' {then}.' if then else ''}")


def _address(setting: str) -> httpx.URL:
    try:
        base = httpx.URL(setting)
    except httpx.InvalidURL as error:
        raise RerankerError(
            "FOOTNOTE_RERANKER_URL is no address. It is for example http://127.0.0.1:8080/v1."
        ) from error
    path = base.path.rstrip("/")
    return base if path.endswith("/rerank") else base.copy_with(path=f"{path}/rerank")


def _scores(body: bytes) -> dict[int, float]:
    """The score of each passage by its index; {} where an answer is of neither form, or names a passage twice."""
    try:
        said = json.loads(body)
        rows = said["results"] if isinstance(said, dict) else said
        named = [(row["index"], row["relevance_score"] if "relevance_score" in row else row["score"]) for row in rows]
        found = {index: float(score) for index, score in named if type(index) is int and type(score) in {int, float}}
    except (ValueError, KeyError, TypeError, OverflowError, RecursionError):
        return {}
    return found if len(found) == len(named) else {}
