"""Restricts browser access to the chat: only its own page, under its own host names, never in a frame.

The chat has no sign-in. A web page can make its host name resolve to this machine (DNS rebinding) or open a WebSocket
to it; browsers allow both. The first request has a foreign host name, the second a foreign origin.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MISDIRECTED, FORBIDDEN = 421, 403
# RFC 6455, 7.4.1: a message that violates the server's policy.
POLICY = 1008
HARMLESS = {"GET", "HEAD", "OPTIONS"}
LOOPBACK = ("127.0.0.1", "localhost", "::1")
HEADERS = {
    "content-security-policy": "frame-ancestors 'none'",
    "x-frame-options": "DENY",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
}


class PageGuard:
    """ASGI middleware.

    Args:
        app: the application to protect.
        hosts: its host names, without ports, in addition to this machine's own.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._hosts = {name.lower() for name in (*LOOPBACK, *hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it: 421 for no, a foreign or several host names, 403 for a foreign origin."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or _name(hosts[0]) not in self._hosts:
            said = "Footnote does not accept this host name. Add it to FOOTNOTE_ALLOWED_HOSTS to allow it."
            await _refuse(scope, receive, send, MISDIRECTED, said)
        elif not _is_own(scope, hosts[0], origins):
            await _refuse(scope, receive, send, FORBIDDEN, "Only Footnote's own page may do this.")
        else:
            await self._app(scope, receive, _with_headers(send))


def _name(host: str) -> str | None:
    """Returns the name in a Host header, without its port; None if it is invalid."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and not parts.username else None


def _is_own(scope: Scope, host: str, origins: list[str]) -> bool:
    """Returns True if a request comes from the page itself; browsers send the origin of all requests with effects."""
    if scope["type"] == "http" and (scope["method"] in HARMLESS or not origins):
        return True
    # Browsers write an origin as a scheme and the host, in lower case (RFC 6454, 6.2).
    return len(origins) == 1 and origins[0].lower() in {f"http://{host.lower()}", f"https://{host.lower()}"}


async def _refuse(scope: Scope, receive: Receive, send: Send, status: int, said: str) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": POLICY, "reason": said})
    else:
        await PlainTextResponse(said, status, headers=HEADERS)(scope, receive, send)


def _with_headers(send: Send) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sent
