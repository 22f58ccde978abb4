"""What a model says to itself before it answers, left out of a stream. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

THOUGHTS = ("<think>", "</think>")


def without_thoughts(pieces: Iterable[str]) -> Iterator[str]:
    """Leaves out a leading <think>…</think>, as some open models write it into their answers; "" in its place."""
    begin, end = THOUGHTS
    held, thinking, decided = "", False, False
    for piece in pieces:
        if decided or not piece:
            yield piece
            continue
        held += piece
        if thinking or held.lstrip().startswith(begin):
            thinking = True
            _, decided_now, rest = held.partition(end)
            decided = bool(decided_now)
            yield rest
        elif not begin.startswith(held.lstrip()):
            decided = True
            yield held
    if held and not decided and not thinking:
        yield held
