"""The collections of one data folder: opens the stores, adds and removes documents, says what is there."""

from __future__ import annotations

import re
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
from ingest.models import CollectionStatus, DocumentRow, IngestProgress, IngestReport
from ingest.pipeline import ingest
from ingest.settings import COLLECTION_PATTERN, DEFAULT_EMBEDDING_MODEL, Settings
from ingest.sources import Uploads
from ingest.text import matching_names
from ingest.vectors import Chroma, ChromaServer

# What a data folder holds besides the folders of Chroma and of the text indexes.
DOCUMENTS, CONVERSATIONS, UPLOADS = "footnote.sqlite", "chats.sqlite", "uploads"
# Held by the chat for as long as it runs.
CHAT_LOCK = Path("run") / "chat.lock"


class Library:
    """The collections of one data folder; indexes and models are opened at first use. Thread-safe.

    Args:
        settings: where things lie and which models to use.
        open_embedder: builds the embedding model of a name; takes what `Embedder` takes.
        open_loaders: starts the processes that read files; takes what `LoaderPool` takes.
        sizes: by which the work on a collection is divided.

    Raises:
        DocumentStoreError: the data folder cannot be used, or not be closed to other users.
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
        self._docstore = DocStore.open(settings.data_dir / DOCUMENTS, sizes.part)
        self.chroma = _chroma(settings)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Closes the document store and lets go of the Chroma server; the last process to do so stops it."""
        self.chroma.close()
        self._docstore.close()

    def index(self, collection: str) -> Index:
        """A collection's index, made where there is none.

        Raises:
            SourceError: the name cannot be a collection's.
        """
        with self._lock:
            if collection not in self._indexes:
                name = _checked_name(collection)
                self._indexes[name] = Index.open(
                    self.settings,
                    self._docstore,
                    self.chroma,
                    name,
                    embedder_for=self._embedder_for,
                    heal=_heal,
                    sizes=self._sizes,
                )
            return self._indexes[collection]

    def existing(self, collection: str | None) -> str:
        """The name of a collection that is there; None means the default one, which counts as there even if empty.

        Raises:
            SourceError: there is no such collection.
        """
        name = collection or self.settings.collection
        if name != self.settings.collection and self._docstore.catalog.collection(name) is None:
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
        """Brings a collection up to date with files and folders; see `ingest.pipeline.run.ingest`."""
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
        """Keeps an uploaded file in the data folder, under a name that is safe there.

        An upload of the same name replaces the earlier one, as saving an edited file does.
        """
        return self._uploads.save(name, data, _checked_name(collection or self.settings.collection))

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
            # First: a removal that is cut off after it can be asked for again, and leaves no file that nothing names.
            for one in sources:
                if self._uploads.holds(one):
                    Path(one).unlink(missing_ok=True)
            writer.remove(sources)
        return len(sources)

    def tag(
        self, source: str, *, add: Iterable[str] = (), remove: Iterable[str] = (), collection: str | None = None
    ) -> list[DocumentRow]:
        """Gives tags to a document, or to all documents of a folder, or takes some from them.

        Returns:
            The documents as they are now.

        Raises:
            QuestionError: a tag cannot be one, or is named twice.
            SourceError: the collection holds no such document.
        """
        index = self.index(self.existing(collection))
        names = tag_names(add), tag_names(remove)
        if both := set(names[0]) & set(names[1]):
            raise QuestionError(f"The tag {min(both)!r} is both to be added and to be removed. Say one of them.")
        sources = self._matching(index, source)
        index.docstore.tags.change(index.collection.id, sources, *names)
        return self.report(source, collection=collection)

    def check_filter(self, within: Filter | None, *, collection: str | None = None) -> None:
        """Refuses a filter that lets no document of a collection through.

        Raises:
            QuestionError: it does.
            SourceError: there is no such collection.
        """
        if within:
            index = self.index(self.existing(collection))
            index.docstore.selection.check(index.collection, within)

    def choices(self, collection: str) -> Choices:
        """What the documents of a collection can be filtered by; nothing where there is no such collection."""
        row = self._docstore.catalog.collection(collection)
        return self._docstore.selection.choices(row.id) if row else Choices()

    def model_note(self, collection: str | None = None) -> str:
        """What to know where the settings ask for another embedding model than a collection has; "" where not."""
        name, wanted = collection or self.settings.collection, self.settings.embedding_model
        row = self._docstore.catalog.collection(name)
        current = self._docstore.catalog.embedders(row.id).get("current") if row else None
        if not wanted or current is None or current.model == wanted:
            return ""
        option = "" if name == self.settings.collection else f" --collection {shlex.quote(name)}"
        return (
            f"The collection {name!r} was made with the embedding model {current.model} and goes on with it, although "
            f"FOOTNOTE_EMBEDDING_MODEL asks for {wanted}. To change over, run: "
            f"footnote reembed --model {shlex.quote(wanted)}{option}"
        )

    def is_removed(self, source: str, collection: str) -> bool:
        """Whether a collection holds no version of a document any more."""
        return not self._docstore.has_source(collection, source)

    def collections(self) -> list[str]:
        """Names of all collections."""
        return [row.name for row in self._docstore.catalog.collections()]

    def status(self) -> list[CollectionStatus]:
        """What each collection holds."""
        return [self._docstore.holdings.status(row) for row in self._docstore.catalog.collections()]

    def counts(self, collection: str) -> tuple[int, int]:
        """How many documents a collection holds, and how many sources failed; (0, 0) where there is none."""
        row = self._docstore.catalog.collection(collection)
        return self._docstore.holdings.counts(row.id) if row else (0, 0)

    def documents(self, collection: str) -> list[DocumentRow]:
        """The documents of a collection, and the sources that failed; [] where there is no such collection."""
        row = self._docstore.catalog.collection(collection)
        return self._docstore.holdings.documents(row.id) if row else []

    def report(self, source: str | None = None, *, collection: str | None = None) -> list[DocumentRow]:
        """How documents were read: those of a collection, one of them, or those in a folder.

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
        """Size of all that the data folder holds, in bytes."""
        return bytes_in(self.settings.data_dir)

    def _embedder_for(self, model: str) -> Embedder:
        name = model or DEFAULT_EMBEDDING_MODEL
        # What an index says may come from an archive of anyone's: only what the user names is fetched from a hub.
        fetch = name in {DEFAULT_EMBEDDING_MODEL, self.settings.embedding_model}
        return self._embedders.setdefault(name, self._open_embedder(name, self.settings.embedding_device, fetch=fetch))

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
    """Takes a data folder from an older Footnote, or one that was copied, from the other users of the machine."""
    try:
        close_to_others(folder)
    except OSError as error:
        raise DocumentStoreError(
            f"Other users may read {error.filename or folder}, and that cannot be changed: {error.strerror}. Make it "
            "yours, or set FOOTNOTE_DATA_DIR to a folder of your own."
        ) from error


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
