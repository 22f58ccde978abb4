"""Loads what the first search of a process needs while the process imports the rest of the application."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import suppress

from ingest.errors import FootnoteError
from ingest.library import Library


def prepare_search(library: Library, collection: str | None = None) -> None:
    """Begins to load a collection's embedding model in the background, and to start the Chroma server if it is needed.

    Does nothing if the collection is empty. Errors are left to the search, which makes the same calls.

    Args:
        library: the open data folder.
        collection: None for the default one.
    """
    name, catalog = collection or library.settings.collection, library.docstore.catalog
    row = catalog.collection(name)
    if row is None or "current" not in catalog.embedders(row.id):
        return
    index = library.index(name)
    calls = [index.embedder.load] if index.is_small else [index.embedder.load, library.chroma.client]
    for call in calls:
        threading.Thread(target=_tried, args=(call,), name="prepare-search", daemon=True).start()


def _tried(call: Callable[[], object]) -> None:
    with suppress(FootnoteError):
        call()
