"""Changes a collection's embedding model without downtime.

New vectors are made from stored text into a separate Chroma collection, while searches use the old one. Documents that
are added meanwhile are embedded by the old model, and by the new one before the switch. Once the new vectors are
complete and pass a retrieval check, one transaction switches to them. The old ones are kept for a rollback until they
are dropped.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from ingest.docstore import EmbedderRole, EmbedderRow
from ingest.embedding import Embedder
from ingest.errors import EmbedderError, EmbedderMismatch, SourceError, VectorsDamaged
from ingest.index.index import Index
from ingest.index.indexing import parts, write_vectors
from ingest.index.writer import IndexWriter, writing
from ingest.models import IndexedChunk
from ingest.settings import base_model
from ingest.vectors import VectorStore

# Chunks that the check before the switch searches for by one of their own sentences.
SAMPLE = 200
# Lowest rank that counts as found in the check, and how much worse than the old model the new one may do on average.
DEPTH = 10
MOST_LOSS = 0.05


@dataclass(frozen=True, slots=True)
class Reembedded:
    """Result of a change of model.

    `before` and `after`: mean reciprocal rank of chunks found by their own sentences, 0 to 1; None if not measured.
    """

    model: str
    chunks: int
    embedded: int
    before: float | None = None
    after: float | None = None


Progress = Callable[[int, int, str], None]


def reembed(
    index: Index,
    model: str,
    *,
    force: bool = False,
    on_progress: Progress | None = None,
    cancel: threading.Event | None = None,
) -> Reembedded:
    """Changes a collection to another model. Resumes an interrupted change.

    Args:
        index: the collection.
        model: a sentence-transformers name or folder.
        force: skips the comparison of the two models' retrieval.
        on_progress: called with the chunks done, their total, and the writer waited for ("" for none).
        cancel: stops it; finished vectors are kept.

    Raises:
        SourceError: the collection is empty, or uses this model already.
        EmbedderMismatch: the model's input is shorter than the longest chunk, or its retrieval is worse. The
            collection keeps the old model.
        Cancelled: `cancel` was set.
    """
    told = on_progress or _to_nobody
    if Path(base_model(model)).is_dir():
        model = str(Path(model).absolute())  # so that it resolves from any working folder
    embedder = index.embedder_for(model)
    with writing(index, f"change to {model}", lambda who: told(0, 0, who), cancel) as writer:
        current = _current(index)
        if current.fingerprint == embedder.identity.fingerprint:
            raise SourceError(f"The collection {index.collection.name!r} already uses {current.model}.")
        _check_lengths(index, embedder, index.docstore.longest_chunks(index.collection.id, SAMPLE))
        before = None if force else _hit_rate(index, "current")
        embedded = _fill(index, _following(index, embedder), writer, told, cancel)
        after = _hit_rate(index, "next")
        if before is not None and after is not None and after < before - MOST_LOSS:
            raise EmbedderMismatch(
                f"{model} finds passages by their own sentences worse than {current.model} does ({after:.2f} against "
                f"{before:.2f}, of 1). The collection keeps {current.model}. To change anyway, add "
                "--force; to delete the new vectors: footnote reembed --drop"
            )
        _drop(index, "previous")
        index.docstore.catalog.switch(index.collection.id)
    return Reembedded(model, index.docstore.count_chunks(index.collection.id), embedded, before, after)


def roll_back(
    index: Index, *, on_progress: Progress | None = None, cancel: threading.Event | None = None
) -> Reembedded:
    """Switches back to the previous model, after embedding newer documents with it.

    Raises:
        SourceError: no previous model is kept.
        Cancelled: `cancel` was set.
    """
    told = on_progress or _to_nobody
    with writing(index, "rollback of the embedding model", lambda who: told(0, 0, who), cancel) as writer:
        row = index.embedders().get("previous")
        if row is None:
            raise SourceError(f"The collection {index.collection.name!r} has no previous model to return to.")
        embedded = _fill(index, row, writer, told, cancel)
        _drop(index, "next")
        index.docstore.catalog.switch_back(index.collection.id)
    return Reembedded(row.model, index.docstore.count_chunks(index.collection.id), embedded)


def drop_others(index: Index) -> list[str]:
    """Deletes the vectors of all models except the current one. Returns the models' names."""
    with writing(index, "deletion of other models' vectors"):
        return [name for role in ("next", "previous") if (name := _drop(index, role))]


def _to_nobody(_done: int, _total: int, _waiting: str) -> None: ...


def _current(index: Index) -> EmbedderRow:
    current = index.embedders().get("current")
    if current is None:
        raise SourceError(
            f"The collection {index.collection.name!r} is empty. Set FOOTNOTE_EMBEDDING_MODEL, then ingest documents."
        )
    return current


