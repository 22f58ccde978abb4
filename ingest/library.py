"""Opens the collections of one data folder; adds, removes and lists documents."""

from __future__ import annotations

import shlex
import threading
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import IO, Self

from ingest.docstore import Choices, DocStore
from ingest.embedding import Embedder, OpenEmbedder
from ingest.errors import DocumentStoreError, QuestionError, SourceError
from ingest.filters import Filter, tag_names
from ingest.host import bytes_in, close_to_others
from ingest.index import SIZES, Index, Sizes, writing
from ingest.loaders import LoaderPool, OpenLoaders
from ingest.pipeline import ingest
from ingest.reports import CollectionStatus, DocumentRow, IngestProgress, IngestReport
from ingest.settings import DEFAULT_EMBEDDING_MODEL, Settings, checked_collection
from ingest.sources import Uploads
from ingest.text import matching_names
from ingest.vectors import Chroma

# Contents of a data folder besides Chroma's folder and the text indexes.
DOCUMENTS, CONVERSATIONS, UPLOADS = "footnote.sqlite", "chats.sqlite", "uploads"
# Held by the chat while it runs.
CHAT_LOCK = Path("run") / "chat.lock"


class Library:
    """The collections of one data folder. Opens indexes and models on first use. Thread-safe.

    Args:
        settings: paths and models.
        open_embedder: builds the embedder for a model name; takes the arguments of `Embedder`.
        open_loaders: starts the processes that read files; takes the arguments of `LoaderPool`.
        sizes: batch sizes and thresholds of a collection.

    Attributes:
        docstore: the record of all documents, with their text.

    Raises:
        DocumentStoreError: the data folder cannot be used, or its permissions cannot be restricted.
    """

    def __init__(
        self,
        settings: Settings,
        *,
        open_embedder: OpenEmbedder = Embedder,
        open_loaders: OpenLoaders = LoaderPool,
        sizes: Sizes = SIZES,
    ) -> None:
        self.settings = settings
        self._open_embedder, self._open_loaders, self._sizes = open_embedder, open_loaders, sizes
        self._lock = threading.RLock()
        self._embedders: dict[str, Embedder] = {}
        self._indexes: dict[str, Index] = {}
        self._uploads = Uploads(settings.data_dir / UPLOADS)
        _close_to_others(settings.data_dir)
        self.docstore = DocStore.open(settings.data_dir / DOCUMENTS, sizes.part)
        self.chroma = Chroma.open(settings.data_dir, settings.chroma_url)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the document store and disconnects from the Chroma server; the last process to do so stops it."""
        self.chroma.close()
        self.docstore.close()

    def index(self, collection: str) -> Index:
        """Returns a collection's index; creates it if it does not exist.

        Raises:
            SourceError: the name is not valid for a collection.
        """
        with self._lock:
            if collection not in self._indexes:
                name = checked_collection(collection)
                self._indexes[name] = Index.open(
                    self.settings,
                    self.docstore,
                    self.chroma,
                    name,
                    embedder_for=self._embedder_for,
                    heal=_heal,
                    sizes=self._sizes,
                )
            return self._indexes[collection]

    def existing(self, collection: str | None) -> str:
        """Returns the name of an existing collection; None means the default one, which may be empty.

        Raises:
            SourceError: there is no such collection.
        """
        name = collection or self.settings.collection
        if name != self.settings.collection and self.docstore.catalog.collection(name) is None:
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
        tags: Sequence[str] | None = None,
        follow_links: bool = True,
        on_progress: Callable[[IngestProgress], None] | None = None,
        cancel: threading.Event | None = None,
    ) -> IngestReport:
        """Ingests files and folders into a collection; see `ingest.pipeline.run.ingest`."""
        index = self.index(collection or self.settings.collection)
        return ingest(
            index,
            paths,
            self.settings,
            prune=prune,
            ocr=ocr,
            allow_private=allow_private,
            tags=tags,
            follow_links=follow_links,
            on_progress=on_progress,
            cancel=cancel,
            open_loaders=self._open_loaders,
        )

    def save_upload(self, name: str, data: IO[bytes], *, collection: str | None = None) -> Path:
        """Stores an uploaded file in the data folder under a safe name.

        An upload of the same name replaces the earlier one.
        """
        return self._uploads.save(name, data, checked_collection(collection or self.settings.collection))

    def remove(self, source: str, *, collection: str | None = None) -> int:
        """Removes a document, or all documents of a folder, from a collection; an uploaded file is deleted too.

        Args:
            source: a document's source as ingested, a path to it, or a folder.
            collection: None for the default one.

        Returns:
            The number of documents removed.

        Raises:
            SourceError: the collection holds no such document.
        """
        index = self.index(self.existing(collection))
        sources = self._matching(index, source)
        with writing(index, f"removal of {source}") as writer:
            # Delete files first: an interrupted removal can then be repeated, and leaves no orphaned uploads.
            for one in sources:
                if self._uploads.holds(one):
                    Path(one).unlink(missing_ok=True)
            writer.remove(sources)
        return len(sources)

    def tag(
        self, source: str, *, add: Iterable[str] = (), remove: Iterable[str] = (), collection: str | None = None
    ) -> list[DocumentRow]:
        """Adds tags to a document, or to all documents of a folder, and removes tags from them.

        Returns:
            The documents after the change.

        Raises:
            QuestionError: a tag is invalid, or is both added and removed.
            SourceError: the collection holds no such document.
        """
        index = self.index(self.existing(collection))
        names = tag_names(add), tag_names(remove)
        if both := set(names[0]) & set(names[1]):
            raise QuestionError(f"The tag {min(both)!r} is both added and removed. Choose one.")
        sources = self._matching(index, source)
        index.docstore.tags.change(index.collection.id, sources, *names)
        return self.report(source, collection=collection)

    def check_filter(self, within: Filter | None, *, collection: str | None = None) -> None:
        """Rejects a filter that matches no document of a collection.

        Raises:
            QuestionError: the filter matches nothing.
            SourceError: there is no such collection.
        """
        if within:
            index = self.index(self.existing(collection))
            index.docstore.selection.check(index.collection, within)

    def choices(self, collection: str) -> Choices:
        """Returns the values that a collection's documents can be filtered by; empty if there is no such collection."""
        row = self.docstore.catalog.collection(collection)
        return self.docstore.selection.choices(row.id) if row else Choices()

    def model_note(self, collection: str | None = None) -> str:
        """Explains that the settings name another embedding model than the collection uses; "" if they do not."""
        name, wanted = collection or self.settings.collection, self.settings.embedding_model
        row = self.docstore.catalog.collection(name)
        current = self.docstore.catalog.embedders(row.id).get("current") if row else None
        if not wanted or current is None or current.model == wanted:
            return ""
        option = "" if name == self.settings.collection else f" --collection {shlex.quote(name)}"
        return (
            f"The collection {name!r} was made with the embedding model {current.model} and still uses it, although "
            f"FOOTNOTE_EMBEDDING_MODEL asks for {wanted}. To change the model, run: "
            f"footnote reembed --model {shlex.quote(wanted)}{option}"
        )

    def is_removed(self, source: str, collection: str) -> bool:
        """Returns True if a collection no longer holds any version of a document."""
        return not self.docstore.has_source(collection, source)

    def collections(self) -> list[str]:
        """Returns the names of all collections."""
        return [row.name for row in self.docstore.catalog.collections()]

    def status(self) -> list[CollectionStatus]:
        """Returns a summary of each collection."""
        return [self.docstore.holdings.status(row) for row in self.docstore.catalog.collections()]

    def counts(self, collection: str) -> tuple[int, int]:
        """Returns the numbers of documents and of failed sources; (0, 0) if there is no such collection."""
        row = self.docstore.catalog.collection(collection)
        return self.docstore.holdings.counts(row.id) if row else (0, 0)

    def count_chunks(self, collection: str) -> tuple[int, int]:
        """Returns the numbers of chunks and of those not embedded yet; (0, 0) if there is no such collection."""
        if self.docstore.catalog.collection(collection) is None:
            return 0, 0
        index = self.index(collection)
        return index.count_chunks(), index.count_unembedded()

    def documents(self, collection: str) -> list[DocumentRow]:
        """Returns a collection's documents and failed sources; [] if there is no such collection."""
        row = self.docstore.catalog.collection(collection)
        return self.docstore.holdings.documents(row.id) if row else []

    def report(self, source: str | None = None, *, collection: str | None = None) -> list[DocumentRow]:
        """Reports how documents were read: all of a collection, one, or those in a folder.

        Raises:
            SourceError: there is no such collection, or it holds no such document.
        """
        index = self.index(self.existing(collection))
        rows = index.docstore.holdings.documents(index.collection.id)
        if source is None:
            return rows
        wanted = set(self._matching(index, source))
        return [row for row in rows if row.source in wanted]

    def bytes_on_disk(self) -> int:
        """Returns the size of the data folder in bytes."""
        return bytes_in(self.settings.data_dir)

    def _embedder_for(self, model: str) -> Embedder:
        name = model or DEFAULT_EMBEDDING_MODEL
        # The model name in an index may come from an untrusted archive: only models that the user names are downloaded.
        fetch = name in {DEFAULT_EMBEDDING_MODEL, self.settings.embedding_model}
        device, runtime = self.settings.embedding_device, self.settings.embedding_runtime
        return self._embedders.setdefault(name, self._open_embedder(name, device, fetch=fetch, runtime=runtime))

    def _matching(self, index: Index, source: str) -> list[str]:
        known = index.docstore.sources(index.collection.id)
        found = matching_names(source, known)
        if not found:
            raise SourceError(
                f"The collection {index.collection.name!r} holds no document {source}. "
                "`footnote status` lists what it holds."
            )
        return found


def _heal(index: Index) -> None:
    with writing(index, "recovery of the index") as writer:
        writer.recover()


def _close_to_others(folder: Path) -> None:
    """Restricts the permissions of a data folder that an older version made or that was copied."""
    try:
        close_to_others(folder)
    except OSError as error:
        raise DocumentStoreError(
            f"Other users may read {error.filename or folder}, and its permissions cannot be changed: "
            f"{error.strerror}. Take ownership of it, or set FOOTNOTE_DATA_DIR to a folder of your own."
        ) from error
