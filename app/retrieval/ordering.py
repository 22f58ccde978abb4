"""Orders the chunks that a search found: texts once, named things first, documents by turns. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace

from app.text import Identifier, file_names, is_about
from ingest.models import StoredChunk


@dataclass(frozen=True, slots=True)
class Scored:
    """A chunk with its fused score and the other sources that contain the same text."""

    chunk: StoredChunk
    score: float
    also_in: tuple[str, ...] = ()


def named_first(found: list[Scored], wanted: Sequence[Identifier]) -> list[Scored]:
    """Moves the chunks with most of the requested identifiers to the front and gives them the best score."""
    if not wanted or not found:
        return found
    counts = [sum(is_about(one.chunk.text, _names(one.chunk), name) for name in wanted) for one in found]
    order = sorted(range(len(found)), key=lambda i: -counts[i])
    best = max(one.score for one in found)
    return [replace(found[i], score=best) if counts[i] else found[i] for i in order]


def words_of_chunk(chunk: StoredChunk) -> str:
    """Returns all text by which a chunk can be identified."""
    return f"{_names(chunk)}\n{chunk.text}"


def _names(chunk: StoredChunk) -> str:
    return "\n".join((file_names(chunk.source), chunk.title, *chunk.heading, chunk.place))


def by_turns(found: Sequence[Scored], meant: frozenset[str]) -> list[Scored]:
    """Orders chunks so that each of the documents that are meant has its best one first, then its second best, ..."""
    turns: Counter[str] = Counter()
    order = []
    for place, one in enumerate(found):
        turns[one.chunk.source] += 1
        turn = turns[one.chunk.source] if one.chunk.source in meant else len(found)
        order.append((turn, place))
    return [found[place] for _, place in sorted(order)]


def unique(fused: Sequence[Scored]) -> list[Scored]:
    """Keeps each text once, at its best rank; `also_in` lists the other sources that contain it."""
    first: dict[str, Scored] = {}
    for one in fused:
        words = " ".join(one.chunk.text.split())
        seen = first.get(words)
        if seen is None:
            first[words] = one
        elif one.chunk.source != seen.chunk.source and one.chunk.source not in seen.also_in:
            first[words] = replace(seen, also_in=(*seen.also_in, one.chunk.source))
    return list(first.values())
