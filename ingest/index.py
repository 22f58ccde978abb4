"""The index of one collection: document store, vectors, text index and embedder as one thing.

`ingest.writer` changes it.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Callable

from ingest.docstore import DocStore
from ingest.embedding import Embedder
from ingest.errors import EmbedderMismatch
from ingest.jobs import WriterQueue
from ingest.lexical import LexicalStore
from ingest.models import SearchHit
from ingest.rows import CollectionRow
from ingest.settings import Settings
from ingest.vectors import Chroma, VectorStore


class Index:
    """One collection, open for searching; `ingest.writer.writing` gives the right to change it. Safe between threads.

    Build it with `Index.open`.
    """

    def __init__(
        self,
        *,
        docstore: DocStore,
        collection: CollectionRow,
        chroma: Chroma,
        lexical: LexicalStore,
        embedder: Embedder,
        queue: WriterQueue,
    ) -> None:
        self.docstore = docstore
        self.collection = collection
        self.lexical = lexical
        self.embedder = embedder
        self._chroma = chroma
        self.queue = queue
        self._vectors: VectorStore | None = None
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls,
        settings: Settings,
        docstore: DocStore,
        chroma: Chroma,
        name: str,
        embedder_for: Callable[[str], Embedder],
    ) -> Index:
        """Opens a collection with the embedder it was made with; makes the collection when there is none.

        Args:
            settings: where things lie, and the embedding model asked for.
            docstore: the document store.
            chroma: the connection to Chroma.
            name: the collection's name.
            embedder_for: gives the embedder for a model name or folder.

        Raises:
            EmbedderMismatch: FOOTNOTE_EMBEDDING_MODEL asks for another model than the collection was made with.
        """
        row = docstore.collection(name) or docstore.create_collection(name, uuid.uuid4().hex[:12])
        embedder = embedder_for(_choose_model(row, settings.embedding_model))
        lexical = LexicalStore(settings.data_dir / "lexical" / row.uid)
        queue = docstore.writer_queue(row.id, settings.data_dir / "run" / f"{row.uid}.writer")
        return cls(docstore=docstore, collection=row, chroma=chroma, lexical=lexical, embedder=embedder, queue=queue)

    @property
    def vectors(self) -> VectorStore:
        """The Chroma collection of this collection's embedder. Loads the model to check that it is the same."""
        with self._lock:
            if self._vectors is None:
                self._check_embedder()
                self._vectors = VectorStore(self._chroma, self._chroma_name(), self._facts())
            return self._vectors

    # Searching: both legs share one signature

    def vector_search(self, query: str, k: int) -> list[SearchHit]:
        """The `k` chunks nearest in meaning to `query`; scores are cosine similarities."""
        if not self.collection_row().fingerprint:
            return []
        vector = self.embedder.encode_query(query)
        return self._active(lambda n: self.vectors.search(vector, n), k)

    def keyword_search(self, query: str, k: int) -> list[SearchHit]:
        """The `k` chunks that share the most telling words with `query`; scores are BM25."""
        return self._active(lambda n: self.lexical.search(query, n), k)

    def _active(self, leg: Callable[[int], list[tuple[str, float]]], k: int) -> list[SearchHit]:
        """The first `k` of a leg's results that the document store says are active."""
        n = k
        while True:
            found = leg(n)
            active = self.docstore.active_chunks(self.collection.id, [chunk_id for chunk_id, _ in found])
            if len(active) >= k or len(found) < n:
                break
            n *= 2
        ranked = [(active[chunk_id], score) for chunk_id, score in found if chunk_id in active][:k]
        return [SearchHit(rank, score, chunk) for rank, (chunk, score) in enumerate(ranked, start=1)]

    def collection_row(self) -> CollectionRow:
        """The collection as the document store has it now (another process may have filled it since)."""
        row = self.docstore.collection(self.collection.name)
        if row is not None and row.fingerprint != self.collection.fingerprint:
            self.collection = row
        return self.collection

    def verify(self) -> list[str]:
        """Compares the three stores; one sentence a difference, [] when they agree."""
        active = self.docstore.active_chunk_ids(self.collection.id)
        found = {"text index": self.lexical.ids()}
        if self.collection_row().fingerprint:
            found["vector index"] = self.vectors.ids()
        problems = []
        for leg, ids in found.items():
            if missing := len(active - ids):
                problems.append(f"{missing} chunks are missing from the {leg}")
            if extra := len(ids - active):
                problems.append(f"{extra} chunks in the {leg} belong to no active document")
        return problems

    def _check_embedder(self) -> None:
        row = self.collection_row()
        identity = self.embedder.identity
        if not row.fingerprint:
            self.docstore.set_embedder(row.id, identity.model, identity.fingerprint, identity.dimensions)
            row = self.collection_row()
        if row.fingerprint != identity.fingerprint:
            raise EmbedderMismatch(
                f"The collection {row.name!r} was made with the embedding model {row.embedding_model} "
                f"({row.dimensions} dimensions), but the weights or settings of {identity.model} are not the same. "
                "Put the model back as it was, or ingest the documents into a new collection with --collection NAME."
            )

    def _chroma_name(self) -> str:
        slug = "".join(c if c.isalnum() and c.isascii() else "-" for c in self.collection.name).strip("-") or "c"
        return f"{slug[:40]}-{self.collection.uid}-{self.collection.fingerprint[:12]}"

    def _facts(self) -> dict[str, str | int]:
        return {"footnote_collection": self.collection.name, "embedding_model": self.collection.embedding_model}


def _choose_model(row: CollectionRow, wanted: str) -> str:
    """The model to open a collection with: its own; the one asked for only where it is new or the same."""
    if not row.fingerprint or not wanted or wanted == row.embedding_model:
        return row.embedding_model or wanted
    raise EmbedderMismatch(
        f"The collection {row.name!r} was made with the embedding model {row.embedding_model}, and "
        f"FOOTNOTE_EMBEDDING_MODEL asks for {wanted}. Nothing was changed. Unset it to go on with this collection, or "
        "ingest the documents into a new one: footnote ingest PATH --collection NAME."
    )
