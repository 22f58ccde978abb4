"""Vectors of one collection by one embedder, in Chroma.

If the local server has gone away, it is restarted and the call repeated.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from ingest.errors import VectorsDamaged
from ingest.vectors.client import Chroma, mapped, one_line

if TYPE_CHECKING:
    from chromadb.api.models.Collection import Collection
    from chromadb.api.types import GetResult, QueryResult

T = TypeVar("T")
Place = Mapping[str, str | int]
# Chunks per request to Chroma: 1,000 of 384 dimensions are about 8 MB of JSON; the server's limit is 40 MiB.
WRITE_BATCH = 500
LIST_BATCH = 10_000
# ef_search: number of candidates during a search; more improve recall and cost time.
HNSW: dict[str, Any] = {"space": "cosine", "ef_search": 200}
# Chroma's messages when its files are damaged.
UNREADABLE = ("hnsw segment", "Error finding id", "disk image is malformed", "not a database")
# Its message for a collection that another process is creating or deleting.
HALF_THERE = "Missing metadata segment"
DOCTOR = "`footnote doctor --fix` restores it from the document store."


class VectorStore:
    """The vectors of one collection.

    Args:
        chroma: the connection.
        name: Chroma's name for the collection.
        metadata: facts for other users of the server (collection, model).
        sync: a new collection is written to disk after this many vectors; None for Chroma's default, 1,000.
    """

    def __init__(self, chroma: Chroma, name: str, metadata: Mapping[str, str | int], sync: int | None = None) -> None:
        self.name = name
        self._chroma = chroma
        self._metadata = dict(metadata)
        self._hnsw = HNSW if sync is None else {**HNSW, "sync_threshold": sync}
        self._collection: Collection | None = None

    def create(self) -> None:
        """Creates the collection if it does not exist."""
        configuration: Any = {"hnsw": self._hnsw}
        with mapped(f"make the Chroma collection {self.name}"):
            self._again(
                lambda: self._chroma.client().get_or_create_collection(
                    self.name, metadata=self._metadata, configuration=configuration, embedding_function=None
                )
            )

    def upsert(
        self,
        ids: Sequence[str],
        vectors: NDArray[np.float32],
        texts: Sequence[str],
        places: Sequence[Place],
    ) -> None:
        """Writes chunks, replacing existing ones.

        Args:
            ids: chunk ids.
            vectors: float32 [n, dimensions].
            texts: the chunks' own text.
            places: document, page, heading and offsets of each.
        """
        for part in _parts(len(ids)):

            def write(collection: Collection, part: slice = part) -> None:
                collection.upsert(
                    ids=list(ids[part]),
                    embeddings=vectors[part],
                    documents=list(texts[part]),
                    metadatas=[dict(place) for place in places[part]],
                )

            self._call("write vectors", write)

    def vectors(self, ids: Sequence[str]) -> dict[str, NDArray[np.float32]]:
        """Returns the stored vectors of those `ids` that exist: float32 [dimensions] each."""
        found: dict[str, NDArray[np.float32]] = {}
        for part in _parts(len(ids)):

            def read(collection: Collection, part: slice = part) -> GetResult:
                return collection.get(ids=list(ids[part]), include=["embeddings"])

            got = self._call("read vectors", read)
            rows = got["embeddings"] if got["embeddings"] is not None else []
            found.update((key, np.asarray(row, np.float32)) for key, row in zip(got["ids"], rows, strict=True))
        return found

    def search(self, vector: NDArray[np.float32], k: int) -> list[tuple[str, float]]:
        """Returns the `k` nearest chunks as (id, cosine similarity), best first."""

        def query(collection: Collection) -> QueryResult:
            return collection.query(query_embeddings=vector[None, :], n_results=k, include=["distances"])

        got = self._call("search", query)
        distances = got["distances"][0] if got["distances"] else []
        return [(key, 1.0 - float(distance)) for key, distance in zip(got["ids"][0], distances, strict=True)]

    def delete(self, ids: Sequence[str]) -> None:
        """Deletes chunks; ignores ids that do not exist."""
        for part in _parts(len(ids)):

            def delete(collection: Collection, part: slice = part) -> None:
                collection.delete(ids=list(ids[part]))

            self._call("delete vectors", delete)
        self._chroma.add_deleted(len(ids))

    def ids(self) -> set[str]:
        """Returns all chunk ids in the collection."""
        found: set[str] = set()
        while True:

            def page(collection: Collection) -> list[str]:
                return collection.get(include=[], limit=LIST_BATCH, offset=len(found))["ids"]

            ids = self._call("list vectors", page)
            if not ids:
                return found
            found.update(ids)

    def count(self) -> int:
        """Counts the chunks that have a vector."""
        return int(self._call("count vectors", lambda c: c.count()))

    def probe(self, ids: Sequence[str]) -> None:
        """Checks that sample vectors are readable: Chroma counts chunks even when its vector files are missing.

        Raises:
            VectorsDamaged: one of them is missing or unreadable.
        """
        if len(self.vectors(ids)) < len(ids):
            raise VectorsDamaged(f"Vectors of the Chroma collection {self.name} are missing. {DOCTOR}")

    def drop(self) -> None:
        """Deletes the collection if it exists."""
        self._collection = None
        self._chroma.drop(self.name)

    def _call(self, what: str, work: Callable[[Collection], T]) -> T:
        """Runs `work`; if the server or the collection went away, reopens it and runs `work` once more.

        Raises:
            VectorsDamaged: the collection does not exist, or the server cannot read it.
            VectorStoreError: any other error of Chroma.
        """
        from chromadb.errors import InternalError, NotFoundError  # noqa: PLC0415 - loaded with the client

        with mapped(f"{what} in the Chroma collection {self.name}"):
            try:
                return self._again(lambda: work(self._open()))
            except NotFoundError as error:
                raise VectorsDamaged(f"The Chroma collection {self.name} is missing. {DOCTOR}") from error
            except InternalError as error:
                if any(sign in str(error) for sign in UNREADABLE):
                    raise VectorsDamaged(
                        f"The Chroma collection {self.name} cannot be read: {one_line(error)} {DOCTOR}"
                    ) from error
                raise

    def _again(self, work: Callable[[], T]) -> T:
        import httpx  # noqa: PLC0415 - comes with chromadb
        from chromadb.errors import ChromaError, NotFoundError  # noqa: PLC0415 - loaded with the client

        for wait in (0.0, 0.2, 1.0):
            try:
                return work()
            except NotFoundError:  # another process may have recreated it under the same name
                self._collection = None
            except ChromaError as error:
                if HALF_THERE not in str(error):
                    raise
                self._collection = None
                time.sleep(wait)
            except httpx.TransportError:
                self._collection = None
                self._chroma.reconnect()
                time.sleep(wait)
        return work()

    def _open(self) -> Collection:
        if self._collection is None:
            self._collection = self._chroma.client().get_collection(self.name, embedding_function=None)
        return self._collection


def _parts(n: int) -> Iterator[slice]:
    return (slice(i, i + WRITE_BATCH) for i in range(0, n, WRITE_BATCH))
