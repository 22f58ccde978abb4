"""Widens the chunks that a search found to the passages that an answer needs: small chunks find, wide ones explain."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from ingest.docstore import DocStore
from ingest.models import IndexedChunk, StoredChunk, chunk_id

# Characters that a passage may have, if its chunk alone has fewer. Chosen with the bounds of a passage on
# bench/answers/filings.py: a page's worth (2,000 and more) found more in a passage, and less within a budget.
WIDTH = 1_800
# Chunks looked at on either side.
REACH = 8


@dataclass(frozen=True, slots=True)
class Wide:
    """Consecutive chunks of one page, with the index of the chunk that was found among those that were searched for.

    `text` is the document's text from the start of the first chunk to the end of the last.
    """

    best: int
    chunks: tuple[IndexedChunk, ...]
    text: str


def widened(docstore: DocStore, found: Sequence[StoredChunk]) -> Iterator[Wide]:
    """Yields the passages around chunks, best first; a chunk inside an earlier passage gets none of its own.

    A passage grows by turns after and before its chunk, within the page and among the headings above and below that of
    the chunk, until WIDTH is full or another passage begins.

    Args:
        docstore: the store of the chunks.
        found: chunks, best first.
    """
    taken: set[str] = set()
    for index, chunk in enumerate(found):
        if chunk.id in taken:
            continue
        around = _around(docstore, chunk)
        if chunk.id not in around:  # deleted since the search
            continue
        run = _grown(chunk, around, taken)
        taken |= {one.chunk.id for one in run}
        text = docstore.excerpt(chunk.version_id, run[0].chunk.start, run[-1].chunk.end)
        if text:
            yield Wide(index, tuple(run), text)


def _around(docstore: DocStore, chunk: StoredChunk) -> dict[str, IndexedChunk]:
    first, last = max(0, chunk.position - REACH), chunk.position + REACH
    ids = [chunk_id(chunk.version_id, position) for position in range(first, last + 1)]
    return {one.chunk.id: one for one in docstore.indexed_chunks(ids)}


def _grown(chunk: StoredChunk, around: dict[str, IndexedChunk], taken: set[str]) -> list[IndexedChunk]:
    """Returns the run of chunks around a chunk that may stand in its passage."""
    run = [around[chunk.id]]
    open_sides = [1, -1]
    while open_sides:
        side = open_sides.pop(0)
        edge = (run[-1] if side == 1 else run[0]).chunk
        beside = around.get(chunk_id(chunk.version_id, edge.position + side))
        if beside is None or beside.chunk.id in taken or not _belongs(beside.chunk, chunk):
            continue
        first, last = (run[0].chunk, beside.chunk) if side == 1 else (beside.chunk, run[-1].chunk)
        if last.end - first.start > WIDTH:
            continue
        run.insert(len(run) if side == 1 else 0, beside)
        open_sides.append(side)
    return run


def _belongs(beside: StoredChunk, chunk: StoredChunk) -> bool:
    shared = min(len(beside.heading), len(chunk.heading))
    return beside.page == chunk.page and beside.heading[:shared] == chunk.heading[:shared]
