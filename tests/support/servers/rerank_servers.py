"""Scripts rerank servers for `llm_servers.scripted`: Cohere's form, text-embeddings-inference's, or broken."""

from __future__ import annotations

import json
from collections.abc import Callable

from llm_servers import Handler, Script


def say(handler: Handler, body: object, status: int = 200) -> None:
    handler.finish = lambda: None  # which would send a stream's end when the client has gone
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    handler.send_response(status)
    handler.send_header("content-type", "application/json")
    handler.send_header("content-length", str(len(data)))
    handler.end_headers()
    handler.wfile.write(data)


def scoring(score: Callable[[str], float]) -> Script:
    """As vLLM, llama.cpp, Jina and Cohere: best first, with more fields than are needed."""

    def script(handler: Handler) -> None:
        asked = handler.requests[-1]
        rows = [{"index": i, "relevance_score": score(text)} for i, text in enumerate(asked["documents"])]
        rows.sort(key=lambda row: -row["relevance_score"])
        say(handler, {"id": "1", "object": "list", "model": "m", "results": rows[: asked["top_n"]], "usage": {}})

    return script


def scoring_as_tei(score: Callable[[str], float], most: int = 32) -> Script:
    """As text-embeddings-inference: other names, a bare list, and no more than `most` texts."""

    def script(handler: Handler) -> None:
        texts = handler.requests[-1].get("texts")
        if texts is None or len(texts) > most:
            say(handler, {"error": "missing field `texts`", "error_type": "Validation"}, 422)
        else:
            say(handler, [{"index": i, "score": score(text)} for i, text in enumerate(texts)])

    return script


def saying(body: object, status: int = 200) -> Script:
    return lambda handler: say(handler, body, status)


def dripping(handler: Handler) -> None:
    """Sends a piece of an answer every moment, and never its end."""
    handler.finish = lambda: None
    handler.begin()
    while not handler.released.wait(0.05):
        try:
            handler.send(" ")
        except OSError:
            return
