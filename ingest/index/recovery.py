"""Repairs the indexes of a collection, and reclaims the space of deleted chunks.

Everything is rebuilt from the document store while write access is held. Texts embedded before are not embedded again.
"""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from dataclasses import replace

from ingest.docstore import EmbedderRow
from ingest.errors import LexicalDamaged, LexicalStoreError, VectorsDamaged
from ingest.index.index import Index
from ingest.index.indexing import parts, write_text, write_vectors
from ingest.models import version_of

logger = logging.getLogger(__name__)


def recover(
    index: Index,
    cancel: threading.Event | None = None,
    *,
    by_number: bool | None = None,
    thorough: bool = False,
) -> None:
    """Compares both indexes with the document store, restores missing chunks, and drops unreferenced collections.

    Extra chunks do no harm: searches leave them out, and the writer deletes them.

    Args:
        index: the collection; the caller holds write access.
        cancel: stops between two parts.
        by_number: compares the number of chunks instead of their ids; by default, if `is_clean`.
        thorough: always compares ids, and deletes extra chunks too.

    Raises:
        Cancelled: `cancel` was set; the next writer continues.
    """
    docstore, collection = index.docstore, index.collection.id
    by_number = not thorough and (is_clean(index) if by_number is None else by_number)
    if not by_number or not _has_all(index.lexical.count, docstore.count_chunks(collection)):
        _recover_text(index, cancel, thorough=thorough)
    for row in index.embedders().values():
        if not row.kept:
            adopt(index, row, cancel)
        if row.role == "current":
            _recover_vectors(index, row, cancel, by_number=by_number, thorough=thorough)
        elif row.role == "next" and not _has_all(index.leg(row).store.count, 0):
            index.leg(row).store.create()  # reembedding fills it
    for name in index.strays():
        index.chroma.drop(name)


def is_clean(index: Index) -> bool:
    """Returns True if no interrupted write left anything behind."""
    docstore, collection = index.docstore, index.collection.id
    if docstore.unembedded.count(collection):
        return False  # vectors that are there already would hide lost ones if they were only counted
    return not any(docstore.versions.leftovers(collection, status) for status in ("pending", "stale"))


def rebuild_text(index: Index, cancel: threading.Event | None = None) -> None:
    """Rebuilds the text index; searches use the old one, if readable, until it is done."""
    try:
        _rewrite_text(index, cancel)
    except LexicalStoreError:  # it cannot even be opened
        index.lexical.wipe()
        _rewrite_text(index, cancel)


def renew_text(index: Index, cancel: threading.Event | None = None) -> None:
    """Rebuilds a text index that an older version made, so that all of it uses the current terms."""
    index.lexical.drop_leftovers()
    if index.lexical.outdated:
        rebuild_text(index, cancel)
        logger.info("The text index of %r was made by an older version and has been rebuilt.", index.collection.name)


def rebuild_vectors(index: Index, row: EmbedderRow, cancel: threading.Event | None = None) -> None:
    """Rebuilds a Chroma collection beside the old one, which is searched until the new one is complete."""
    if not row.kept:
        adopt(index, row, cancel)
    old, new = index.leg(row), index.leg(replace(row, generation=row.generation + 1))
    new.store.drop()  # left by an interrupted rebuild
    new.store.create()
    wanted = index.docstore.embedded_ids(index.collection.id)
    write_vectors(index.docstore, new, parts(index.docstore, wanted, cancel), cancel=cancel)
    index.docstore.catalog.next_generation(row.id)
    old.store.drop()


def tidy(index: Index, cancel: threading.Event | None = None) -> None:
    """Reclaims space if deletions left much of it."""
    enough = max(index.sizes.garbage, index.docstore.count_chunks(index.collection.id))
    if index.lexical.exists and index.lexical.count_deleted() > enough:
        rebuild_text(index, cancel)
    for row in index.embedders().values():
        if row.garbage <= enough:
            continue
        if row.role == "current":
            rebuild_vectors(index, row, cancel)
        elif row.role == "previous":  # refilled from the document store by a rollback
            index.docstore.catalog.next_generation(row.id)
            index.leg(row).store.drop()
    index.docstore.database.reclaim()


