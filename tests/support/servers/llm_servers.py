"""Scripted servers that speak, or break, the protocol of OpenAI's chat completions; on loopback, for one test each."""

from __future__ import annotations

import itertools
import json
import select
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from injections import orders

Script = Callable[["Handler"], None]


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    script: Script
    requests: list[dict]
    released: threading.Event
    left: threading.Event
    models: list[dict]
    slow: bool
    looked_up: list[str]
    root: str

    def do_GET(self) -> None:
        self.looked_up.append(self.path)
        if not self.path.startswith(f"{self.root}/"):
            self.refuse(404, "404 page not found")
            return
        if self.slow:
            self.released.wait(60)
        self.reply(200 if self.models else 404, {"object": "list", "data": self.models})

    def do_POST(self) -> None:
        length = int(self.headers.get("content-length", 0))
        asked = json.loads(self.rfile.read(length))
        path, _, query = self.path.partition("?")
        if not path.startswith(f"{self.root}/"):
            self.refuse(404, "404 page not found")
            return
        self.requests.append(asked | ({"url_query": query} if query else {}))
        type(self).script(self)

    def log_message(self, *_: object) -> None:
        pass

    def refuse(self, status: int, message: str = "scripted", code: str | None = None, **headers: str) -> None:
        self.reply(status, {"error": {"message": message, "type": "scripted", "code": code}}, **headers)

    def reply(self, status: int, what: dict, **headers: str) -> None:
        body = json.dumps(what).encode()
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

    def count(self, read: int, written: int) -> None:
        """The last event of a server that says how many tokens there were."""
        usage = {"prompt_tokens": read, "completion_tokens": written, "total_tokens": read + written}
        event = {
            "id": "1",
            "object": "chat.completion.chunk",
            "created": 1,
            "model": "m",
            "choices": [],
            "usage": usage,
        }
        self.send(f"data: {json.dumps(event)}\n\n")

    def wait_until_left(self, seconds: float = 60) -> None:
        """Says nothing more; notes in `left` that the client has closed the connection."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline and not self.released.is_set():
            readable, _, _ = select.select([self.connection], [], [], 0.05)
            if readable and not self.connection.recv(1, socket.MSG_PEEK):
                self.left.set()
                break
        self.close_connection = True

    def send(self, text: str) -> None:
        body = text.encode()
        self.wfile.write(f"{len(body):x}\r\n".encode() + body + b"\r\n")
        self.wfile.flush()

    def done(self, *, keep: bool = False) -> None:
        self.send("data: [DONE]\n\n")
        self.end(keep=keep)

    def end(self, *, keep: bool = False) -> None:
        self.wfile.write(b"0\r\n\r\n")
        self.close_connection = not keep


@contextmanager
def scripted(
    script: Script,
    *,
    models: tuple[dict, ...] = (),
    slow: bool = False,
    left: threading.Event | None = None,
    looked_up: list[str] | None = None,
    port: int = 0,
    root: str = "",
) -> Iterator[tuple[str, list[dict]]]:
    """A server that does what `script` says with every request; gives its address and the requests it got.

    `models` is what it lists, which a `slow` one never does; `left` is set when `wait_until_left` sees the client go;
    `looked_up` gets the path of each look at what it lists; what is not below the path `root` is not there.
    """
    requests: list[dict] = []
    released = threading.Event()
    fields = {"requests": requests, "released": released, "left": left or threading.Event(), "models": list(models)}
    fields |= {"slow": slow, "looked_up": [] if looked_up is None else looked_up, "root": root}
    kind = type("Scripted", (Handler,), {"script": staticmethod(script), **fields})
    server = ThreadingHTTPServer(("127.0.0.1", port), kind)
    server.daemon_threads = True
    # Closing the server waits for one poll of 0.01 s.
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/v1", requests
    finally:
        released.set()
        server.shutdown()
        server.server_close()


def answering(*pieces: str, finish: str | None = "stop", usage: tuple[int, int] | None = None) -> Script:
    """A script that streams an answer, as a well-behaved server does, and counts tokens where it is asked to."""

    def script(handler: Handler) -> None:
        handler.begin()
        for piece in pieces:
            handler.say(piece)
        if finish:
            handler.say("", finish)
        if usage and (handler.requests[-1].get("stream_options") or {}).get("include_usage"):
            handler.count(*usage)
        handler.done()

    return script


def refusing(status: int, message: str = "scripted", code: str | None = None, **headers: str) -> Script:
    return lambda handler: handler.refuse(status, message, code, **headers)


def in_turn(*scripts: Script) -> Script:
    """Answers each request by the next script; the last one is for all that come after."""
    return lambda handler: scripts[min(len(handler.requests), len(scripts)) - 1](handler)


def silent_after(*pieces: str) -> Script:
    """Streams, then says nothing more until the client has gone."""

    def script(handler: Handler) -> None:
        handler.begin()
        for piece in pieces:
            handler.say(piece)
        handler.wait_until_left()

    return script


def cut_after(*pieces: str) -> Script:
    """Streams, then closes the connection in the middle of the answer."""

    def script(handler: Handler) -> None:
        handler.begin()
        for piece in pieces:
            handler.say(piece)
        handler.close_connection = True

    return script


def kept_open(handler: Handler) -> None:
    """Answers, and keeps the connection for the next request."""
    handler.begin()
    handler.say("Fine.", "stop")
    handler.done(keep=True)


def closing(handler: Handler) -> None:
    """Takes the request and closes the connection, as a server does that has waited long enough for the next one."""
    handler.close_connection = True


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


def obeying(handler: Handler) -> None:
    """Says every word that any passage asks to be said, a few characters at a time."""
    said = "".join(orders(handler.requests[-1]["messages"][-1]["content"])) or "No orders."
    handler.begin()
    for at in range(0, len(said), 5):
        handler.say(said[at : at + 5])
        handler.released.wait(0.02)
    handler.say("", "stop")
    handler.done()


def endless(*pieces: str, first: tuple[str, ...] = ()) -> Script:
    """Says `first`, then the pieces again and again until the client has gone, a moment apart."""

    def script(handler: Handler) -> None:
        handler.begin()
        try:
            for piece in itertools.chain(first, itertools.cycle(pieces)):
                handler.say(piece)
                if handler.released.wait(0.01):
                    break
        except OSError:
            handler.left.set()
        handler.close_connection = True

    return script


def raw(*pieces: bytes, **headers: str) -> Script:
    """Answers with these bytes as its stream."""

    def script(handler: Handler) -> None:
        handler.send_response(200)
        for name, value in {"content-type": "text/event-stream", "transfer-encoding": "chunked", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        try:
            for piece in pieces:
                handler.wfile.write(f"{len(piece):x}\r\n".encode() + piece + b"\r\n")
            handler.end()
        except OSError:
            handler.left.set()
        handler.close_connection = True

    return script


def dripping_headers(handler: Handler) -> None:
    """Sends a header a moment, and never their end."""
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    try:
        while not handler.released.wait(0.05):
            handler.wfile.write(b"x: y\r\n")
            handler.wfile.flush()
    except OSError:
        handler.left.set()
    handler.close_connection = True
