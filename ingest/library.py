"""The collections of one data folder: opens the stores, adds and removes documents, says what is there."""

from __future__ import annotations

import os
import re
import shutil
import threading
import unicodedata
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType
from typing import IO, Self

from ingest.chroma_server import ChromaServer
from ingest.docstore import DocStore
from ingest.embedding import Embedder
from ingest.errors import SourceError
from ingest.index import Index
from ingest.models import CollectionStatus, DocumentRow, IngestProgress, IngestReport
from ingest.network import is_url
from ingest.pipeline import ingest
from ingest.settings import COLLECTION_PATTERN, DEFAULT_EMBEDDING_MODEL, Settings
from ingest.vectors import Chroma
from ingest.writer import writing

# File systems take 255 bytes for a name; the suffix of a file half written must still fit.
MOST_NAME_BYTES = 200


class Library:
    """The collections of one data folder; indexes and models are opened at first use. Thread-safe.

    Args:
        settings: where things lie and which models to use.

    Raises:
        DocumentStoreError: the data folder cannot be used.
    """

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self._lock = threading.RLock()
        self._embedders: dict[str, Embedder] = {}
        self._indexes: dict[str, Index] = {}
        self._uploads = settings.data_dir / "uploads"
        self._docstore = DocStore.open(settings.data_dir / "footnote.sqlite")
        self._chroma = _chroma(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Lets go of the Chroma server; the last process to do so stops it."""
        self._chroma.close()

    def index(self, collection: str) -> Index:
        """A collection's index, made where there is none.

        Raises:
            SourceError: the name cannot be a collection's.
            EmbedderMismatch: the settings ask for another embedding model than the collection was made with.
        """
        with self._lock:
            if collection not in self._indexes:
                name = _checked_name(collection)
                self._indexes[name] = Index.open(self.settings, self._docstore, self._chroma, name, self._embedder_for)
            return self._indexes[collection]

    def existing(self, collection: str | None) -> str:
        """The name of a collection that is there; None means the default one, which counts as there even if empty.

        Raises:
            SourceError: there is no such collection.
        """
        name = collection or self.settings.collection
        if name != self.settings.collection and self._docstore.collection(name) is None:
            known = ", ".join(self.collections()) or "none yet"
            raise SourceError(f"There is no collection {name!r}. Collections: {known}.")
        return name

    def ingest(
        self,
        paths: Sequence[Path | str],
        *,
        collection: str | None = None,
        prune: bool = False,
        ocr: bool | None = None,
        allow_private: bool | None = None,
        on_progress: Callable[[IngestProgress], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> IngestReport:
        """Brings a collection up to date with files and folders; see `ingest.pipeline.ingest`."""
        index = self.index(collection or self.settings.collection)
        return ingest(
            index,
            paths,
            self.settings,
            prune=prune,
            ocr=ocr,
            allow_private=allow_private,
            on_progress=on_progress,
            cancel=cancel,
        )

    def save_upload(self, name: str, data: IO[bytes], *, collection: str | None = None) -> Path:
        """Keeps an uploaded file in the data folder, under a name that is safe there.

        An upload of the same name replaces the earlier one, as saving an edited file does.
        """
        folder = self._uploads / _checked_name(collection or self.settings.collection)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / safe_name(name)
        partial = path.with_name(f".{path.name}.{threading.get_ident()}.partial")
        with partial.open("wb") as file:
            shutil.copyfileobj(data, file)
        partial.replace(path)
        return path

    def remove(self, source: str, *, collection: str | None = None) -> int:
        """Removes a document, or all documents of a folder, from a collection; an uploaded file is deleted too.

        Args:
            source: a document as it was ingested, a path to it, or a folder of some.
            collection: None for the default one.

        Returns:
            How many documents were removed.

        Raises:
            SourceError: the collection holds no such document.
        """
        index = self.index(self.existing(collection))
        sources = self._matching(index, source)
        with writing(index, f"removal of {source}") as writer:
            writer.remove(sources)
        for one in sources:
            if Path(one).is_relative_to(self._uploads):
                Path(one).unlink(missing_ok=True)
        return len(sources)

    def collections(self) -> list[str]:
        """Names of all collections."""
        return [row.name for row in self._docstore.collections()]

    def status(self) -> list[CollectionStatus]:
        """What each collection holds."""
        return [self._docstore.status(row) for row in self._docstore.collections()]

    def documents(self, collection: str) -> list[DocumentRow]:
        """The documents of a collection, and the sources that failed; [] where there is no such collection."""
        row = self._docstore.collection(collection)
        return self._docstore.documents(row.id) if row else []

    def report(self, source: str | None = None, *, collection: str | None = None) -> list[DocumentRow]:
        """How documents were read: those of a collection, one of them, or those in a folder.

        Raises:
            SourceError: there is no such collection, or it holds no such document.
        """
        index = self.index(self.existing(collection))
        rows = index.docstore.documents(index.collection.id)
        if source is None:
            return rows
        wanted = set(self._matching(index, source))
        return [row for row in rows if row.source in wanted]

    def bytes_on_disk(self) -> int:
        """Size of all that the data folder holds, in bytes."""
        sizes = (_size(Path(folder) / name) for folder, _, names in os.walk(self.settings.data_dir) for name in names)
        return sum(sizes)

    def _embedder_for(self, model: str) -> Embedder:
        name = model or DEFAULT_EMBEDDING_MODEL
        return self._embedders.setdefault(name, Embedder(name, self.settings.embedding_device))

    def _matching(self, index: Index, source: str) -> list[str]:
        known = index.docstore.sources(index.collection.id)
        absolute = os.path.abspath(source)  # noqa: PTH100 - links stay as the user wrote them
        exact = [one for one in known if one in {source, absolute}]
        folder = source.rstrip("/") + "/" if is_url(source) else absolute.rstrip(os.sep) + os.sep
        found = exact or [one for one in known if one.startswith(folder)]
        if not found:
            raise SourceError(
                f"The collection {index.collection.name!r} holds no document {source}. "
                "`footnote status` lists what it holds."
            )
        return found


def safe_name(name: str) -> str:
    """A file name that cannot leave its folder: no separators, no control characters, not hidden, not too long."""
    name = unicodedata.normalize("NFC", name.replace("\\", "/").rsplit("/", 1)[-1])
    name = "".join("_" if unicodedata.category(c) in {"Cc", "Cs"} else c for c in name).strip(". ") or "upload"
    stem, suffix = os.path.splitext(name)  # noqa: PTH122 - a name, not a path
    suffix = suffix.encode()[:MOST_NAME_BYTES].decode(errors="ignore")
    room = MOST_NAME_BYTES - len(suffix.encode())
    return stem.encode()[:room].decode(errors="ignore") + suffix


def _chroma(settings: Settings) -> Chroma:
    if settings.chroma_url:
        return Chroma(None, settings.chroma_url)
    return Chroma(ChromaServer(settings.data_dir / "chroma", settings.data_dir / "run"))


def _checked_name(collection: str) -> str:
    if not re.match(COLLECTION_PATTERN, collection):
        raise SourceError(
            f"{collection!r} cannot be the name of a collection: use 1 to 63 letters, digits, spaces, dots, dashes "
            "and underscores, the first a letter or digit."
        )
    return collection


def _size(path: Path) -> int:
    try:
        return path.lstat().st_size
    except OSError:  # gone since the folder was listed
        return 0
