"""Finds running headers and footers, and lines repeated at the top of pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Sequence
from typing import Protocol

from ingest.loaders.page_layout.lines import Line

# A line near a page's edge on this fraction of the pages, and on at least so many pages, is a running header or footer.
RUNNING_SHARE = 0.6
RUNNING_PAGES = 4
EDGE_LINES = 3
# A line at the top of this many pages is a letterhead, not a heading.
REPEATED_PAGES = 3
# Lines at heights that differ by less, in points, are at the same place.
SAME_PLACE = 4.0


class OfLines(Protocol):
    """A page."""

    @property
    def lines(self) -> tuple[Line, ...]:
        """Returns its lines."""


def running_heads(pages: Sequence[OfLines]) -> list[set[str]]:
    """Returns the keys of running headers and footers to drop from each page.

    Text on most pages is dropped from all of them. Text in the same place on several pages in a row, as the name of a
    chapter is, stays on the first of these.
    """
    if len(pages) < RUNNING_PAGES:
        return [set() for _ in pages]
    edges = [{_key(line) for line in _edges(page.lines)} for page in pages]
    seen = Counter(key for keys in edges for key in keys)
    everywhere = {key for key, n in seen.items() if n >= RUNNING_PAGES and n >= RUNNING_SHARE * len(pages)}
    dropped = [set(everywhere) for _ in pages]
    places = [{(line.text, round(line.top / SAME_PLACE)) for line in _edges(page.lines)} for page in pages]
    since: dict[tuple[str, int], int] = {}
    for number, here in enumerate([*places, set()]):
        for place in [one for one in since if one not in here]:
            begun = since.pop(place)
            if number - begun >= RUNNING_PAGES:
                for page in range(begun + 1, number):
                    dropped[page].add(place[0])
        for place in here:
            since.setdefault(place, number)
    return dropped


def repeated_heads(pages: Sequence[OfLines]) -> set[str]:
    """Returns the texts that stand at the top of several pages, such as a firm's name over its statements."""
    seen = Counter(text for page in pages for text in {line.text for line in _highest(page.lines)})
    return {text for text, n in seen.items() if n >= REPEATED_PAGES}


def without_heads(lines: Sequence[Line], running: Collection[str]) -> list[Line]:
    """Removes running heads, except numbers beside other words; keeps all lines if nothing would be left."""
    dropped = [line for line in _edges(lines) if line.text in running or _key(line) in running]
    gone = {id(line) for line in dropped if not any(_beside(line, one) and one not in dropped for one in lines)}
    kept = [line for line in lines if id(line) not in gone]
    return kept or list(lines)


def _highest(lines: Sequence[Line]) -> list[Line]:
    return sorted(lines, key=lambda line: -line.top)[:EDGE_LINES]


def _edges(lines: Sequence[Line]) -> list[Line]:
    """Returns the highest and lowest lines of a page, in any file order."""
    by_height = sorted(lines, key=lambda line: -line.top)
    return [*by_height[:EDGE_LINES], *by_height[EDGE_LINES:][-EDGE_LINES:]]


def _beside(line: Line, other: Line) -> bool:
    return other is not line and other.bottom < (line.bottom + line.top) / 2 < other.top


def _key(line: Line) -> str:
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text.casefold())
