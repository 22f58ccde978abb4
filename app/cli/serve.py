"""Implements `footnote run`: the chat, its index and its Chroma server in one process, which Ctrl-C ends.

It also answers the commands `search` and `ask` of the same data folder (`app.local_service`).
"""

from __future__ import annotations

import fcntl
import gc
import os
import socket
import threading
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from rich.console import Console
from rich.markup import escape

from app.bootstrap import shared_footnote
from app.footnote import Footnote
from app.local_service import LocalService, identity
from ingest.cli import ProgressView, print_report, stopping
from ingest.errors import AlreadyRunning, FootnoteError
from ingest.host import make_private_folder, private_opener
from ingest.late_embedding import embed_leftovers
from ingest.library import CHAT_LOCK
from ingest.settings import Settings

MAIN = Path(__file__).resolve().parents[1] / "main.py"
STREAMLIT_SETTINGS = MAIN.parent / "ui" / "streamlit.toml"


def serve(settings: Settings, console: Console) -> None:
    """Serves the chat until it is stopped.

    Raises:
        AlreadyRunning: the data folder is in use by another chat, or the port is taken.
        LLMNotConfigured: FOOTNOTE_LLM cannot be used as set.
    """
    with _only_one(settings):
        check_port(settings)
        own = identity(settings, os.environ)  # before Streamlit changes the working folder
        with shared_footnote() as footnote:
            footnote.answerer_name()  # reports an unusable language model now, not on the page
            if _add_samples(footnote, console):
                threading.Thread(target=_warm, args=(footnote, console), name="warm-up", daemon=True).start()
                with _commands_served(footnote, own, console), _embedded_later(footnote):
                    _streamlit(settings, console)


def check_port(settings: Settings) -> None:
    """Checks that the chat can listen on its port.

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
                f"Port {settings.port} is taken by another program ({error.strerror}). Stop it, or choose another "
                f"port: FOOTNOTE_PORT={settings.port + 1 if settings.port < 65535 else 8501}"  # noqa: PLR2004 - last port
            ) from error


@contextmanager
def _only_one(settings: Settings) -> Iterator[None]:
    """Locks the data folder against a second chat; the lock ends with the process."""
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
                f"Footnote already runs on {settings.data_dir}: {lock.read().strip() or 'it is just starting'}. Use "
                "it, stop it with Ctrl-C, or choose another data folder with FOOTNOTE_DATA_DIR."
            ) from error
        lock.truncate(0)
        lock.write(f"{_url(settings)} (process {os.getpid()})")
        lock.flush()
        yield


def _add_samples(footnote: Footnote, console: Console) -> bool:
    """Adds the sample documents to an empty index. Returns False if the user stopped it."""
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
    """Loads what the first question needs. Errors are only printed, as a question would raise them again."""
    gc.disable()  # it creates a million permanent objects; collecting them took a fifth of the startup
    try:
        footnote.warm()
    except FootnoteError as error:
        console.print(escape(str(error)), style="red")
    finally:
        gc.freeze()
        gc.enable()


@contextmanager
def _commands_served(footnote: Footnote, own: str, console: Console) -> Iterator[None]:
    """Answers `search` and `ask` of other processes; without a socket, these do their work themselves."""
    with ExitStack() as opened:
        try:
            opened.enter_context(LocalService(footnote, footnote.settings.data_dir, own))
        except OSError as error:
            console.print(f"Commands will not use this chat: {escape(error.strerror or str(error))}", style="yellow")
        yield


@contextmanager
def _embedded_later(footnote: Footnote) -> Iterator[None]:
    """Embeds what an interrupted ingest left out, in the background."""
    stop = threading.Event()
    work = threading.Thread(target=embed_leftovers, args=(footnote.library, stop), name="late-embedding", daemon=True)
    work.start()
    try:
        yield
    finally:
        stop.set()
        work.join()


def _streamlit(settings: Settings, console: Console) -> None:
    import streamlit as st  # noqa: PLC0415 - a second of imports, after the checks above
    from starlette.middleware import Middleware  # noqa: PLC0415 - see above

    from app.ui import PageGuard  # noqa: PLC0415 - see above

    options = _dotted(tomllib.loads(STREAMLIT_SETTINGS.read_text(encoding="utf-8"))) | {
        "server.address": settings.host,
        "server.port": settings.port,
        "server.maxUploadSize": settings.max_file_mb,
        "browser.serverAddress": settings.host,
    }
    os.chdir(MAIN.parents[1])  # else Streamlit reads .streamlit/config.toml in the current folder
    app = st.App(MAIN, middleware=[Middleware(PageGuard, hosts=settings.allowed_host_names)])
    console.print(f"Footnote: [bold]{_url(settings)}[/bold]   Ctrl-C stops it.", highlight=False)
    with suppress(KeyboardInterrupt):
        app.run(config=options)


def _dotted(options: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Flattens the tables of a TOML file into dotted option names, such as `theme.light.textColor`."""
    flat: dict[str, Any] = {}
    for name, value in options.items():
        flat |= _dotted(value, f"{prefix}{name}.") if isinstance(value, dict) else {prefix + name: value}
    return flat


def _url(settings: Settings) -> str:
    host = f"[{settings.host}]" if ":" in settings.host else settings.host
    return f"http://{host}:{settings.port}"
