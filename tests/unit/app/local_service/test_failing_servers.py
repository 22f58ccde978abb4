"""Tests a client whose server hangs or ends: before it accepts a call, or within an answer."""

from __future__ import annotations

import socket
import threading
from contextlib import contextmanager

import pytest

from app.local_service import LocalClient, NotServed
from app.local_service.protocol import MOST_REPLY, MOST_REQUEST, receive, run_files, send
from app.models import Token
from ingest.errors import ChatStopped

OWN = "the same"


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


def test_a_server_that_hangs_is_given_up(data_dir):
    path, token = run_files(data_dir)
    path.parent.mkdir(parents=True)
    token.touch(0o600)
    with socket.socket(socket.AF_UNIX) as hanging:
        hanging.bind(str(path))
        hanging.listen()
        with pytest.raises(NotServed, match="timed out"):
            LocalClient(data_dir, OWN, seconds=0.05).model_note()


@contextmanager
def one_reply(data_dir, *replies):
    """A server that sends these replies to its first call, and closes the connection."""
    path, token = run_files(data_dir)
    path.parent.mkdir(parents=True)
    token.touch(0o600)

    def serve() -> None:
        connection, _ = listener.accept()
        with connection:
            receive(connection, MOST_REQUEST)
            for reply in replies:
                send(connection, reply, MOST_REPLY)

    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=serve)
        thread.start()
        yield
        thread.join()


def test_a_server_that_ends_before_it_accepts_did_not_serve(data_dir):
    with one_reply(data_dir), pytest.raises(NotServed, match="closed"):
        LocalClient(data_dir, OWN).model_note()


def test_a_server_that_ends_within_an_answer_is_an_error(data_dir):
    token = {"event": {"kind": "Token", "fields": {"text": "One"}}}
    with one_reply(data_dir, {"accepted": True}, token):
        events = LocalClient(data_dir, OWN).ask("why")
        assert next(events) == Token("One")
        with pytest.raises(ChatStopped, match="Ask again"):
            next(events)
