"""Splits a span of text that is too long for one chunk, at the coarsest separators that suffice."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from ingest.chunking.token_counter import CHARACTERS_PER_TOKEN, TokenCounter

SEPARATORS = {
    "table": (r"\n",),
    "code": (r"\n\s*\n", r"\n"),
    "list": (r"\n(?=\S)", r"\n", r"(?<=[.!?;])\s+"),
}
SENTENCE_END = r"(?<=[.!?…])[\"'”\u2019)\]]*\s+|(?<=[。\uff01\uff1f])"
TEXT_SEPARATORS = (r"\n\s*\n", SENTENCE_END, r"\n", r"(?<=[;:,])\s+", r"\s+")


def split_block(counter: TokenCounter, kind: str, start: int, end: int, room: int) -> Iterator[tuple[int, int]]:
    """Splits a block, [start, end), into spans of at most `room` tokens, at separators of its kind."""
    return _split(counter, start, end, room, (*SEPARATORS.get(kind, ()), *TEXT_SEPARATORS))


def _split(
    counter: TokenCounter, start: int, end: int, room: int, separators: Sequence[str]
) -> Iterator[tuple[int, int]]:
    """Splits [start, end) into the fewest spans of at most `room` tokens, at the coarsest sufficient separators."""
    if counter.count(start, end) <= room:
        yield start, end
        return
    if not separators:
        yield from _split_anywhere(counter, start, end, room)
        return
    run: tuple[int, int] | None = None
    for left, right in _between_cuts(counter.text, start, end, separators[0]):
        if run and counter.count(run[0], right) <= room:
            run = run[0], right
            continue
        if run:
            yield run
        run = None
        if counter.count(left, right) <= room:
            run = left, right
            continue
        for span in _split(counter, left, right, room, separators[1:]):
            if run:
                yield run
            run = span
    if run:
        yield run


def _between_cuts(text: str, start: int, end: int, separator: str) -> Iterator[tuple[int, int]]:
    """Yields the spans between separators in [start, end), each including the separator at its end."""
    at = start
    for found in re.compile(separator).finditer(text, start, end):
        if at < found.end() < end:
            yield at, found.end()
            at = found.end()
    yield at, end


def _split_anywhere(counter: TokenCounter, start: int, end: int, room: int) -> Iterator[tuple[int, int]]:
    """Splits text without spaces wherever `room` is full."""
    step = max(1, room * CHARACTERS_PER_TOKEN)
    while start < end:
        stop = min(end, start + step)
        while stop - start > 1 and counter.count(start, stop) > room:
            stop = start + (stop - start) // 2
        yield start, stop
        start = stop


def stripped(text: str, start: int, end: int) -> tuple[int, int]:
    """Narrows [start, end) to exclude surrounding white space."""
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def middle_of(text: str, start: int, end: int) -> int:
    """Returns the offset of a space near the middle of [start, end), or the middle itself."""
    half = (start + end) // 2
    space = text.rfind(" ", start + 1, half)
    return space if space > start + (end - start) // 4 else half