def _has_all(count: Callable[[], int], wanted: int) -> bool:
    """Returns True if an index is readable and has at least the expected number of chunks."""
    try:
        return count() >= wanted
    except (LexicalDamaged, VectorsDamaged):
        return False


def _rewrite_text(index: Index, cancel: threading.Event | None) -> None:
    wanted = index.docstore.chunk_ids(index.collection.id)
    outdated = index.lexical.outdated  # it lacks the current fields
    with index.lexical.anew() if outdated else index.lexical.writing() as lexical:
        lexical.clear()
        for part in parts(index.docstore, wanted, cancel):
            write_text(lexical, part)
        lexical.commit()


def _recover_text(index: Index, cancel: threading.Event | None, *, thorough: bool) -> None:
    wanted = index.docstore.chunk_ids(index.collection.id)
    try:
        there = set(index.lexical.ids()) if index.lexical.exists else set()
    except LexicalDamaged:
        rebuild_text(index, cancel)
        _say(index, len(wanted), "text index")
        return
    if thorough and there - set(wanted):
        rebuild_text(index, cancel)
        return
    # A version that lacks a chunk is rewritten as a whole: adding a version replaces its existing entries.
    lost = {version_of(chunk_id) for chunk_id in wanted if chunk_id not in there}
    missing = [chunk_id for chunk_id in wanted if version_of(chunk_id) in lost]
    if not missing:
        return
    with index.lexical.writing() as lexical:
        for part in parts(index.docstore, missing, cancel):
            write_text(lexical, part)
        lexical.commit()
    _say(index, len(missing), "text index")


def _recover_vectors(
    index: Index, row: EmbedderRow, cancel: threading.Event | None, *, by_number: bool, thorough: bool
) -> None:
    """Adds missing vectors in place; rebuilds an unreadable collection beside the old one and then switches."""
    store = index.leg(row).store
    try:
        if by_number and store.count() >= index.docstore.count_embedded(index.collection.id):
            store.probe(index.docstore.some_chunk_ids(index.collection.id))
            return
        wanted, there = index.docstore.embedded_ids(index.collection.id), store.ids()
    except VectorsDamaged:
        wanted = index.docstore.embedded_ids(index.collection.id)
        if wanted:
            rebuild_vectors(index, row, cancel)
            _say(index, len(wanted), "vector index")
        else:
            store.drop()
            store.create()
        return
    missing = [chunk_id for chunk_id in wanted if chunk_id not in there]
    write_vectors(index.docstore, index.leg(row), parts(index.docstore, missing, cancel), cancel=cancel)
    if missing:
        _say(index, len(missing), "vector index")
    if thorough and (extra := there - set(index.docstore.chunk_ids(index.collection.id))):
        store.delete(sorted(extra))


def adopt(index: Index, row: EmbedderRow, cancel: threading.Event | None = None) -> None:
    """Copies vectors into the document store that an older format kept only in Chroma."""
    leg = index.leg(row)
    try:
        for part in parts(index.docstore, index.docstore.chunk_ids(index.collection.id), cancel):
            vectors = leg.store.vectors([one.chunk.id for one in part])
            index.docstore.kept.put(
                row.id, {one.embed_key: vectors[one.chunk.id] for one in part if one.chunk.id in vectors}
            )
    except VectorsDamaged:
        logger.warning("The vectors of %r cannot be read; embedding them again.", index.collection.name)
    index.docstore.kept.all_kept(row.id)


def _say(index: Index, chunks: int, what: str) -> None:
    logger.warning(
        "%s chunks of %r were missing from the %s and have been restored.", f"{chunks:,}", index.collection.name, what
    )
