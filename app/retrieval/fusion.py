"""Scores of several legs -> one score a chunk. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

# How far a chunk's score moves to its better neighbour's, where that is above it and where it is below: an answer may
# lie across the border of two chunks, and words that answer a question seldom stand alone. RISE orders the chunks of
# one document and leaves documents as they are: 0.2 to 0.5 gained 2 to 3 points of recall on eval/chunking. FALL of
# 0.1 gained conversations 0.004 nDCG@10; 0.2 and more cost recall@1 on eval/answerable (bench/retrieval/rankings.py).
RISE = 0.5
FALL = 0.1
# What a standard deviation of late interaction counts for among the best, against the range of fused scores: 0.1 to
# 0.15 gained SciFact and conversations 0.01 nDCG@10, eval/answerable 0.014 recall@1 and eval/chunking half a point of
# recall; more costs the last.
NEARNESS = 0.12


def fuse(legs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Averages the legs' scores, each divided by its leg's best; 0 for a chunk of which a leg knows nothing.

    Args:
        legs: scores by chunk, of any scale; those below 0 count as 0.

    Returns:
        Scores from 0 to 1 of every chunk that some leg knows.
    """
    fused = dict.fromkeys((chunk for leg in legs for chunk in leg), 0.0)
    for leg in legs:
        best = max(leg.values(), default=0.0)
        for chunk, score in leg.items():
            fused[chunk] += max(0.0, score) / best / len(legs) if best > 0 else 0.0
    return fused


def ranking(scores: Mapping[str, float]) -> list[str]:
    """Chunks, best first; ties in order of ids, so that equal input gives equal output."""
    return sorted(scores, key=lambda chunk: (-scores[chunk], chunk))


def with_neighbours(
    scores: Mapping[str, float],
    chunks: Iterable[str],
    neighbours: Callable[[str], Sequence[str]],
    *,
    rise: float = RISE,
    fall: float = FALL,
) -> dict[str, float]:
    """Moves each chunk's score towards its better neighbour's.

    A chunk that has no neighbour keeps its own: a short document is no worse for being short.

    Args:
        scores: of chunks and their neighbours.
        chunks: those to be scored.
        neighbours: what stands next to a chunk; what has no score is not there.
        rise: share of the way up to a better neighbour, 0 to 1.
        fall: share of the way down to a worse one, 0 to 1.

    Returns:
        Scores of `chunks`, in the range of `scores`.
    """
    found = {}
    for chunk in chunks:
        own = scores[chunk]
        beside = max((scores[one] for one in neighbours(chunk) if one in scores), default=own)
        found[chunk] = own + (rise if beside > own else fall) * (beside - own)
    return found


def with_nearness(
    scores: Mapping[str, float], nearness: Mapping[str, float], *, weight: float = NEARNESS
) -> dict[str, float]:
    """Moves the best chunks' scores by how near their tokens come to the question's.

    Args:
        scores: of all chunks, from 0 to 1.
        nearness: late interaction of the best of them; where it is empty, scores stay as they are.
        weight: how much a standard deviation of nearness counts against the whole range of scores.

    Returns:
        Scores of all chunks, from 0 to 1; one without nearness counts as the least near.
    """
    least, most = min(nearness.values(), default=0.0), max(nearness.values(), default=0.0)
    whole = 1 + weight * (most - least)
    return {chunk: (score + weight * (nearness.get(chunk, least) - least)) / whole for chunk, score in scores.items()}
