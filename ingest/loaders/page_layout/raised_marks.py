"""Joins raised marks, such as the number of a footnote, with the words that they follow. Pure geometry."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import replace

from ingest.loaders.page_layout.lines import Line, Word

# A mark is smaller than its word's line by this factor, and has at most this many characters.
SMALLER = 0.85
MOST_CHARACTERS = 8
# The gap between a word and its mark, in heights of the line; a mark may also touch the word.
NEAREST, FARTHEST = -0.3, 0.6
# Lines are looked up in bands of this height, in points.
BAND = 8.0
MOST_BANDS = 8


def with_marks(lines: Sequence[Line]) -> list[Line]:
    """Returns the lines in the same order, each raised mark moved into the line of its word."""
    if not lines:
        return []
    largest = max(line.size for line in lines)
    marks = [line for line in lines if len(line.text) <= MOST_CHARACTERS and line.size <= SMALLER * largest]
    if not marks or len(marks) == len(lines):
        return list(lines)
    bands: dict[int, list[int]] = defaultdict(list)
    placed: list[Line | None] = list(lines)
    for i, line in enumerate(lines):
        for band in _bands(line):
            bands[band].append(i)
    index = {id(line): i for i, line in enumerate(lines)}
    for mark in sorted(marks, key=lambda one: one.left):
        hosts = {i for band in _bands(mark) for i in bands[band]}
        found = [(one, i) for i in hosts if (host := placed[i]) and (one := _joined(host, mark))]
        if found:
            joined, i = min(found, key=lambda one: one[1])
            placed[i], placed[index[id(mark)]] = joined, None
    return [line for line in placed if line]


def _bands(line: Line) -> Iterator[int]:
    first = int(line.bottom // BAND)
    yield from range(first, min(int(line.top // BAND), first + MOST_BANDS) + 1)


def _joined(host: Line, mark: Line) -> Line | None:
    """Returns a line with a mark after the word that it follows; None if it follows none of its words."""
    middle = (mark.bottom + mark.top) / 2
    if mark.size > SMALLER * host.size or not host.bottom < middle < host.top + mark.size / 2:
        return None
    low, high = NEAREST * host.size, FARTHEST * host.size
    after = [i for i, word in enumerate(host.words) if low <= mark.left - word.right <= high]
    if not after:
        return None
    words, at = list(host.words), after[-1]
    if any(c.isalnum() for c in mark.text):
        words[at + 1 : at + 1] = mark.words
    else:
        word = words[at]
        words[at] = replace(word, text=word.text + mark.text, right=max(word.right, mark.right))
    return replace(host, text=_text(words), right=max(host.right, mark.right), words=tuple(words))


def _text(words: Sequence[Word]) -> str:
    return " ".join(word.text for word in words)
