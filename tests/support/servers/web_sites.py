"""Serves web pages on loopback."""

from __future__ import annotations

import threading
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@contextmanager
def site(pages: dict):
    """A server on loopback; a page is (status, headers, body), or a body."""

    class Handler(BaseHTTPRequestHandler):
        asked: list[str] = []  # noqa: RUF012 - one a server

        def do_GET(self) -> None:
            self.asked.append(self.headers["Host"] + self.path)
            page = pages.get(self.path, (404, {}, b"gone"))
            status, headers, body = page if isinstance(page, tuple) else (200, {"content-type": "text/html"}, page)
            self.send_response(status)
            for name, value in {"content-length": str(len(body)), **headers}.items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):  # the reader had enough
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}", Handler.asked
    finally:
        server.shutdown()
        server.server_close()
