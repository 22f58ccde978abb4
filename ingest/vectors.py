"""Chroma, and nothing but Chroma: client, collections, error mapping.

The vectors of one collection of documents, by one embedder. Spoken to over HTTP, so any number of processes may
use it at once; a local server that has gone away is brought back and the call repeated.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import urlsplit

import numpy as np
from numpy.typing import NDArray

from ingest.chroma_server import ChromaServer
from ingest.errors import VectorStoreError
from ingest.network import bypass_proxy_for_loopback

if TYPE_CHECKING:
    from chromadb.api import ClientAPI
    from chromadb.api.models.Collection import Collection
    from chromadb.api.types import GetResult, QueryResult

T = TypeVar("T")
Place = Mapping[str, str | int]
# Chunks sent to Chroma at once: 1,000 of 384 dimensions are about 8 MB of JSON; the server's limit is 40 MiB.
WRITE_BATCH = 500
LIST_BATCH = 10_000
# Candidates that HNSW keeps while searching; larger finds more of the true neighbours and costs time.
EF_SEARCH = 200


class Chroma:
    """A connection to Chroma, kept by a server of ours or reached at the user's URL.

    Args:
        server: the local server, started at first use; None with `url`.
        url: address of the user's own server.
    """

    def __init__(self, server: ChromaServer | None, url: str = "") -> None:
        self._server = server
        self._url = url
        self._client: ClientAPI | None = None
        self._lock = threading.Lock()

    def client(self) -> ClientAPI:
        """The chromadb client, connected.

        Raises:
            VectorStoreError: no server answers.
        """
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def reconnect(self) -> None:
        """Forgets the client: the next call looks for the server again, and starts it where it is ours."""
        with self._lock:
            self._client = None

    def close(self) -> None:
        """Gives up this process's share in the local server."""
        self.reconnect()
        if self._server:
            self._server.close()

    def _connect(self) -> ClientAPI:
        url = self._server.ensure() if self._server else self._url
        bypass_proxy_for_loopback()
        import chromadb  # noqa: PLC0415 - takes a second; commands that need no vectors do without
        from chromadb.config import Settings  # noqa: PLC0415 - see above

        parts = urlsplit(url)
        secure = parts.scheme == "https"
        with _mapped(f"connect to Chroma at {url}"):
            return chromadb.HttpClient(
                host=parts.hostname or "127.0.0.1",
                port=parts.port or (443 if secure else 8000),
                ssl=secure,
                settings=Settings(anonymized_telemetry=False),
            )


class VectorStore:
    """The vectors of one collection.

    Args:
        chroma: the connection.
        name: Chroma's name for the collection.
        metadata: facts for other readers of the collection (collection, model).
    """

    def __init__(self, chroma: Chroma, name: str, metadata: Mapping[str, str | int]) -> None:
        self.name = name
        self._chroma = chroma
        self._metadata = dict(metadata)
        self._collection: Collection | None = None

    def upsert(
        self,
        ids: Sequence[str],
        vectors: NDArray[np.float32],
        texts: Sequence[str],
        places: Sequence[Place],
    ) -> None:
        """Writes chunks; one that is there already is replaced.

        Args:
            ids: chunk ids.
            vectors: float32 [n, dimensions].
            texts: the chunks' own words.
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
        """The stored vectors of those `ids` that are there: float32 [dimensions] each."""
        found: dict[str, NDArray[np.float32]] = {}
        for part in _parts(len(ids)):

            def read(collection: Collection, part: slice = part) -> GetResult:
                return collection.get(ids=list(ids[part]), include=["embeddings"])

            got = self._call("read vectors", read)
            rows = got["embeddings"] if got["embeddings"] is not None else []
            found.update((key, np.asarray(row, np.float32)) for key, row in zip(got["ids"], rows, strict=True))
        return found

    def search(self, vector: NDArray[np.float32], k: int) -> list[tuple[str, float]]:
        """The `k` nearest chunks as (id, cosine similarity), best first."""

        def query(collection: Collection) -> QueryResult:
            return collection.query(query_embeddings=vector[None, :], n_results=k, include=["distances"])

        got = self._call("search", query)
        distances = got["distances"][0] if got["distances"] else []
        return [(key, 1.0 - float(distance)) for key, distance in zip(got["ids"][0], distances, strict=True)]

    def delete(self, ids: Sequence[str]) -> None:
        """Removes chunks; ids that are not there are no error."""
        for part in _parts(len(ids)):

            def delete(collection: Collection, part: slice = part) -> None:
                collection.delete(ids=list(ids[part]))

            self._call("delete vectors", delete)

    def ids(self) -> set[str]:
        """All chunk ids in the collection."""
        found: set[str] = set()
        while True:

            def page(collection: Collection) -> list[str]:
                return collection.get(include=[], limit=LIST_BATCH, offset=len(found))["ids"]

            ids = self._call("list vectors", page)
            if not ids:
                return found
            found.update(ids)

    def count(self) -> int:
        """How many chunks have a vector."""
        return int(self._call("count vectors", lambda c: c.count()))

    def drop(self) -> None:
        """Deletes the whole collection."""
        with _mapped(f"delete the Chroma collection {self.name}"):
            from chromadb.errors import NotFoundError  # noqa: PLC0415 - loaded with the client

            try:
                self._chroma.client().delete_collection(self.name)
            except NotFoundError:
                return

    def _call(self, what: str, work: Callable[[Collection], T]) -> T:
        """Runs `work`; where the connection was lost, finds or restarts the server and runs it once more."""
        import httpx  # noqa: PLC0415 - comes with chromadb

        with _mapped(f"{what} in the Chroma collection {self.name}"):
            try:
                return work(self._open())
            except httpx.TransportError:
                self._collection = None
                self._chroma.reconnect()
                return work(self._open())

    def _open(self) -> Collection:
        if self._collection is None:
            self._collection = self._chroma.client().get_or_create_collection(
                self.name,
                metadata=self._metadata,
                configuration={"hnsw": {"space": "cosine", "ef_search": EF_SEARCH}},
                embedding_function=None,
            )
        return self._collection


def _parts(n: int) -> Iterator[slice]:
    return (slice(i, i + WRITE_BATCH) for i in range(0, n, WRITE_BATCH))


@contextmanager
def _mapped(what: str) -> Iterator[None]:
    """Turns every error of Chroma and its HTTP client into a VectorStoreError."""
    try:
        yield
    except VectorStoreError:
        raise
    except Exception as error:
        if not _is_chromas(error):
            raise
        raise VectorStoreError(
            f"Could not {what}: {_one_line(error)} Check that the disk has space and that the Chroma server "
            "runs (a local one is started by itself), then try again."
        ) from error


def _is_chromas(error: Exception) -> bool:
    """Whether an error came from chromadb or its HTTP client; it raises ValueError when nothing answers."""
    import httpx  # noqa: PLC0415 - comes with chromadb
    from chromadb.errors import ChromaError  # noqa: PLC0415 - loaded with the client

    return isinstance(error, (ChromaError, httpx.HTTPError, ValueError))


def _one_line(error: Exception) -> str:
    line: Any = (str(error).strip() or type(error).__name__).splitlines()[0]
    return str(line).rstrip(".") + "."
