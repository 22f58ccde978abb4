"""Connects to Chroma and maps its errors.

Connections use HTTP, so any number of processes may use it at once.
"""

from __future__ import annotations

import sys
import threading
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, nullcontext, suppress
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Self, cast
from urllib.parse import urlsplit

from ingest.errors import VectorStoreError
from ingest.urls import bypass_proxy_for_loopback, masked
from ingest.vectors.run_folder import ServerState
from ingest.vectors.server import ChromaServer

if TYPE_CHECKING:
    from chromadb.api.client import Client


class _WithoutDotEnv(MetaPathFinder):
    """Keeps chromadb from reading settings, including where to send traces, from a .env in the working folder.

    chromadb reads it at import, so its settings class is changed as soon as it is defined.
    """

    def find_spec(self, name: str, path: Sequence[str] | None, target: ModuleType | None = None) -> ModuleSpec | None:
        spec = PathFinder.find_spec(name, path, target) if name == "chromadb.config" else None
        if spec is None or spec.loader is None:
            return None
        load = spec.loader.exec_module

        def exec_module(module: ModuleType) -> None:
            load(module)
            module.Settings.model_config["env_file"] = None

        spec.loader.exec_module = exec_module  # type: ignore[method-assign]
        return spec


sys.meta_path.insert(0, _WithoutDotEnv())
LIST_PAGE = 100
# Count of deleted chunks for a dropped collection: large enough to always trigger compaction.
DROPPED = 1_000_000


class Chroma:
    """A connection to Chroma, on the local server or at the user's URL.

    Args:
        server: the local server, started on first use; None if `url` is given.
        url: address of the user's own server.
    """

    def __init__(self, server: ChromaServer | None, url: str = "") -> None:
        self._server = server
        self._url = url
        self._client: Client | None = None
        self._lock = threading.Lock()

    @classmethod
    def open(cls, data_dir: Path, url: str = "") -> Self:
        """Returns the connection of a data folder: to the user's server, or without one to the folder's own."""
        return cls(None, url) if url else cls(ChromaServer(data_dir / "chroma", data_dir / "run"))

    def client(self) -> Client:
        """Returns the connected chromadb client.

        Raises:
            VectorStoreError: the server does not answer.
        """
        with self._lock:
            if self._client is None:
                self._client = self._connect()
            return self._client

    def reconnect(self) -> None:
        """Drops the client: the next call looks for the server again, and starts it if it is the local one.

        Its connections stay open until nobody uses it: other threads may be waiting for answers.
        """
        self._drop_client()

    @property
    def folder(self) -> Path | None:
        """Returns the data folder of the local server; None for a user's server."""
        return self._server.folder if self._server else None

    @contextmanager
    def stopped(self) -> Iterator[None]:
        """Stops the local server for the duration of the block. Raises as `ChromaServer.stopped` does."""
        self.reconnect()
        with self._server.stopped() if self._server else nullcontext():
            yield

    def collections(self) -> list[str]:
        """Returns the names of all collections on the server."""
        with mapped("list the Chroma collections"):
            found: list[str] = []
            while page := self.client().list_collections(limit=LIST_PAGE, offset=len(found)):
                found += [one.name for one in page]
            return found

    def drop(self, name: str) -> None:
        """Deletes a collection if it exists."""
        with mapped(f"delete the Chroma collection {name}"):
            from chromadb.errors import NotFoundError  # noqa: PLC0415 - loaded with the client

            with suppress(NotFoundError):
                self.client().delete_collection(name)
                self.add_deleted(DROPPED)

    def add_deleted(self, chunks: int) -> None:
        """Records the number of chunks deleted from the local server, so that it reclaims their space."""
        if self._server:
            self._server.add_deleted(chunks)

    def compaction_error(self) -> str:
        """Returns why deleted data is still in the local server's files; "" if nothing failed."""
        return self._server.compaction_error() if self._server else ""

    def open_reason(self) -> str:
        """Returns why other users can reach the local server; "" if they cannot, or it has not run yet."""
        return self._server.open_reason() if self._server else ""

    def compact(self) -> None:
        """Removes deleted data from the local server's files. Raises as `ChromaServer.compact` does."""
        self.reconnect()
        if self._server:
            self._server.compact()

    def close(self) -> None:
        """Closes all connections, and ends this process's use of the local server."""
        client = self._drop_client()
        if client is not None:
            _close_connections(client)
        if self._server:
            self._server.close()

    def _drop_client(self) -> Client | None:
        with self._lock:
            client, self._client = self._client, None
        if client is not None:
            _release(client)
        return client

    def _connect(self) -> Client:
        state = self._started(self._server) if self._server else None
        if self._server and state and state.closed:
            from ingest.vectors.transport import handed_out_client  # noqa: PLC0415 - loads chromadb, see below

            with mapped(f"connect to the Chroma server of {self._server.folder}"):
                return handed_out_client(self._server.run_dir, state.port)
        url = state.url if state else self._url
        bypass_proxy_for_loopback()
        import chromadb  # noqa: PLC0415 - takes a second; only for commands that need vectors
        from chromadb.config import Settings  # noqa: PLC0415 - see above

        parts = urlsplit(url)
        secure = parts.scheme == "https"
        with mapped(f"connect to Chroma at {masked(url)}"):
            client = chromadb.HttpClient(
                host=parts.hostname or "127.0.0.1",
                port=parts.port or (443 if secure else 8000),
                ssl=secure,
                settings=Settings(anonymized_telemetry=False),
            )
            return cast("Client", client)

    @staticmethod
    def _started(server: ChromaServer) -> ServerState:
        """Returns the state of the local server; imports chromadb while it starts, as each takes most of a second."""
        with ThreadPoolExecutor(1, thread_name_prefix="chroma-start") as pool:
            starting = pool.submit(server.ensure)
            import chromadb.api.client  # noqa: F401, PLC0415 - see above

            return starting.result()


