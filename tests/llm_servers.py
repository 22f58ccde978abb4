"""Scripted servers that speak, or break, the protocol of OpenAI's chat completions; on loopback, for one test each."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

Script = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script
    requests: list[dict]
    released: threading.Event

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        self.requests.append(json.loads(self.rfile.read(length)))
        type(self).script(self)

    def log_message(self, *_: object) -> None:
        pass

    def refuse(self, status: int, **headers: str) -> None:
        body = json.dumps({"error": {"message": "scripted", "type": "scripted"}}).encode()
        self.send_response(status)
        for name, value in {"content-type": "application/json", "content-length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)

    def begin(self) -> None:
        self.send_response(200)
        self.send_header("content-type", "text/event-stream")
        self.send_header("transfer-encoding", "chunked")
        self.end_headers()

    def say(self, text: str, finish: str | None = None) -> None:
        choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}
        event = {"id": "1", "object": "chat.completion.chunk", "created": 1, "model": "m", "choices": [choice]}
        self.send(f"data: {json.dumps(event)}\n\n")

    def send(self, text: str) -> None:
        body = text.encode()
        self.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")
        self.wfile.flush()

    def finish(self) -> None:
        self.send("data: [DONE]\n\n")
        self.end()

    def end(self) -> None:
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = True


@contextmanager
def scripted(script: Script) -> Iterator[tuple[str, list[dict]]]:
    """A server that does what `script` says with every request; gives its address and the requests it got."""
    requests: list[dict] = []
    released = threading.Event()
    kind = type("Scripted", (Handler,), {"script": staticmethod(script), "requests": requests, "released": released})
    server = ThreadingHTTPServer(("127.0.0.1", 0), kind)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", requests
    finally:
        released.set()
        server.shutdown()
        server.server_close()


def answering(*pieces: str, finish: str | None = "stop") -> Script:
    """A script that streams an answer, as a well-behaved server does."""

    def script(handler: Handler) -> None:
        handler.begin()
        for piece in pieces:
            handler.say(piece)
        if finish:
            handler.say("", finish)
        handler.finish()

    return script


def refusing(status: int, **headers: str) -> Script:
    return lambda handler: handler.refuse(status, **headers)


def cut_after(*pieces: str) -> Script:
    """Streams, then closes the connection in the middle of the answer."""

    def script(handler: Handler) -> None:
        handler.begin()
        for piece in pieces:
            handler.say(piece)
        handler.close_connection = True

    return script


def hanging_after(*pieces: str) -> Script:
    """Streams, then says nothing more until the test is over."""

    def script(handler: Handler) -> None:
        handler.begin()
        for piece in pieces:
            handler.say(piece)
        handler.released.wait(60)
        handler.close_connection = True

    return script


def silent(handler: Handler) -> None:
    """Takes the request and never answers."""
    handler.released.wait(60)
    handler.close_connection = True
