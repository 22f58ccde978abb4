"""Tests who may call a running chat, what it refuses, and what happens to calls that end early."""

from __future__ import annotations

import os
import socket
import stat
import threading
from contextlib import closing
from dataclasses import replace

import pytest
from waiting import wait_until

from app.cancellation import CancelToken
from app.local_service import LocalClient, LocalService, NotServed, ServerFailed
from app.local_service.protocol import MOST_REPLY, MOST_REQUEST, PROTOCOL, receive, run_files, send
from app.models import Answer, SearchResult, Token
from ingest.errors import ChatStopped, LLMBusy, QuestionError
from ingest.filters import Filter
from ingest.models import SearchHit, StoredChunk

OWN = "the same"
WITHIN = Filter.of(sources=["/docs"], types=["pdf"], since="2026-01-31")
CHUNK = StoredChunk("v-000001", "v", "d", "/docs/a.pdf", "T", 1, 5, 9, "word", 2, ("A",))
ANSWER = Answer("why", "why", "One two", refused=False, answerer="scripted", sentences=(), citations=())


class Scripted:
    """Answers with fixed results and records the calls; "slow" waits until it is cancelled."""

    def __init__(self) -> None:
        self.calls, self.cancelled = [], threading.Event()

    def model_note(self, collection=None):
        self.calls.append(("model_note", collection))
        return f"note on {collection}"

    def check_filter(self, within, *, collection=None):
        self.calls.append(("check_filter", within, collection))

    def retrieve(self, question, k, *, collection=None, within=None):
        self.calls.append(("retrieve", question, k, collection, within))
        if question == "wrong":
            raise QuestionError("The question is wrong.")
        return SearchResult([SearchHit(n + 1, 1 / (n + 1), CHUNK) for n in range(k)], ("one", "two"))

    def ask(self, question, *, collection=None, k=None, within=None, cancel=None):
        self.calls.append(("ask", question, k, collection, within))
        if question == "busy":
            raise LLMBusy("The model is busy.", retry_after=2.0)
        if question == "mistake":
            raise ZeroDivisionError("by zero")
        if question == "disk":
            raise PermissionError("no access")
        return self._events(question, cancel)

    def _events(self, question, cancel):
        yield Token("One ")
        if question == "slow":
            wait_until(lambda: cancel.cancelled)
            self.cancelled.set()
            yield replace(ANSWER, text="One ", incomplete=True)
            return
        yield Token("two")
        yield ANSWER


@pytest.fixture
def data_dir(tmp_path):
    return tmp_path / "data"


@pytest.fixture
def questions():
    return Scripted()


@pytest.fixture
def service(questions, data_dir):
    with LocalService(questions, data_dir, OWN) as one:
        yield one


@pytest.fixture
def client(service, data_dir):
    return LocalClient(data_dir, OWN)


def reply_to(data_dir, **changes):
    """Sends a call with some fields replaced; returns the first reply."""
    path, token = run_files(data_dir)
    call = {"protocol": PROTOCOL, "token": token.read_text(), "identity": OWN, "call": "model_note"}
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        send(connection, {**call, "arguments": {"collection": None}, **changes}, MOST_REPLY)
        return receive(connection, MOST_REQUEST)


def test_calls_arrive_with_their_arguments_and_results_come_back(client, questions):
    assert client.model_note("c") == "note on c"
    client.check_filter(WITHIN, collection="c")
    result = client.retrieve("why", 3, collection="c", within=WITHIN)
    assert result == SearchResult([SearchHit(n + 1, 1 / (n + 1), CHUNK) for n in range(3)], ("one", "two"))
    assert list(client.ask("why", k=4)) == [Token("One "), Token("two"), ANSWER]
    assert questions.calls == [
        ("model_note", "c"),
        ("check_filter", WITHIN, "c"),
        ("retrieve", "why", 3, "c", WITHIN),
        ("ask", "why", 4, None, None),
    ]


def test_a_search_without_hits_and_many_hits_arrive(client):
    assert client.retrieve("why", 0).hits == []
    assert len(client.retrieve("why", 1_000).hits) == 1_000


def test_errors_keep_their_class_and_message(client, questions, caplog):
    with pytest.raises(QuestionError, match=r"^The question is wrong.$"):
        client.retrieve("wrong", 1)
    with pytest.raises(LLMBusy, match=r"^The model is busy.$"):
        list(client.ask("busy"))
    with pytest.raises(ServerFailed, match=r"^ZeroDivisionError in the running chat: by zero$"):
        list(client.ask("mistake"))
    with pytest.raises(ServerFailed, match="PermissionError in the running chat: no access"):
        list(client.ask("disk"))
    assert caplog.text.count("failed with an internal error") == 2
    assert client.model_note("c") == "note on c"


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"protocol": PROTOCOL + 1}, "another version"),
        ({"protocol": None}, "another version"),
        ({"token": "0" * 64}, "token"),
        ({"token": None}, "token"),
        ({"token": "\ud800"}, "token"),
        ({"identity": "other settings"}, "other code, settings or environment"),
        ({"call": "remove"}, "unknown call"),
        ({"call": "__class__"}, "unknown call"),
        ({"arguments": []}, "unknown call"),
        ({"arguments": {"path": "/etc"}}, "argument"),
        ({"call": "check_filter", "arguments": {"within": {"since": "soon"}, "collection": None}}, "not a date"),
        ({"call": "check_filter", "arguments": {"within": {"odd": 1}, "collection": None}}, "odd"),
    ],
)
def test_a_call_is_refused_with_the_reason(service, questions, data_dir, changes, said):
    assert said in reply_to(data_dir, **changes)["refused"]
    assert questions.calls == []


