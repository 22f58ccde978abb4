"""Writes vectors that an ingest left out, because it was stopped or killed, while a chat runs."""

from __future__ import annotations

import logging
import threading

from ingest.errors import Cancelled, FootnoteError
from ingest.index import writing
from ingest.library import Library

logger = logging.getLogger(__name__)
# Seconds between two looks for texts without vectors.
LOOK_SECONDS = 10.0


def embed_leftovers(library: Library, stop: threading.Event, seconds: float = LOOK_SECONDS) -> None:
    """Embeds the documents of all collections that have no vectors, again and again, while no other process writes.

    Args:
        library: the open data folder.
        stop: ends it.
        seconds: the time between two looks.
    """
    told = ""
    while not stop.wait(seconds):
        for name in library.collections():
            try:
                _embed(library, name, stop)
            except Cancelled:
                return
            except FootnoteError as error:
                if str(error) != told:  # once, not at every look
                    told = str(error)
                    logger.warning("New documents of %r cannot be embedded: %s", name, error)


def _embed(library: Library, name: str, stop: threading.Event) -> None:
    index = library.index(name)
    if index.count_unembedded() and not index.queue.busy():
        with writing(index, "embedding of new documents", cancel=stop) as writer:
            writer.embed(cancel=stop)
