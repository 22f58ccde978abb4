"""Who may reach the chat from a browser: its own page, called by a name of its own, and framed by nobody.

A page of the internet can have its name point at this machine (DNS rebinding), or open a WebSocket to it: browsers let
both through, and the chat has no sign-in. The first calls the chat by a foreign name, the second says where it is from.
"""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

MISDIRECTED, FORBIDDEN = 421, 403
# RFC 6455, 7.4.1: a message that goes against a rule of the server.
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
        app: what is guarded.
        hosts: the names that it is called by, without a port, besides those of this machine's own.
    """

    def __init__(self, app: ASGIApp, hosts: Iterable[str] = ()) -> None:
        self._app = app
        self._hosts = {name.lower() for name in (*LOOPBACK, *hosts)}

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Passes a request on, or refuses it: 421 for a foreign name or several, 403 for a foreign origin."""
        if scope["type"] not in {"http", "websocket"}:
            await self._app(scope, receive, send)
            return
        headers = Headers(scope=scope)
        hosts, origins = headers.getlist("host"), headers.getlist("origin")
        if len(hosts) != 1 or _name(hosts[0]) not in self._hosts:
            said = "This address is not one that Footnote is called by. FOOTNOTE_ALLOWED_HOSTS names more of them."
            await _refuse(scope, receive, send, MISDIRECTED, said)
        elif not _is_own(scope, hosts[0], origins):
            await _refuse(scope, receive, send, FORBIDDEN, "Only Footnote's own page may do this.")
        else:
            await self._app(scope, receive, _with_headers(send))


def _name(host: str) -> str | None:
    """The name in a Host header, without its port; None where it is none."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    return parts.hostname if parts.netloc == host and not parts.username else None


def _is_own(scope: Scope, host: str, origins: list[str]) -> bool:
    """Whether a request that can change something comes from the page itself; browsers always say where from."""
    if scope["type"] == "http" and (scope["method"] in HARMLESS or not origins):
        return True
    # The form of an origin is that of a browser (RFC 6454, 6.2): a scheme and the host, in lower case.
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