def test_a_call_that_is_too_long_is_refused_unread(service, questions, data_dir):
    path, _ = run_files(data_dir)
    with socket.socket(socket.AF_UNIX) as connection:
        connection.settimeout(30)
        connection.connect(str(path))
        connection.sendall((MOST_REQUEST + 1).to_bytes(4, "big"))
        assert "exceeds the limit" in receive(connection, MOST_REQUEST)["refused"]


def test_a_client_of_other_settings_or_with_a_long_question_is_not_served(client, questions, data_dir):
    with pytest.raises(NotServed, match="settings"):
        LocalClient(data_dir, "other").model_note()
    with pytest.raises(NotServed, match="limit"):
        client.retrieve("x" * MOST_REQUEST, 1)
    assert questions.calls == []


def test_socket_and_token_are_the_owners_alone_and_go_with_the_service(questions, data_dir):
    assert not LocalClient.is_possible(data_dir)
    tokens = []
    for _ in range(2):
        with LocalService(questions, data_dir, OWN):
            assert LocalClient.is_possible(data_dir)
            path, token = run_files(data_dir)
            assert [stat.S_IMODE(one.stat().st_mode) for one in (path.parent, path, token)] == [0o700, 0o600, 0o600]
            tokens.append(token.read_text())
        assert not LocalClient.is_possible(data_dir)
        assert list(path.parent.iterdir()) == []
    assert tokens[0] != tokens[1]
    assert all(len(one) == 64 for one in tokens)


def test_files_that_others_may_write_to_are_not_used(client, questions, data_dir):
    _, token = run_files(data_dir)
    token.chmod(0o620)
    assert not LocalClient.is_possible(data_dir)
    with pytest.raises(NotServed, match="no chat of this user"):
        client.model_note()
    assert questions.calls == []


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give a file away")
def test_files_of_another_user_are_not_used(service, data_dir):
    path, _ = run_files(data_dir)
    os.chown(path, 65534, 65534)
    assert not LocalClient.is_possible(data_dir)


def test_a_socket_left_by_a_killed_server_is_noticed_and_replaced(questions, data_dir):
    path, token = run_files(data_dir)
    path.parent.mkdir(parents=True)
    with socket.socket(socket.AF_UNIX) as dead:
        dead.bind(str(path))
        path.chmod(0o600)
        token.touch(0o600)
    assert LocalClient.is_possible(data_dir)
    with pytest.raises(NotServed, match="refused"):
        LocalClient(data_dir, OWN, seconds=3600).model_note()
    with LocalService(questions, data_dir, OWN):
        assert LocalClient(data_dir, OWN).model_note("c") == "note on c"


def test_a_cancelled_answer_ends_with_the_text_so_far(client, questions):
    cancel = CancelToken()
    events = client.ask("slow", cancel=cancel)
    assert next(events) == Token("One ")
    cancel.cancel()
    (answer,) = events
    assert (answer.text, answer.incomplete) == ("One ", True)


def test_a_client_that_leaves_cancels_its_answer(client, questions):
    with closing(client.ask("slow")) as events:
        assert next(events) == Token("One ")
        assert not questions.cancelled.is_set()
    assert questions.cancelled.wait(60)


def test_the_end_of_the_service_cancels_answers(questions, data_dir):
    with LocalService(questions, data_dir, OWN):
        events = LocalClient(data_dir, OWN).ask("slow")
        assert next(events) == Token("One ")
    assert questions.cancelled.wait(60)
    with pytest.raises(ChatStopped):
        list(events)


def test_more_calls_than_allowed_are_left_to_their_commands(questions, data_dir):
    with LocalService(questions, data_dir, OWN, most_calls=1):
        client = LocalClient(data_dir, OWN)
        with closing(client.ask("slow")) as events:
            next(events)
            with pytest.raises(NotServed):
                client.model_note()
        assert questions.cancelled.wait(60)


def test_a_path_that_is_too_long_for_a_socket_is_served_too(questions, tmp_path):
    folder = tmp_path / ("long" * 30) / "data"
    with LocalService(questions, folder, OWN):
        assert LocalClient(folder, OWN).model_note("c") == "note on c"
    assert list((folder / "run").iterdir()) == []


def test_a_folder_that_cannot_hold_a_socket_is_an_error_that_leaves_nothing(questions, tmp_path):
    (tmp_path / "run").touch()
    with pytest.raises(OSError, match=r"exists|directory"), LocalService(questions, tmp_path, OWN):
        pass
    assert [one.name for one in tmp_path.iterdir()] == ["run"]
