"""Searches and asks through the running chat of the data folder; without one, by opening the folder itself."""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterator
from contextlib import ExitStack, closing, contextmanager
from typing import TYPE_CHECKING, TypeVar

import typer

from app.cancellation import CancelToken
from app.local_service import LocalClient, NotServed, Questions, identity
from app.models import Event, SearchResult
from ingest.cli import library_opener
from ingest.filters import Filter
from ingest.settings import Settings, load_settings

if TYPE_CHECKING:  # not imported where a running chat does the work
    from app.footnote import Footnote

T = TypeVar("T")


@contextmanager
def chat_or_own(context: typer.Context) -> Iterator[ChatOrOwn]:
    """Yields what answers the questions of a command, and closes it.

    A caller's own library (see `library_opener`) is used without asking a running chat.
    """
    settings = load_settings()

    client = None if context.obj else _client(settings)
    with ExitStack() as opened:
        yield ChatOrOwn(client, lambda collection: opened.enter_context(_open_own(context, settings, collection)))


class ChatOrOwn:
    """The `Questions` of a command. Opens the data folder once no running chat takes a call.

    Args:
        client: asks the running chat; None if there is none.
        open_own: opens the data folder for a collection; called at most once.
    """

    def __init__(self, client: Questions | None, open_own: Callable[[str | None], Questions]) -> None:
        self._chat, self._open_own = client, open_own
        self._opened: Questions | None = None

    def model_note(self, collection: str | None = None) -> str:
        """Returns `Footnote.model_note`."""
        return self._first(collection, lambda one: one.model_note(collection))

    def check_filter(self, within: Filter | None, *, collection: str | None = None) -> None:
        """Calls `Footnote.check_filter`."""
        self._first(collection, lambda one: one.check_filter(within, collection=collection))

    def retrieve(
        self, question: str, k: int, *, collection: str | None = None, within: Filter | None = None
    ) -> SearchResult:
        """Returns `Footnote.retrieve`."""
        return self._first(collection, lambda one: one.retrieve(question, k, collection=collection, within=within))

    def ask(
        self,
        question: str,
        *,
        collection: str | None = None,
        k: int | None = None,
        within: Filter | None = None,
        cancel: CancelToken | None = None,
    ) -> Generator[Event, None, None]:
        """Yields the events of `Footnote.ask`."""

        def events(one: Questions) -> Generator[Event, None, None]:
            return one.ask(question, collection=collection, k=k, within=within, cancel=cancel)

        if self._chat:
            try:
                with closing(events(self._chat)) as said:
                    yield from said
            except NotServed:  # before the first event
                self._chat = None
            else:
                return
        with closing(events(self._own(collection))) as said:
            yield from said

    def _first(self, collection: str | None, call: Callable[[Questions], T]) -> T:
        if self._chat:
            try:
                return call(self._chat)
            except NotServed:
                self._chat = None
        return call(self._own(collection))

    def _own(self, collection: str | None) -> Questions:
        if self._opened is None:
            self._opened = self._open_own(collection)
        return self._opened


def _open_own(context: typer.Context, settings: Settings, collection: str | None) -> Footnote:
    """Opens the data folder; its model and the Chroma server are loaded while the rest is imported."""
    from ingest.search_preparation import prepare_search  # noqa: PLC0415 - see below

    library = library_opener(context)(settings)
    try:
        prepare_search(library, collection)
        from app.bootstrap import open_footnote  # noqa: PLC0415 - half a second, not needed with a running chat

        return open_footnote(settings, lambda _settings: library)
    except BaseException:
        library.close()
        raise


def _client(settings: Settings) -> LocalClient | None:
    """Returns a client of the data folder's running chat; None if there is none."""
    if not LocalClient.is_possible(settings.data_dir):
        return None
    return LocalClient(settings.data_dir, identity(settings, os.environ))
