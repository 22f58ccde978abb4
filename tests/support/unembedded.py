"""Collections whose texts are written and whose vectors are not."""

from __future__ import annotations

import pytest
from faults import failing

from ingest.vectors.store import VectorStore


def killed_while_embedding(footnote, paths) -> None:
    """Ingests files, and ends before the first vector is in Chroma."""
    with failing(VectorStore, "upsert", KeyboardInterrupt()), pytest.raises(KeyboardInterrupt):
        footnote.ingest(paths)


def leave_two_unembedded(footnote, write) -> None:
    """Adds one document with vectors, and two whose ingest was killed before theirs were written."""
    footnote.ingest([write("old.txt", "apples are red")])
    killed_while_embedding(
        footnote, [write("first.txt", "bears are brown"), write("second.txt", "cedars are green and tall")]
    )


def vectors(footnote) -> set[str]:
    """The ids of the chunks that have a vector in Chroma."""
    index = footnote.index("default")
    return index.leg(index.embedders()["current"]).store.ids()


def unembedded(footnote) -> int:
    """The number of chunks without a vector."""
    return footnote.index("default").count_unembedded()


def names(hits) -> list[str]:
    """The file names of what was found."""
    return [hit.chunk.source.rpartition("/")[2] for hit in hits]
