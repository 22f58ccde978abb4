"""Builds passages from chunks: with the header, caption and unit of the table they begin in, and their periods."""

from __future__ import annotations

from app.models import Passage
from app.retrieval.ordering import Scored
from app.retrieval.widening import Wide
from app.text import MOST_LEAD, above_table
from ingest.docstore import DocStore
from ingest.text import in_order

# Characters before a passage that are read for the beginning of its table; the second number if the first is too few.
ABOVE = (3_000, 20_000)


def passage_of(docstore: DocStore, n: int, found: Scored, wide: Wide) -> Passage:
    """Builds passage `n` from consecutive chunks.

    Args:
        docstore: the store of the chunks.
        n: its number.
        found: the chunk that was found.
        wide: the chunks, with their text.
    """
    chunk, first = found.chunk, wide.chunks[0]
    header, caption = _above(docstore, wide)
    periods = docstore.periods.of(chunk.version_id)
    return Passage(
        n=n,
        document=chunk.source,
        version_id=chunk.version_id,
        title=chunk.title,
        page=first.chunk.page,
        heading=chunk.heading,
        start=first.chunk.start,
        end=wide.chunks[-1].chunk.end,
        text=wide.text,
        score=found.score,
        also_in=found.also_in,
        place=first.chunk.place,
        header=header or first.table_header,
        caption=caption,
        periods=in_order(periods.named | {periods.day} - {""}),
    )


def _above(docstore: DocStore, wide: Wide) -> tuple[str, str]:
    """Returns the header and the caption of the table with which or in which a text begins; "" for what it has not."""
    start = wide.chunks[0].chunk.start
    if not wide.text.startswith("|"):
        return "", ""
    header = caption = ""
    for length in ABOVE:
        before = docstore.excerpt(wide.chunks[0].chunk.version_id, max(0, start - length), start)
        header, caption = above_table(before)
        lead = before.rfind(header) if header else len(before) if caption else 0
        if lead >= MOST_LEAD or length >= start:
            break
    return header, caption
