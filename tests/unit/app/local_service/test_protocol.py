"""Tests the messages of the local socket: bounded, complete, and JSON objects only."""

from __future__ import annotations

import json
import socket
import struct

import pytest

from app.local_service.protocol import ProtocolError, receive, send

MOST = 1_000


@pytest.fixture
def ends():
    here, there = socket.socketpair()
    with here, there:
        here.settimeout(5)
        there.settimeout(5)
        yield here, there


@pytest.mark.parametrize("text", ["", "x" * 900, "é\0\n€", "a lone \ud800 surrogate", "\udcff"])
def test_a_message_arrives_as_it_was_sent(ends, text):
    here, there = ends
    message = {"text": text, "more": [1, 2.5, None, True, {"a": []}]}
    send(here, message, MOST)
    send(here, {"next": 1}, MOST)
    assert receive(there, MOST) == message
    assert receive(there, MOST) == {"next": 1}


def test_the_end_of_the_connection_is_no_message(ends):
    here, there = ends
    here.close()
    assert receive(there, MOST) is None


@pytest.mark.parametrize(
    ("sent", "said"),
    [
        (b"\0\0", "length of a message is cut off"),
        (struct.pack(">I", 10) + b"{}", "a message is cut off"),
        (struct.pack(">I", 7) + b"no json", "not JSON"),
        (struct.pack(">I", 2) + b"\xff\xfe", "not JSON"),
        (struct.pack(">I", 2) + b"[]", "not a JSON object"),
        (struct.pack(">I", 0), "not JSON"),
        (struct.pack(">I", MOST) + b"[" * MOST, "not JSON"),
    ],
)
def test_a_bad_frame_is_refused(ends, sent, said):
    here, there = ends
    here.sendall(sent)
    here.close()
    with pytest.raises(ProtocolError, match=said):
        receive(there, MOST)


def test_deeply_nested_json_is_refused(ends):
    here, there = ends
    here.sendall(struct.pack(">I", 200_000) + b"[" * 200_000)
    with pytest.raises(ProtocolError, match="not JSON"):
        receive(there, 200_000)


def test_a_message_that_is_too_long_is_refused_before_it_is_read(ends):
    here, there = ends
    here.sendall(struct.pack(">I", MOST + 1))  # no byte of it follows
    with pytest.raises(ProtocolError, match="exceeds the limit of 1,000"):
        receive(there, MOST)


def test_a_message_that_is_too_long_is_not_sent(ends):
    here, there = ends
    with pytest.raises(ProtocolError, match="exceeds the limit"):
        send(here, {"text": "x" * MOST}, MOST)
    send(here, {}, MOST)
    assert receive(there, MOST) == {}


def test_silence_is_an_error_or_is_reported(ends):
    here, there = ends
    there.settimeout(0.01)
    with pytest.raises(TimeoutError):
        receive(there, MOST)
    silences = []

    def on_silence() -> None:
        silences.append(True)
        if len(silences) == 2:
            data = json.dumps({"late": True}).encode()
            here.sendall(struct.pack(">I", len(data)) + data)

    assert receive(there, MOST, on_silence) == {"late": True}
    assert len(silences) == 2
