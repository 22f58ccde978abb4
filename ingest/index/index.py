"""The index of one collection: document store, vectors, text index and embedder.

`ingest.index.writer` modifies it.
"""

from __future__ import annotations

import re
import threading
import uuid
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import TypeVar

import numpy as np

from ingest.docstore import CollectionRow, DocStore, EmbedderRole, EmbedderRow, WriterQueue
from ingest.embedding import Embedder, TokenVectors, query_vector
from ingest.errors import LexicalDamaged, VectorsDamaged
from ingest.filters import Filter
from ingest.index.filtered_search import Choosing
from ingest.index.remembered_chunks import RememberedChunks
from ingest.index.sizes import SIZES, Sizes
from ingest.index.stored_tokens import StoredTokens
from ingest.index.vector_leg import VectorLeg
from ingest.lexical import LexicalStore
from ingest.models import IndexedChunk, Query, SearchHit, StoredChunk
from ingest.settings import Settings
from ingest.vectors import Chroma, VectorStore

T = TypeVar("T")
# A search is repeated at most this often while the collection changes; after that the newest result is returned.
MOST_REPEATS = 5
# Matches the end of the names from `Index.chroma_name`; the group is the collection's uid.
CHROMA_NAME = re.compile(r"-([0-9a-f]{12})-[^-]{12}(?:-\d+)?$")


