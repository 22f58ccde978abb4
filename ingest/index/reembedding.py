"""Another embedding model for a collection, without a pause.

The new vectors are made from stored text into a Chroma collection of their own, while searches go on with the old ones
and new documents get both. When all are there and find no less, one transaction changes over. The old ones are kept,
for a way back, until they are dropped.
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
from ingest.index.indexing import write_vectors
from ingest.index.writer import IndexWriter, writing
from ingest.models import IndexedChunk
from ingest.vectors import VectorStore

# Chunks written between two looks at whether another process waits to write.
PART = 512
# Chunks that the check before the change looks for by one of their own sentences.
SAMPLE = 200
# How far down a chunk may come for its own sentence, and how much worse the new model may do on average.
DEPTH = 10
MOST_LOSS = 0.05


@dataclass(frozen=True, slots=True)
class Reembedded:
    """What a change of model did.

    `before` and `after`: how well each model finds chunks by their own sentences, 0 to 1; None where it was not tried.
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
    part: int = PART,
) -> Reembedded:
    """Changes a collection over to another model. What was stopped goes on where it was.

    Args:
        index: the collection.
        model: a sentence-transformers name or folder.
        force: changes over without comparing what the two models find.
        on_progress: told how many chunks of how many are done, and who is waited for ("" for nobody).
        cancel: stops it; what is done is kept.
        part: chunks written between two looks at whether another process waits to write.

    Raises:
        SourceError: the collection is empty, or has this model already.
        EmbedderMismatch: the model reads less than the longest chunk holds, or finds less than the old one. The
            collection stays with the old one.
        Cancelled: `cancel` was set.
    """
    told = on_progress or _to_nobody
    if Path(model).is_dir():
        model = str(Path(model).absolute())  # to be found from any other working folder too
    embedder = index.embedder_for(model)
    with writing(index, f"change to {model}", lambda who: told(0, 0, who), cancel) as writer:
        current = _current(index)
        if current.fingerprint == embedder.identity.fingerprint:
            raise SourceError(f"The collection {index.collection.name!r} is made with {current.model} already.")
        _check_lengths(index, embedder, index.docstore.longest_chunks(index.collection.id, SAMPLE))
        before = None if force else _hit_rate(index, "current")
        embedded = _fill(index, _following(index, embedder), writer, told, cancel, part=part)
        after = _hit_rate(index, "next")
        if before is not None and after is not None and after < before - MOST_LOSS:
            raise EmbedderMismatch(
                f"{model} finds passages by their own sentences worse than {current.model} does ({after:.2f} against "
                f"{before:.2f}, of 1). The collection stays with {current.model}. To change over all the same, add "
                "--force; to delete the new vectors: footnote reembed --drop"
            )
        _drop(index, "previous")
        index.docstore.catalog.switch(index.collection.id)
    return Reembedded(model, index.docstore.count_chunks(index.collection.id), embedded, before, after)


def roll_back(
    index: Index, *, on_progress: Progress | None = None, cancel: threading.Event | None = None
) -> Reembedded:
    """Changes back to the model before. Documents that came since get their vectors of it first.

    Raises:
        SourceError: no model before is kept.
        Cancelled: `cancel` was set.
    """
    told = on_progress or _to_nobody
    with writing(index, "change back of the model", lambda who: told(0, 0, who), cancel) as writer:
        row = index.embedders().get("previous")
        if row is None:
            raise SourceError(f"No model before is kept of the collection {index.collection.name!r}.")
        embedded = _fill(index, row, writer, told, cancel)
        _drop(index, "next")
        index.docstore.catalog.switch_back(index.collection.id)
    return Reembedded(row.model, index.docstore.count_chunks(index.collection.id), embedded)


def drop_others(index: Index) -> list[str]:
    """Deletes the vectors of all models but the one in use. Returns the models' names."""
    with writing(index, "deletion of other models' vectors"):
        return [name for role in ("next", "previous") if (name := _drop(index, role))]


def _to_nobody(_done: int, _total: int, _waiting: str) -> None: ...


def _current(index: Index) -> EmbedderRow:
    current = index.embedders().get("current")
    if current is None:
        raise SourceError(
            f"The collection {index.collection.name!r} is empty. Set FOOTNOTE_EMBEDDING_MODEL and ingest documents."
        )
    return current


def _following(index: Index, embedder: Embedder) -> EmbedderRow:
    """The row of the model to be filled: new, or begun before. Another one that was begun before is dropped."""
    identity, rows = embedder.identity, index.embedders()
    begun, before = rows.get("next"), rows.get("previous")
    if begun is not None and begun.fingerprint != identity.fingerprint:
        _drop(index, "next")
    if before is not None and before.fingerprint == identity.fingerprint:
        _drop(index, "previous")  # the model is the next one now
    row = index.docstore.catalog.add_embedder(
        index.collection.id, "next", identity.model, identity.fingerprint, identity.dimensions
    )
    index.leg(row).store.create()
    return row


def _fill(
    index: Index,
    row: EmbedderRow,
    writer: IndexWriter,
    told: Progress,
    cancel: threading.Event | None,
    *,
    part: int = PART,
) -> int:
    """Writes the vectors that are missing. Whoever waits to write does so in between, and is taken in too."""
    embedded = 0
    while True:
        row = _as_it_is_now(index, row)
        wanted, there = index.docstore.chunk_ids(index.collection.id), _ids(index.leg(row).store)
        missing = [one for one in wanted if one not in there]
        done = len(wanted) - len(missing)
        told(done, len(wanted), "")
        if not missing:
            return embedded
        for i in range(0, len(missing), part):
            chunks = index.docstore.indexed_chunks(missing[i : i + part])
            leg = index.leg(_as_it_is_now(index, row))
            _check_lengths(index, leg.embedder, chunks)
            embedded += write_vectors(index.docstore, leg, chunks, None, cancel)
            done += len(chunks)
            told(done, len(wanted), "")
            writer.give_way()


def _as_it_is_now(index: Index, row: EmbedderRow) -> EmbedderRow:
    """A model's row, which others may have changed, or dropped, while they had their turn."""
    now = index.embedders().get(row.role)
    if now is None or (now.id, now.fingerprint) != (row.id, row.fingerprint):
        raise SourceError(
            f"Another process gave up the change to {row.model}, or changed the models of {index.collection.name!r} "
            "meanwhile. `footnote status` says what it is made with now; start again if that is not what you want."
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
    """No chunk may be longer than the model reads: what it cuts off silently cannot be found."""
    longest = max((embedder.count_tokens(one.embedded_text) for one in chunks), default=0)
    if longest > embedder.max_tokens:
        following = index.embedders().get("next")
        if following and following.fingerprint == embedder.identity.fingerprint:
            _drop(index, "next")
        raise EmbedderMismatch(
            f"{embedder.model} reads {embedder.max_tokens} tokens at most, and {index.collection.name!r} has chunks of "
            f"{longest}: their ends could not be found. The collection stays as it was. Ingest the documents into a "
            f"new collection with FOOTNOTE_EMBEDDING_MODEL={embedder.model} instead."
        )


def _hit_rate(index: Index, role: EmbedderRole) -> float | None:
    """The mean reciprocal rank at which chunks are found by a sentence of theirs; equal texts count as one.

    None where the model or its vectors are not there any more, so that nothing can be found with them.
    """
    ids = index.docstore.chunk_ids(index.collection.id)
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
    """The longest sentence of a text, or a stretch of it that a question might be as long as."""
    words = max(text.replace("\n", " ").split(". "), key=len).split()
    return " ".join(words[:20])
