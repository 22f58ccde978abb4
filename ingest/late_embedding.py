"""Writes vectors that an ingest left out, because it was stopped or killed, while a chat runs."""

from __future__ import annotations

import logging
import threading

from ingest.errors import Cancelled
from ingest.index import Index, writing
from ingest.library import Library

logger = logging.getLogger(__name__)
# Seconds between two looks for texts without vectors.
LOOK_SECONDS = 10.0


def embed_leftovers(library: Library, stop: threading.Event, seconds: float = LOOK_SECONDS) -> None:
    """Embeds the documents of all collections that have no vectors, again and again, while no other process writes.

    What cannot be embedded is tried again when the collection changes.

    Args:
        library: the open data folder.
        stop: ends it.
        seconds: the time between two looks.
    """
    tried: dict[str, int] = {}
    while not stop.wait(seconds):
        try:
            for name in library.collections():
                index = library.index(name)
                if index.count_unembedded() and tried.get(name) != _changes(index) and not index.queue.busy():
                    tried[name] = _changes(index)
                    _embed(index, stop)
                    tried[name] = _changes(index)
        except Cancelled:
            return
        except Exception:  # the next look may succeed, and the chat goes on
            logger.exception("New documents cannot be embedded now")


def _embed(index: Index, stop: threading.Event) -> None:
    with writing(index, "embedding of new documents", cancel=stop) as writer:
        writer.embed(cancel=stop)


def _changes(index: Index) -> int:
    return index.docstore.catalog.changes(index.collection.id)