@contextmanager
def mapped(what: str) -> Iterator[None]:
    """Maps all errors of Chroma and its HTTP client to VectorStoreError."""
    try:
        yield
    except VectorStoreError:
        raise
    except Exception as error:
        if not _is_chromas(error):
            raise
        raise VectorStoreError(
            f"Could not {what}: {one_line(error)} Check that the disk has space and that the Chroma server "
            "runs (a local one starts automatically), then try again. `footnote doctor` reports what is broken."
        ) from error


def _is_chromas(error: Exception) -> bool:
    """Returns True if an error came from chromadb or its HTTP client; it raises ValueError if nothing answers."""
    import httpx  # noqa: PLC0415 - comes with chromadb
    from chromadb.errors import ChromaError  # noqa: PLC0415 - loaded with the client

    return isinstance(error, (ChromaError, httpx.HTTPError, ValueError))


def one_line(error: Exception) -> str:
    """Returns the first line of an error's message, as a sentence."""
    line: Any = (str(error).strip() or type(error).__name__).splitlines()[0]
    return str(line).rstrip(".") + "."


def _release(client: Client) -> None:
    """Closes a client. chromadb 1.5.9 registers a client's system twice and releases it once."""
    from chromadb.api.shared_system_client import SharedSystemClient  # noqa: PLC0415 - loaded with the client

    system = client._system  # noqa: SLF001 - see above
    client.close()
    registered = SharedSystemClient._identifier_to_system  # noqa: SLF001 - see above
    for name in [name for name, one in registered.copy().items() if one is system]:
        registered.pop(name, None)


def _close_connections(client: Client) -> None:
    """Closes the sessions of a client and of its admin client, which chromadb 1.5.9 leaves open."""
    for one in (client, client._admin_client):  # noqa: SLF001 - see above
        cast("Any", one)._server._session.close()  # noqa: SLF001 - see above