def _following(index: Index, embedder: Embedder) -> EmbedderRow:
    """Returns the row of the model to be filled, new or resumed. Drops another unfinished one."""
    identity, rows = embedder.identity, index.embedders()
    begun, before = rows.get("next"), rows.get("previous")
    if begun is not None and begun.fingerprint != identity.fingerprint:
        _drop(index, "next")
    if before is not None and before.fingerprint == identity.fingerprint:
        _drop(index, "previous")  # this model becomes the next one
    row = index.docstore.catalog.add_embedder(
        index.collection.id, "next", identity.model, identity.fingerprint, identity.dimensions
    )
    index.leg(row).store.create()
    return row


def _fill(index: Index, row: EmbedderRow, writer: IndexWriter, told: Progress, cancel: threading.Event | None) -> int:
    """Writes the missing vectors. Lets waiting writers go first between parts, and includes what they add."""
    embedded = 0
    while True:
        row = _as_it_is_now(index, row)
        wanted, there = index.docstore.chunk_ids(index.collection.id), _ids(index.leg(row).store)
        missing = [one for one in wanted if one not in there]
        done = len(wanted) - len(missing)
        told(done, len(wanted), "")
        if not missing:
            return embedded
        for chunks in parts(index.docstore, missing, cancel):
            leg = index.leg(_as_it_is_now(index, row))
            _check_lengths(index, leg.embedder, chunks)
            embedded += write_vectors(index.docstore, leg, [chunks], None, cancel)
            done += len(chunks)
            told(done, len(wanted), "")
            writer.give_way()


def _as_it_is_now(index: Index, row: EmbedderRow) -> EmbedderRow:
    """Returns a model's current row; other writers may have changed or dropped it in the meantime."""
    now = index.embedders().get(row.role)
    if now is None or (now.id, now.fingerprint) != (row.id, row.fingerprint):
        raise SourceError(
            f"Another process cancelled the change to {row.model}, or changed the models of {index.collection.name!r}. "
            "`footnote status` shows the current model; to try again, repeat the command."
        )
    return now


def _ids(store: VectorStore) -> set[str]:
    try:
        return store.ids()
    except VectorsDamaged:
        store.drop()
        store.create()
        return set()


def _drop(index: Index, role: str) -> str:
    row = next((row for row in index.embedders().values() if row.role == role), None)
    if row is None:
        return ""
    index.leg(row).store.drop()
    index.docstore.catalog.forget_embedder(row.id)
    index.docstore.database.reclaim()
    return row.model


def _check_lengths(index: Index, embedder: Embedder, chunks: Sequence[IndexedChunk]) -> None:
    """Checks that no chunk is longer than the model's input: text that it truncates could not be found."""
    longest = max((embedder.count_tokens(one.embedded_text) for one in chunks), default=0)
    if longest > embedder.max_tokens:
        following = index.embedders().get("next")
        if following and following.fingerprint == embedder.identity.fingerprint:
            _drop(index, "next")
        raise EmbedderMismatch(
            f"{embedder.model} reads at most {embedder.max_tokens} tokens, but {index.collection.name!r} has chunks of "
            f"{longest}: their ends could not be found. The collection is unchanged. Ingest the documents into a "
            f"new collection with FOOTNOTE_EMBEDDING_MODEL={embedder.model} instead."
        )


def _hit_rate(index: Index, role: EmbedderRole) -> float | None:
    """Returns the mean reciprocal rank at which chunks are found by one of their sentences; equal texts count as one.

    None if the model or its vectors are no longer available.
    """
    ids = index.docstore.embedded_ids(index.collection.id)
    sample = index.docstore.indexed_chunks(ids[:: max(1, len(ids) // SAMPLE)][:SAMPLE])
    leg, total = index.leg(index.embedders()[role]), 0.0
    try:
        for one in sample:
            found = leg.store.search(leg.embedder.encode_query(_sentence(one.chunk.text)), DEPTH)
            total += _reciprocal_rank(index, [key for key, _ in found], one)
    except (EmbedderError, VectorsDamaged):
        return None
    return total / len(sample) if sample else 1.0


def _reciprocal_rank(index: Index, found: Sequence[str], wanted: IndexedChunk) -> float:
    keys = {hit.chunk.id: hit.embed_key for hit in index.docstore.indexed_chunks(found)}
    ranks = [rank for rank, key in enumerate(found, start=1) if keys.get(key) == wanted.embed_key]
    return 1 / ranks[0] if ranks else 0.0


def _sentence(text: str) -> str:
    """Returns the longest sentence of a text, or a part of it as long as a typical question."""
    words = max(text.replace("\n", " ").split(". "), key=len).split()
    return " ".join(words[:20])
