"""Compares the indexes of a collection with the document store."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from functools import partial

import numpy as np

from ingest.docstore import EmbedderRow
from ingest.errors import LexicalDamaged, VectorsDamaged, VectorStoreError
from ingest.index import (
    Index,
    IndexWriter,
    VectorLeg,
    adopt,
    rebuild_text,
    rebuild_vectors,
    write_tokens,
)
from ingest.maintenance.disk_checks import Finding
from ingest.reports import Problem, counted

# Vectors are stored unchanged; a larger difference than rounding indicates damage.
TOLERANCE = 1e-5
REBUILD_TEXT = "the text index is rebuilt from the stored text"
REBUILD_VECTORS = "the vectors are restored from the document store"
EMBED_TOKENS = "they are embedded again, which takes as long as ingesting them"


def index_findings(index: Index, writer: IndexWriter) -> Iterator[Finding]:
    """Yields the problems of a collection one after another, while `writer` holds write access."""
    yield from _leftovers(index, writer)
    yield from _text_index(index)
    yield from _vectors(index)
    yield from _unembedded(index, writer)
    yield from _tokens(index)


def _leftovers(index: Index, writer: IndexWriter) -> Iterator[Finding]:
    """Yields inactive versions and unused vectors. No other write is in progress, so an interrupted one left them."""
    for status in ("pending", "stale"):
        if versions := index.docstore.versions.leftovers(index.collection.id, status):
            what = f"{len(versions):,} document versions in {index.collection.name!r} remain from an interrupted write."
            yield Finding(
                Problem("leftovers", what, "they are deleted from every store"),
                partial(writer.collect, status),
            )
    for row in index.embedders().values():
        if unused := index.docstore.kept.count_unused(row.id):
            what = f"{unused:,} vectors of {index.collection.name!r} belong to deleted texts."
            yield Finding(
                Problem("leftovers", what, "they are deleted"),
                partial(index.docstore.kept.drop_all_unused, row.id),
            )


def _text_index(index: Index) -> Iterator[Finding]:
    name = index.collection.name
    wanted = set(index.docstore.chunk_ids(index.collection.id))

    def finding(what: str) -> Finding:
        return Finding(Problem("text-index", what, REBUILD_TEXT), lambda: rebuild_text(index))

    if not wanted:
        return
    if broken := index.lexical.damaged_files():
        yield finding(f"Files of the text index of {name!r} are damaged or missing: {', '.join(broken)}.")
        return
    try:
        times = Counter(index.lexical.ids())
    except LexicalDamaged as error:
        yield finding(str(error))
        return
    counted = {
        "are missing from": len(wanted - times.keys()),
        "of no document are in": len(times.keys() - wanted),
        "are duplicated in": sum(times[one] > 1 for one in wanted),
    }
    for how, n in counted.items():
        if n:
            yield finding(f"{n:,} chunks {how} the text index of {name!r}.")


def _vectors(index: Index) -> Iterator[Finding]:
    current = index.embedders().get("current")
    wanted = index.docstore.embedded_ids(index.collection.id)
    if current is None:
        return
    leg, name = index.leg(current), index.collection.name

    def finding(what: str) -> Finding:
        return Finding(Problem("vectors", what, REBUILD_VECTORS), lambda: rebuild_vectors(index, current))

    try:
        there = leg.store.ids()
        missing, extra = len(set(wanted) - there), len(there - set(index.docstore.chunk_ids(index.collection.id)))
        if missing:
            yield finding(f"{missing:,} chunks of {name!r} have no vector.")
        elif extra:
            yield finding(f"{extra:,} chunks of no document have vectors in {name!r}.")
        elif different := _different(index, leg, wanted):
            yield finding(f"{different:,} vectors of {name!r} differ from those that the embedding model made.")
        for stray in index.strays():
            what = f"The Chroma collection {stray} of {name!r} was left by an interrupted change."
            yield Finding(Problem("orphans", what, "it is deleted"), partial(index.chroma.drop, stray))
    except VectorsDamaged as error:
        yield finding(str(error))
    except VectorStoreError as error:
        yield Finding(Problem("vector-store", str(error), "see the message"))


def _unembedded(index: Index, writer: IndexWriter) -> Iterator[Finding]:
    if chunks := index.count_unembedded():
        name = index.collection.name
        what = f"{counted(chunks, 'chunk')} not embedded in {name!r}: an ingest was interrupted, or is at work."
        yield Finding(Problem("vectors", what, "embedded now, or by the next ingest or a running chat"), writer.embed)


def _tokens(index: Index) -> Iterator[Finding]:
    current = index.embedders().get("current")
    without = index.docstore.kept.tokenless(current.id) if current else []
    if current and without:
        what = (
            f"{len(without):,} texts of {index.collection.name!r} lack token vectors, or some of them, because an "
            "older version of Footnote embedded them: passages are ranked less well, or answers take longer."
        )
        yield Finding(Problem("tokens", what, EMBED_TOKENS), partial(_write_tokens, index, current))


def _write_tokens(index: Index, current: EmbedderRow) -> None:
    if not current.kept:
        adopt(index, current)
    without = set(index.docstore.kept.tokenless(current.id))
    for part in index.docstore.in_parts(index.docstore.chunk_ids(index.collection.id)):
        write_tokens(index.docstore, index.leg(current), [one for one in part if one.embed_key in without])
        without -= {one.embed_key for one in part}


def _different(index: Index, leg: VectorLeg, ids: list[str]) -> int:
    different = 0
    for chunks in index.docstore.in_parts(ids):
        stored = leg.store.vectors([one.chunk.id for one in chunks])
        kept = index.docstore.kept.get(leg.row.id, list({one.embed_key for one in chunks}))
        for one in chunks:
            vector = kept.get(one.embed_key)
            if vector is None:
                different += leg.row.kept
            elif one.chunk.id not in stored or np.abs(stored[one.chunk.id] - vector).max() > TOLERANCE:
                different += 1
    return different
