"""Tests that the chat runs although it cannot serve commands."""

from __future__ import annotations

from types import SimpleNamespace

from rich.console import Console

from app.cli.serve import _commands_served
from app.local_service import LocalClient


def test_a_chat_without_a_socket_runs_and_says_why(settings):
    settings.data_dir.mkdir()
    (settings.data_dir / "run").touch()
    console, ran = Console(record=True, width=200), []
    with _commands_served(SimpleNamespace(settings=settings), "own", console):
        ran.append(True)
    assert ran == [True]
    assert "Commands will not use this chat:" in console.export_text()
    assert not LocalClient.is_possible(settings.data_dir)


def test_a_chat_with_a_socket_says_nothing(settings):
    console = Console(record=True, width=200)
    with _commands_served(SimpleNamespace(settings=settings), "own", console):
        assert LocalClient.is_possible(settings.data_dir)
    assert console.export_text() == ""