class Index:
    """One collection, open for searching; `ingest.index.writing` grants write access. Thread-safe.

    Build it with `Index.open`. Changes made by other processes are visible to the next search.
    """

    def __init__(
        self,
        *,
        docstore: DocStore,
        collection: CollectionRow,
        chroma: Chroma,
        lexical: LexicalStore,
        embedder_for: Callable[[str], Embedder],
        new_model: str,
        queue: WriterQueue,
        heal: Callable[[Index], None],
        sizes: Sizes = SIZES,
    ) -> None:
        self.docstore = docstore
        self.collection = collection
        self.chroma = chroma
        self.lexical = lexical
        self.queue = queue
        self.embedder_for = embedder_for
        self._new_model = new_model
        self._heal = heal
        self.sizes = sizes
        self._choosing = Choosing(docstore, collection.id, sizes)
        self._remembered = RememberedChunks(docstore, collection.id)
        self._stores: dict[str, VectorStore] = {}
        self._unchecked_text = self._unchecked_vectors = True
        self._lock = threading.Lock()

    @classmethod
    def open(
        cls,
        settings: Settings,
        docstore: DocStore,
        chroma: Chroma,
        name: str,
        *,
        embedder_for: Callable[[str], Embedder],
        heal: Callable[[Index], None],
        sizes: Sizes = SIZES,
    ) -> Index:
        """Opens a collection; creates it if it does not exist.

        Args:
            settings: paths, and the embedding model of new collections.
            docstore: the document store.
            chroma: the connection to Chroma.
            name: the collection's name.
            embedder_for: returns the embedder for a model name or folder.
            heal: repairs the index; called when a search finds it damaged.
            sizes: batch sizes and thresholds.
        """
        catalog = docstore.catalog
        row = catalog.collection(name) or catalog.create_collection(name, uuid.uuid4().hex[:12])
        return cls(
            docstore=docstore,
            collection=row,
            chroma=chroma,
            lexical=LexicalStore(settings.data_dir / "lexical" / row.uid),
            embedder_for=embedder_for,
            new_model=settings.embedding_model,
            queue=docstore.writer_queue(row.id, settings.data_dir / "run" / f"{row.uid}.writer"),
            heal=heal,
            sizes=sizes,
        )

    # Embedding models

    def embedders(self) -> dict[EmbedderRole, EmbedderRow]:
        """Returns the collection's embedding models, as stored now."""
        return self.docstore.catalog.embedders(self.collection.id)

    @property
    def embedder(self) -> Embedder:
        """Returns the collection's embedding model, or for an empty collection, the one it will get."""
        current = self.embedders().get("current")
        return self.embedder_for(current.model if current else self._new_model)

    def settle_embedder(self) -> None:
        """Assigns the configured embedding model to a collection that has none yet."""
        if "current" not in self.embedders():
            identity = self.embedder.identity
            self.docstore.catalog.add_embedder(
                self.collection.id, "current", identity.model, identity.fingerprint, identity.dimensions
            )

    def leg(self, row: EmbedderRow) -> VectorLeg:
        """Returns the vectors of one of the collection's models."""
        name = self.chroma_name(row)
        facts = {"footnote_collection": self.collection.name, "embedding_model": row.model}
        with self._lock:
            store = self._stores.setdefault(name, VectorStore(self.chroma, name, facts, self.sizes.sync))
        return VectorLeg(row, store, self.embedder_for(row.model))

    def chroma_name(self, row: EmbedderRow) -> str:
        """Returns the name of an embedder's Chroma collection."""
        slug = "".join(c if c.isalnum() and c.isascii() else "-" for c in self.collection.name).strip("-") or "c"
        made_anew = f"-{row.generation}" if row.generation else ""
        return f"{slug[:40]}-{self.collection.uid}-{row.fingerprint[:12]}{made_anew}"

    def strays(self) -> list[str]:
        """Lists Chroma collections of this index that no embedder uses, left by an interrupted change.

        Call it only with write access: another writer may be creating one of them.
        """
        known = {self.chroma_name(row) for row in self.embedders().values()}
        return [
            name
            for name in self.chroma.collections()
            if (found := CHROMA_NAME.search(name)) and found[1] == self.collection.uid and name not in known
        ]

    def count_chunks(self, within: Filter | None = None) -> int:
        """Counts the chunks that a search covers, of the documents `within`; None for all."""
        return self._choosing.chosen(within).chunks if within else self._choosing.count()[0]

    @property
    def is_small(self) -> bool:
        """Returns True if searches score all chunks, from vectors in memory, and do not ask Chroma."""
        return self._choosing.count()[0] <= self.sizes.most_whole

    def count_unembedded(self, within: Filter | None = None) -> int:
        """Counts those of the chunks that a search covers whose vectors are not written yet."""
        return self._choosing.chosen(within).unembedded if within else self._choosing.count()[1]

    # Searching: vector and keyword search share one signature

    def vector_search(self, query: str | Query, k: int, *, within: Filter | None = None) -> list[SearchHit]:
        """Returns the `k` chunks nearest in meaning to `query`; scores are cosine similarities.

        Args:
            query: the question, alone or with earlier questions.
            k: number of results.
            within: documents to search; None for all. It does not change the scores.
        """

        def leg(n: int) -> list[tuple[str, float]]:
            current = self.embedders().get("current")
            if current is None:
                return []
            leg = self.leg(current)
            vector = query_vector(leg.embedder.encode_query, query)
            if self.is_small:
                return self._choosing.exact(leg.store, current, vector, n, self._choosing.chosen(within or Filter()))
            self._check_vectors(leg.store)
            if within:
                return self._choosing.nearest(leg.store, current, vector, n, self._choosing.chosen(within))
            return leg.store.search(vector, n)

        return self._healing(lambda: self._active(leg, k))

    def keyword_search(self, query: str | Query, k: int, *, within: Filter | None = None) -> list[SearchHit]:
        """Returns the `k` chunks with the best BM25 scores for `query`. See `vector_search`."""
        return self._healing(lambda: self._active(lambda n: self._by_words(query, n, within), k))

    def keyword_ids(self, query: str | Query, k: int, *, within: Filter | None = None) -> list[tuple[str, float]]:
        """Returns ids and scores of `keyword_search`, without reading the chunks: some may not be active."""
        return self._healing(lambda: self._by_words(query, k, within))

    def chunks(self, chunk_ids: Sequence[str]) -> dict[str, StoredChunk]:
        """Returns those of `chunk_ids` that can be found, by id."""
        return self._remembered.get(chunk_ids)

    def _by_words(self, query: str | Query, n: int, within: Filter | None) -> list[tuple[str, float]]:
        if not self.lexical.exists and not self.docstore.count_chunks(self.collection.id):
            return []
        return self.lexical.search(query, n, self._choosing.chosen(within).versions if within else None)

    def vector_scores(self, query: str | Query, chunk_ids: Sequence[str]) -> dict[str, float]:
        """Returns the cosine similarity to `query` of those of `chunk_ids` that have a stored vector."""
        current = self.embedders().get("current")
        kept = self.docstore.kept.of_chunks(current.id, chunk_ids) if current else {}
        if current is None or not kept:
            return {}
        cosines = np.stack(list(kept.values())) @ query_vector(self.leg(current).embedder.encode_query, query)
        return dict(zip(kept, cosines.tolist(), strict=True))

    def token_scores(self, query: str | Query, chunk_ids: Sequence[str]) -> dict[str, float]:
        """Scores how well the tokens of each chunk match those of `query` (late interaction).

        Scores are comparable only within one call. Returns {} if the tokens of any chunk have no vectors, because the
        other scores alone give no order, or if the question has no tokens.
        """
        tokens = self._stored_tokens()
        return tokens.scores(query, chunk_ids) if tokens else {}

    def token_vectors(self, chunks: Sequence[IndexedChunk], embedder: Embedder) -> dict[str, TokenVectors]:
        """Returns the stored token vectors of chunks by id, with spans in the chunk's text; only those stored whole.

        Args:
            chunks: the chunks.
            embedder: the model that made them: none are returned if another has replaced it.
        """
        tokens = self._stored_tokens()
        return tokens.vectors(chunks) if tokens and tokens.embedder is embedder else {}

    def _stored_tokens(self) -> StoredTokens | None:
        current = self.embedders().get("current")
        return StoredTokens(self.docstore, current.id, self.leg(current).embedder) if current else None

    def keyword_scores(self, query: str | Query, chunk_ids: Sequence[str]) -> dict[str, float]:
        """Returns the BM25 scores of those of `chunk_ids` that share a term with `query`, as `keyword_search` does."""
        return self._healing(lambda: self.lexical.scores(query, chunk_ids))

    def consistent(self, search: Callable[[], T]) -> T:
        """Repeats a search until no document was added or removed while it ran, so that none is partially visible."""
        for _ in range(MOST_REPEATS):
            before = self.docstore.catalog.changes(self.collection.id)
            found = search()
            if self.docstore.catalog.changes(self.collection.id) == before:
                break
        return found

    def _active(self, leg: Callable[[int], list[tuple[str, float]]], k: int) -> list[SearchHit]:
        """Returns the first `k` results of a leg whose documents are active."""
        n = k
        while True:
            found = leg(n)
            active = self.chunks([chunk_id for chunk_id, _ in found])
            if len(active) >= k or len(found) < n:
                break
            n *= 2
        ranked = [(active[chunk_id], score) for chunk_id, score in found if chunk_id in active][:k]
        return [SearchHit(rank, score, chunk) for rank, (chunk, score) in enumerate(ranked, start=1)]

    def _healing(self, search: Callable[[], T]) -> T:
        """Searches; if the index turns out to be damaged, repairs it and searches again."""
        for _ in range(2):  # the second attempt finds a collection that was just rebuilt or switched
            with suppress(VectorsDamaged, LexicalDamaged):
                self._check_text()
                return search()
        self._heal(self)
        return search()

    def _check_text(self) -> None:
        """On the first search of this process, compares the size of the text index with the document store."""
        if not self._unchecked_text:
            return
        wanted = self.docstore.count_chunks(self.collection.id)
        if wanted and (found := self.lexical.count()) < wanted:
            raise LexicalDamaged(f"{wanted - found} chunks of {self.collection.name!r} are not in the text index.")
        self._unchecked_text = False

    def _check_vectors(self, store: VectorStore) -> None:
        """Before this process asks Chroma for the first time, compares its collection with the document store."""
        if not self._unchecked_vectors:
            return
        wanted = self.docstore.count_embedded(self.collection.id)
        if (found := store.count()) < wanted:
            raise VectorsDamaged(f"{wanted - found} chunks of {self.collection.name!r} have no vector.")
        store.probe(self.docstore.some_chunk_ids(self.collection.id))
        self._unchecked_vectors = False
