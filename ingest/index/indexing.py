"""Copies chunks from the document store into the text index and the vectors.

The steps are the same for a new document, a repair, and a change of embedding model.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from ingest.docstore import DocStore
from ingest.embedding import packed
from ingest.host import check_cancelled
from ingest.index.index import VectorLeg
from ingest.lexical import LexicalEntry, LexicalWriter
from ingest.models import IndexedChunk

# Texts whose vectors are written in one batch.
EMBED_BATCH = 128
# Texts embedded between checks for cancellation: at 256 tokens each, 4,096 tokens, which two slow cores embed in
# little more than a second.
EMBED_STEP = 16


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
        [
            LexicalEntry(
                c.chunk.id, c.chunk.version_id, c.chunk.text, c.context, " ".join(Path(c.chunk.source).parts[-2:])
            )
            for c in chunks
        ]
    )


def write_vectors(
    docstore: DocStore,
    leg: VectorLeg,
    chunks: Sequence[IndexedChunk],
    on_written: Callable[[int], None] | None = None,
    cancel: threading.Event | None = None,
) -> int:
    """Writes the vectors of chunks. Equal texts have equal vectors, so texts embedded before are not embedded again.

    Args:
        docstore: caches vectors.
        leg: the embedding model and its Chroma collection.
        chunks: chunks of the collection.
        on_written: called with the number of further chunks whose vectors were written.
        cancel: stops between two parts.

    Returns:
        The number of texts that the model embedded.

    Raises:
        Cancelled: `cancel` was set; finished vectors are kept.
    """
    embedded = 0
    for i in range(0, len(chunks), EMBED_BATCH):
        check_cancelled(cancel)
        part = chunks[i : i + EMBED_BATCH]
        vectors = docstore.kept.get(leg.row.id, list({one.embed_key for one in part}))
        missing = {one.embed_key: one.embedded_text for one in part if one.embed_key not in vectors}
        if missing:
            made, tokens = _embedded(leg, missing, cancel)
            docstore.kept.put(leg.row.id, made, tokens)
            vectors.update(made)
            embedded += len(made)
            if len(made) < len(missing):
                check_cancelled(cancel)
        leg.store.upsert(
            [one.chunk.id for one in part],
            np.stack([vectors[one.embed_key] for one in part]),
            [one.chunk.text for one in part],
            [_place(one) for one in part],
        )
        if on_written:
            on_written(len(part))
    return embedded


def write_tokens(docstore: DocStore, leg: VectorLeg, chunks: Sequence[IndexedChunk]) -> None:
    """Stores missing token vectors of chunks that have a vector: older versions stored no token vectors."""
    texts = [*{one.embed_key: one.embedded_text for one in chunks}.items()]
    for i in range(0, len(texts), EMBED_BATCH):
        _, tokens = _embedded(leg, dict(texts[i : i + EMBED_BATCH]))
        docstore.kept.put(leg.row.id, {}, tokens)


def _embedded(
    leg: VectorLeg, texts: Mapping[bytes, str], cancel: threading.Event | None = None
) -> tuple[dict[bytes, NDArray[np.float32]], dict[bytes, tuple[bytes, bytes]]]:
    """Returns the vectors of texts, and those of content tokens and others, by the texts' keys; fewer if cancelled.

    Texts of similar length are embedded together, because the model pads every text of a step to the longest.
    """
    keys = sorted(texts, key=lambda key: -len(texts[key]))
    vectors, tokens = dict[bytes, NDArray[np.float32]](), dict[bytes, tuple[bytes, bytes]]()
    for i in range(0, len(keys), EMBED_STEP):
        if cancel and cancel.is_set():
            break
        some = keys[i : i + EMBED_STEP]
        encoded = leg.embedder.encode_chunks([texts[key] for key in some])
        vectors.update(zip(some, encoded.vectors, strict=True))
        both = zip(map(packed, encoded.tokens), map(packed, encoded.others), strict=True)
        tokens.update(zip(some, both, strict=True))
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
