"""Remembers chunks that searches have read."""

from __future__ import annotations

import threading
from collections.abc import Sequence

from ingest.docstore import DocStore
from ingest.models import StoredChunk

# Chunks remembered at most: some 10 MB. A search reads about 130.
MOST = 5_000


class RememberedChunks:
    """The chunks of a collection that can be found, remembered until documents change. Thread-safe.

    Reading them takes a fifth of a warm search.

    Args:
        docstore: the document store.
        collection: the collection's number.
    """

    def __init__(self, docstore: DocStore, collection: int) -> None:
        self._docstore, self._collection = docstore, collection
        self._known: dict[str, StoredChunk] = {}
        self._changes = -1
        self._lock = threading.Lock()

    def get(self, chunk_ids: Sequence[str]) -> dict[str, StoredChunk]:
        """Returns those of `chunk_ids` whose version is active, by id."""
        changes = self._docstore.catalog.changes(self._collection)
        with self._lock:
            if changes != self._changes or len(self._known) > MOST:
                self._known, self._changes = {}, changes
            known = self._known
        if missing := [one for one in chunk_ids if one not in known]:
            known.update(self._docstore.active_chunks(self._collection, missing))
        return {one: known[one] for one in chunk_ids if one in known}
