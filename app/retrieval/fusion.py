"""Fuses the scores of several searches into one score per chunk. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

# How far a chunk's score moves towards its better neighbour's, upwards and downwards: an answer may cross the border of
# two chunks, and matching words seldom occur in isolation. RISE orders the chunks of one document and leaves the order
# of documents unchanged: 0.2 to 0.5 gained 2 to 3 points of recall on eval/chunking. FALL of 0.1 gained conversations
# 0.004 nDCG@10; 0.2 and more cost recall@1 on eval/answerable (bench/retrieval/rankings.py).
RISE = 0.5
FALL = 0.1
# Weight of one standard deviation of late interaction among the best chunks, relative to the range of fused scores: 0.1
# to 0.15 gained SciFact and conversations 0.01 nDCG@10, eval/answerable 0.014 recall@1 and eval/chunking half a point
# of recall; higher weights lose the gain on eval/chunking.
NEARNESS = 0.12


def fuse(legs: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Averages the searches' scores, each divided by its search's best; a chunk missing from a search counts as 0.

    Args:
        legs: each search's scores by chunk, on any scale; negative scores count as 0.

    Returns:
        A score from 0 to 1 for every chunk in any of the searches.
    """
    fused = dict.fromkeys((chunk for leg in legs for chunk in leg), 0.0)
    for leg in legs:
        best = max(leg.values(), default=0.0)
        for chunk, score in leg.items():
            fused[chunk] += max(0.0, score) / best / len(legs) if best > 0 else 0.0
    return fused


def with_estimates(
    meaning: Mapping[str, float], words: Mapping[str, float], unembedded: Iterable[str]
) -> dict[str, float]:
    """Gives chunks without a vector the score by meaning that fits their score by words, so that words alone rank them.

    Args:
        meaning: scores by meaning.
        words: scores by words, on another scale.
        unembedded: chunks that may have no score by meaning.

    Returns:
        `meaning`, with the same share of its best score for each of the chunks that it has of the best by words.
    """
    best, most = (max(scores.values(), default=0.0) for scores in (meaning, words))
    unit = (best if best > 0 else 1.0) / (most or 1.0)
    return {**meaning, **{one: unit * words.get(one, 0.0) for one in unembedded if one not in meaning}}


def ranking(scores: Mapping[str, float]) -> list[str]:
    """Returns the chunks, best first; ties are in order of ids, so that equal input gives equal output."""
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

    A chunk without neighbours keeps its score, so that short documents are not penalised.

    Args:
        scores: the scores of chunks and their neighbours.
        chunks: the chunks to score.
        neighbours: returns the ids next to a chunk; ids without a score are ignored.
        rise: share of the way up to a better neighbour, 0 to 1.
        fall: share of the way down to a worse one, 0 to 1.

    Returns:
        The scores of `chunks`, in the range of `scores`.
    """
    found = {}
    for chunk in chunks:
        own = scores.get(chunk, 0.0)
        beside = max((scores[one] for one in neighbours(chunk) if one in scores), default=own)
        found[chunk] = own + (rise if beside > own else fall) * (beside - own)
    return found


def with_bonuses(scores: Mapping[str, float], bonuses: Sequence[Mapping[str, float]]) -> dict[str, float]:
    """Adds bonuses to scores; if any chunk has one, all scores are divided so that the best stays at most 1.

    Args:
        scores: the scores of all chunks, 0 to 1.
        bonuses: bonuses by chunk; a chunk without one gets none.
    """
    most = 1 + sum(max(one.values(), default=0.0) for one in bonuses)
    return {chunk: (score + sum(one.get(chunk, 0.0) for one in bonuses)) / most for chunk, score in scores.items()}


def with_nearness(
    scores: Mapping[str, float], nearness: Mapping[str, float], *, weight: float = NEARNESS
) -> dict[str, float]:
    """Adjusts the best chunks' scores by how similar their tokens are to the question's.

    Args:
        scores: the scores of all chunks, 0 to 1.
        nearness: late-interaction scores of the best chunks; if empty, the scores are unchanged.
        weight: weight of one standard deviation of nearness, relative to the range of scores.

    Returns:
        The scores of all chunks, 0 to 1; a chunk without nearness counts as the least near.
    """
    least, most = min(nearness.values(), default=0.0), max(nearness.values(), default=0.0)
    whole = 1 + weight * (most - least)
    return {chunk: (score + weight * (nearness.get(chunk, least) - least)) / whole for chunk, score in scores.items()}
