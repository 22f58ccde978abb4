"""Tests who can reach the chat: only its own page under its own name, and no frame."""

from __future__ import annotations

import pytest
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Route, WebSocketRoute
from starlette.testclient import TestClient
from starlette.websockets import WebSocketDisconnect

from app.ui.page_guard import PageGuard


async def page(_request):
    return PlainTextResponse("the page")


async def stream(socket):
    await socket.accept()
    await socket.send_text("hello")
    await socket.close()


@pytest.fixture(scope="module")
def client():
    routes = [Route("/", page, methods=["GET", "POST"]), WebSocketRoute("/stream", stream)]
    return TestClient(PageGuard(Starlette(routes=routes), hosts=["docs.example.org"]))


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8501", 200),
        ("localhost", 200),
        ("LOCALHOST:1", 200),
        ("[::1]:8501", 200),
        ("docs.example.org", 200),
        ("evil.example:8501", 421),
        ("127.0.0.1.evil.example", 421),
        ("me@localhost", 421),
        ("localhost/evil", 421),
        ("localhost:x", 421),
        ("", 421),
    ],
)
def test_the_page_is_served_only_under_its_own_host_name(client, host, status):
    answer = client.get("/", headers={"host": host})
    assert answer.status_code == status
    assert answer.headers["content-security-policy"] == "frame-ancestors 'none'"
    assert answer.headers["x-frame-options"] == "DENY"
    assert (answer.text == "the page") is (status == 200)


@pytest.mark.parametrize("hosts", [("localhost", "evil.example"), ("evil.example", "localhost"), ("localhost",) * 2])
def test_a_request_by_several_names_is_refused(client, hosts):
    answer = client.get("/", headers=[("host", host) for host in hosts])
    assert answer.status_code == 421


@pytest.mark.parametrize(
    ("origin", "status"),
    [
        (None, 200),
        ("http://localhost:8501", 200),
        ("http://localhost:3000", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("http://[::1", 403),
        ("http://localhost:x", 403),
        ("localhost:8501", 403),
        ("http://localhost:8501/", 403),
    ],
)
def test_only_the_page_itself_sends_anything(client, origin, status):
    headers = {"host": "localhost:8501"} | ({"origin": origin} if origin else {})
    assert client.post("/", headers=headers).status_code == status
    assert client.get("/", headers=headers).status_code == 200


@pytest.mark.parametrize(
    ("host", "origin", "accepted"),
    [
        ("localhost:8501", "http://localhost:8501", True),
        ("docs.example.org", "https://docs.example.org", True),
        ("localhost:8501", "http://localhost:3000", False),
        ("localhost:8501", "http://evil.example", False),
        ("localhost:8501", None, False),
        ("evil.example:8501", "http://evil.example:8501", False),
        ("localhost:8501", "http://[::1", False),
    ],
)
def test_only_the_page_itself_opens_the_stream(client, host, origin, accepted):
    headers = {"host": host} | ({"origin": origin} if origin else {})
    if accepted:
        with client.websocket_connect("/stream", headers=headers) as socket:
            assert socket.receive_text() == "hello"
    else:
        with pytest.raises(WebSocketDisconnect), client.websocket_connect("/stream", headers=headers):
            pass
