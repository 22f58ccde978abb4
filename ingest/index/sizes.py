"""Defines the batch sizes and thresholds of a collection."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.docstore import PART


@dataclass(frozen=True, slots=True)
class Sizes:
    """Batch sizes and thresholds of a collection.

    Attributes:
        part: the number of chunks read or written together in a pass over all of them.
        most_exact: up to this many chunks are always scored exactly: that takes as long as Chroma's fixed overhead
            (bench/retrieval/filters.py: 9 microseconds per chunk, once per filter; 15 per result of Chroma's).
        most_whole: up to this many chunks, the whole collection is scored exactly, from vectors in memory: 23 MB at 384
            dimensions, which are read again when documents change.
        chunks_a_result: the number of chunks scored exactly in the time of one result of Chroma's.
        sync: Chroma writes its index to disk after this many vectors; None for Chroma's default.
        garbage: an index is rebuilt when more than this many chunks were deleted from it, and more than remain.
    """

    part: int = PART
    most_exact: int = 4_000
    most_whole: int = 15_000
    chunks_a_result: float = 1.7
    sync: int | None = None
    garbage: int = 2_000


SIZES = Sizes()
