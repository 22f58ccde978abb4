"""Marks places in an answer's Markdown, before it is parsed, by one private-use character each. Pure."""

from __future__ import annotations

import re
from bisect import bisect_right
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from app.models import Sentence
from app.text import MARKER, code_spans, marker_numbers

FIRST_PLACE, MOST_PLACES = 0xF0000, 0xFFFE
# Block markup must stay at the start of its block, and emphasis outside the text it emphasises.
LEAD = re.compile(r"\s*+(?:(?:[-*+]|\d{1,9}[.)]|>|#{1,6})\s++|\|\s*+)*+[*_]*+")
TAIL = "*_| \t\r\n"
FENCES = ("```", "~~~")

Kind = Literal["dark", "end", "begin", "light", "note"]
# The order of places at the same position.
ORDER: tuple[Kind, ...] = get_args(Kind)


@dataclass(frozen=True, slots=True)
class Place:
    """One marked place in the text.

    The start or end of sentence `sentence`, or of a highlight, or a marker: `raw` is its text, with the numbers of
    those of its footnotes that exist.
    """

    kind: Kind
    sentence: int = -1
    raw: str = ""
    numbers: tuple[int, ...] = ()


def with_places(text: str, sentences: Sequence[Sentence], flagged: Collection[int]) -> tuple[str, dict[str, Place]]:
    """Returns the text with a private character at each place, and the places by their characters.

    Args:
        text: the Markdown, with [n] markers and without private characters.
        sentences: its sentences, in order.
        flagged: the numbers of those whose start and end are marked.
    """
    parts, places, at = list[str](), dict[str, Place](), 0
    wanted = sorted(
        _Finder(text, sentences, flagged).places(),
        key=lambda one: (one[0], ORDER.index(one[2].kind) if one[2] else len(ORDER)),
    )
    for n, (start, end, place) in enumerate(wanted[:MOST_PLACES]):
        parts.append(text[at:start])
        if place:
            parts.append(chr(FIRST_PLACE + n))
            places[parts[-1]] = place
        parts.append("\n" * text.count("\n", start, end))
        at = max(at, end)
    return "".join([*parts, text[at:]]), places


class _Finder:
    """Finds the places of one text."""

    def __init__(self, text: str, sentences: Sequence[Sentence], flagged: Collection[int]) -> None:
        self._text, self._sentences, self._flagged = text, sentences, flagged
        self._code = [at for span in code_spans(text) for at in span]

    def places(self) -> Iterator[tuple[int, int, Place | None]]:
        """Yields the places and the part of the text that each replaces: [start, end)."""
        yield from self._markers()
        for i, sentence in enumerate(self._sentences):
            if i in self._flagged:
                yield from self._bounds(i, sentence)
            for start, end in sentence.spans:
                yield start, start, Place("light")
                yield end, end, Place("dark")

    def _bounds(self, i: int, sentence: Sentence) -> Iterator[tuple[int, int, Place]]:
        lead = LEAD.match(self._text, sentence.start, sentence.end)
        begin = lead.end() if lead else sentence.start
        words = self._text[begin : sentence.end]
        if not words.startswith(FENCES):
            end = begin + len(words.rstrip(TAIL))
            yield begin, begin, Place("begin", i)
            yield end, end, Place("end", i)

    def _markers(self) -> Iterator[tuple[int, int, Place | None]]:
        within = iter(self._sentences)
        sentence = next(within, None)
        for marker in MARKER.finditer(self._text):
            while sentence and sentence.end <= marker.start():
                sentence = next(within, None)
            numbers = tuple(marker_numbers(marker))
            if sentence and sentence.start <= marker.start():
                numbers = tuple(n for n in numbers if n in sentence.citations)
            place = Place("note", raw=marker.group(), numbers=numbers)
            before = self._emphasis_end(marker.start())
            if before is None:
                yield *marker.span(), place
            else:
                yield before, before, place
                yield *marker.span(), None

    def _emphasis_end(self, at: int) -> int | None:
        """Returns the start of a mark that ends emphasis before `at`; a letter after it would prevent that."""
        run = self._text[max(0, at - 3) : at]
        begin = at - len(run) + len(run.rstrip("*_"))
        code = bisect_right(self._code, at)
        opens = begin == 0 or self._text[begin - 1].isspace() or self._text[begin - 1] in "*_|>"
        return None if begin == at or opens or code % 2 else begin
