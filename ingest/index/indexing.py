"""Copies chunks from the document store into the text index and the vectors.

The steps are the same for a new document, a repair, and a change of embedding model.
"""

from __future__ import annotations

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from functools import lru_cache
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.docstore import DocStore
from ingest.embedding import packed
from ingest.host import check_cancelled
from ingest.index.vector_leg import VectorLeg
from ingest.lexical import LexicalEntry, LexicalWriter
from ingest.models import IndexedChunk

# Texts given to the model at once, whose vectors are written in one batch: several hundred, because threads are idle at
# the end of each.
EMBED_BATCH = 256


def parts(docstore: DocStore, chunk_ids: Iterable[str], cancel: threading.Event | None) -> Iterator[list[IndexedChunk]]:
    """Yields chunks by their ids, in parts that fit in memory.

    Raises:
        Cancelled: `cancel` was set when the next part was requested.
    """
    for part in docstore.in_parts(chunk_ids):
        check_cancelled(cancel)
        yield part


def write_text(lexical: LexicalWriter, chunks: Sequence[IndexedChunk]) -> None:
    """Adds chunks to the text index; the caller commits."""
    lexical.add(
        [LexicalEntry(c.chunk.id, c.chunk.version_id, c.chunk.text, c.context, _name(c.chunk.source)) for c in chunks]
    )


@lru_cache(64)
def _name(source: str) -> str:
    """Returns the searched name of a document: its file and folder."""
    return " ".join(Path(source).parts[-2:])


def write_vectors(
    docstore: DocStore,
    leg: VectorLeg,
    chunks: Iterable[Sequence[IndexedChunk]],
    on_written: Callable[[int, int], None] | None = None,
    cancel: threading.Event | None = None,
) -> int:
    """Writes the vectors of chunks. Equal texts have equal vectors, so texts embedded before are not embedded again.

    While the model embeds some, those before are stored.

    Args:
        docstore: caches vectors.
        leg: the embedding model and its Chroma collection.
        chunks: chunks of the collection, in parts.
        on_written: called with the numbers of further chunks whose vectors were written and of texts embedded for them.
        cancel: stops between two texts.

    Returns:
        The number of texts that the model embedded.

    Raises:
        Cancelled: `cancel` was set; finished vectors are kept.
    """
    embedded = 0
    storing = deque[tuple[int, int, Future[None]]]()
    before: dict[bytes, NDArray[np.float32]] = {}

    def finish() -> None:
        written, made, stored = storing.popleft()
        stored.result()
        if on_written:
            on_written(written, made)

    with ThreadPoolExecutor(1, thread_name_prefix="vectors") as pool:
        for part in (some[i : i + EMBED_BATCH] for some in chunks for i in range(0, len(some), EMBED_BATCH)):
            if cancel and cancel.is_set():
                break
            keys = {one.embed_key for one in part}
            vectors = {key: before[key] for key in keys & before.keys()}
            vectors |= docstore.kept.get(leg.row.id, list(keys - vectors.keys()))
            missing = {one.embed_key: one.embedded_text for one in part if one.embed_key not in vectors}
            before, tokens = _embedded(leg, missing, cancel)
            embedded += len(before)
            vectors |= before
            done = [one for one in part if one.embed_key in vectors]
            if storing:
                finish()
            storing.append((len(done), len(before), pool.submit(_store, docstore, leg, done, vectors, tokens)))
        while storing:
            finish()
    check_cancelled(cancel)
    return embedded


def _store(
    docstore: DocStore,
    leg: VectorLeg,
    chunks: Sequence[IndexedChunk],
    vectors: Mapping[bytes, NDArray[np.float32]],
    tokens: Mapping[bytes, tuple[bytes, bytes]],
) -> None:
    """Stores the vectors of chunks; those of texts in `tokens` are new and stored in the document store too."""
    docstore.kept.put(leg.row.id, {key: vectors[key] for key in tokens}, tokens)
    if chunks:
        leg.store.upsert(
            [one.chunk.id for one in chunks],
            np.stack([vectors[one.embed_key] for one in chunks]),
            [one.chunk.text for one in chunks],
            [_place(one) for one in chunks],
        )


def write_tokens(docstore: DocStore, leg: VectorLeg, chunks: Sequence[IndexedChunk]) -> None:
    """Stores missing token vectors of chunks that have a vector: older versions stored no token vectors."""
    texts = [*{one.embed_key: one.embedded_text for one in chunks}.items()]
    for i in range(0, len(texts), EMBED_BATCH):
        _, tokens = _embedded(leg, dict(texts[i : i + EMBED_BATCH]))
        docstore.kept.put(leg.row.id, {}, tokens)


def _embedded(
    leg: VectorLeg, texts: Mapping[bytes, str], cancel: threading.Event | None = None
) -> tuple[dict[bytes, NDArray[np.float32]], dict[bytes, tuple[bytes, bytes]]]:
    """Returns the vectors of texts, and those of content tokens and others, by the texts' keys; fewer if cancelled."""
    keys = list(texts)
    vectors, tokens = dict[bytes, NDArray[np.float32]](), dict[bytes, tuple[bytes, bytes]]()
    if not keys:
        return vectors, tokens
    for i, made in leg.embedder.encode_chunks(list(texts.values())):
        vectors[keys[i]] = made.vector
        tokens[keys[i]] = packed(made.tokens), packed(made.others)
        if cancel and cancel.is_set():
            break
    return vectors, tokens


def _place(one: IndexedChunk) -> dict[str, str | int]:
    chunk = one.chunk
    place: dict[str, str | int] = {
        "document": chunk.source,
        "document_id": chunk.document_id,
        "version_id": chunk.version_id,
        "title": chunk.title,
        "heading": " > ".join(chunk.heading),
        "start": chunk.start,
        "end": chunk.end,
    }
    return place if chunk.page is None else {**place, "page": chunk.page, "place": chunk.place}
