"""`footnote run`: the chat, its index and its Chroma server as one process that Ctrl-C ends whole."""

from __future__ import annotations

import fcntl
import gc
import os
import socket
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from app.bootstrap import shared_footnote
from app.footnote import Footnote
from ingest.cli import ProgressView, print_report, stopping
from ingest.errors import AlreadyRunning, FootnoteError
from ingest.host import make_private_folder, private_opener
from ingest.library import CHAT_LOCK
from ingest.settings import Settings

MAIN = Path(__file__).resolve().parents[1] / "main.py"
STREAMLIT_SETTINGS = MAIN.parent / "ui" / "streamlit.toml"


def serve(settings: Settings, console: Console) -> None:
    """Serves the chat until it is stopped.

    Raises:
        AlreadyRunning: the data folder is served already, or the port is taken.
        LLMNotConfigured: FOOTNOTE_LLM cannot be used as it is.
    """
    with _only_one(settings):
        check_port(settings)
        with shared_footnote() as footnote:
            footnote.answerer_name()  # a language model that cannot be used is said now, not on the page
            if _add_samples(footnote, console):
                threading.Thread(target=_warm, args=(footnote, console), name="warm-up", daemon=True).start()
                _streamlit(settings, console)


def check_port(settings: Settings) -> None:
    """Makes sure that the chat can listen where it should.

    Raises:
        AlreadyRunning: the port is taken.
    """
    family = socket.AF_INET6 if ":" in settings.host else socket.AF_INET
    with socket.socket(family) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((settings.host, settings.port))
        except OSError as error:
            raise AlreadyRunning(
                f"Port {settings.port} is taken by another program ({error.strerror}). Stop that, or choose another "
                f"port: FOOTNOTE_PORT={settings.port + 1 if settings.port < 65535 else 8501}"  # noqa: PLR2004 - last port
            ) from error


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Two chats over one data folder would only get in each other's way; the lock goes with the process."""
    path = settings.data_dir / CHAT_LOCK
    try:
        make_private_folder(path.parent)
        lock = open(path, "a+", encoding="utf-8", opener=private_opener)  # noqa: SIM115 - closed below
    except OSError as error:
        raise FootnoteError(
            f"The data folder {settings.data_dir} cannot be used: {error.strerror}. Check its permissions, or set "
            "FOOTNOTE_DATA_DIR."
        ) from error
    with lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            lock.seek(0)
            raise AlreadyRunning(
                f"Footnote already runs on {settings.data_dir}: {lock.read().strip() or 'it is just starting'}. Open "
                "that, stop it with Ctrl-C, or choose another data folder with FOOTNOTE_DATA_DIR."
            ) from error
        lock.truncate(0)
        lock.write(f"{_url(settings)} (process {os.getpid()})")
        lock.flush()
        yield


def _add_samples(footnote: Footnote, console: Console) -> bool:
    """Puts the sample documents into an empty index. False when the user stopped it."""
    samples = footnote.settings.sample_dir
    is_empty = not any(one.documents or one.failures for one in footnote.status())
    if not (samples.is_dir() and is_empty):
        return True
    console.print("First start: reading the sample documents.")
    with stopping(console) as cancel, ProgressView(console) as progress:
        report = footnote.ingest([samples], on_progress=progress, cancel=cancel)
    print_report(report, console)
    return not report.cancelled


def _warm(footnote: Footnote, console: Console) -> None:
    """Loads what the first question needs. What fails here will be said to whoever asks, so it is only noted."""
    gc.disable()  # a million objects are made that stay: going through them again and again took a fifth of the start
    try:
        footnote.warm()
    except FootnoteError as error:
        console.print(escape(str(error)), style="red")
    finally:
        gc.freeze()
        gc.enable()


def _streamlit(settings: Settings, console: Console) -> None:
    import streamlit as st  # noqa: PLC0415 - a second of imports that the checks above come before
    from starlette.middleware import Middleware  # noqa: PLC0415 - see above

    from app.ui import PageGuard  # noqa: PLC0415 - see above

    options = _dotted(tomllib.loads(STREAMLIT_SETTINGS.read_text(encoding="utf-8"))) | {
        "server.address": settings.host,
        "server.port": settings.port,
        "server.maxUploadSize": settings.max_file_mb,
        "browser.serverAddress": settings.host,
    }
    os.chdir(MAIN.parents[1])  # Streamlit would read .streamlit/config.toml in the folder that the command is run in
    app = st.App(MAIN, middleware=[Middleware(PageGuard, hosts=settings.allowed_host_names)])
    console.print(f"Footnote: [bold]{_url(settings)}[/bold]   Ctrl-C stops it.", highlight=False)
    with suppress(KeyboardInterrupt):
        app.run(config=options)


def _dotted(options: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flattens the tables of a TOML file into options by their dotted names, as in `theme.light.textColor`."""
    flat: dict[str, Any] = {}
    for name, value in options.items():
        flat |= _dotted(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def _url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"
