"""How much of a collection is handled at once, and from where on another way is taken."""

from __future__ import annotations

from dataclasses import dataclass

from ingest.docstore import PART


@dataclass(frozen=True, slots=True)
class Sizes:
    """Sizes by which the work on a collection is divided.

    Attributes:
        part: chunks that are read or written together by whoever goes through all of them.
        most_exact: chunks of a filter that are always scored one by one: as many are read in the time that Chroma takes
            for what stands in the way of its own (bench/retrieval/filters.py: 9 microseconds a chunk, once a filter;
            15 a result of Chroma's).
        chunks_a_result: chunks that are scored one by one in the time of one result of Chroma's.
        sync: vectors after which Chroma writes its index to disk anew; None for as many as it takes itself.
        garbage: an index is made anew when more chunks than this were deleted from it, and more than are left.
    """

    part: int = PART
    most_exact: int = 4_000
    chunks_a_result: float = 1.7
    sync: int | None = None
    garbage: int = 2_000


SIZES = Sizes()
