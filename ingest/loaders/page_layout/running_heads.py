"""Finds running headers and footers, and lines repeated at the top of pages."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import pairwise
from typing import Protocol, TypeVar

from ingest.loaders.page_layout.lines import Line

# A line near a page's edge on this fraction of the pages, and on at least so many pages, is a running header or footer.
RUNNING_SHARE = 0.6
RUNNING_PAGES = 4
EDGE_LINES = 3
# Fraction of the steps from page to page in which a page number may not go on: some pages are missing or turned.
IN_STEP = 0.8
# A number that differs by more from the number of its page has to have the form of a page number.
NEAR = 30
# A number in the form of a page number: alone, after "page", as "2 of 9", or set apart from other text by a sign.
PAGE_NUMBER = re.compile(
    r"^[\W_]*+(?:\d{1,4}|[ivxlc]{1,6})[\W_]*+$|\b(?:page|p\.|seite|s\.|blatt|p\u00e1gina|pagina)\s?\d"
    r"|\d\s?(?:of|von|de|sur|di|/)\s?\d{1,5}\W{0,3}$|[|\u00b7\u2022\u2013\u2014]\s{0,3}\d{1,5}\W{0,3}$"
    r"|^\W{0,3}\d{1,5}\s{0,3}[|\u00b7\u2022\u2013\u2014]",
    re.IGNORECASE,
)
NUMBER = re.compile(r"\d+|\b[ivxlc]+\b")
T = TypeVar("T")
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

    Text on most pages is dropped from all of them, and so is text in the form of a page number that counts several
    pages in a row. Text in the same place on several pages in a row, as the name of a chapter is, stays on the first of
    these.
    """
    if len(pages) < RUNNING_PAGES:
        return [set() for _ in pages]
    edges = [{_key(line): line.text for line in _edges(page.lines)} for page in pages]
    texts: dict[str, dict[int, str]] = {}
    for page, lines in enumerate(edges):
        for key, text in lines.items():
            texts.setdefault(key, {})[page] = text
    everywhere = {
        key
        for key, found in texts.items()
        if len(found) >= max(RUNNING_PAGES, RUNNING_SHARE * len(pages))
        and _count_pages([*found.items()])
        and _are_near([*found.items()])
    }
    dropped = [set(everywhere) for _ in pages]
    for key, first, last in _runs([{*lines} for lines in edges]):
        run = [(page, texts[key][page]) for page in range(first, last + 1)]
        differing = {text for _, text in run}
        if len(differing) == len(run) and all(map(PAGE_NUMBER.search, differing)) and _count_pages(run):
            for page, _ in run:
                dropped[page].add(key)
    places = [{(_key(line), round(line.top / SAME_PLACE)) for line in _edges(page.lines)} for page in pages]
    for (key, _), first, last in _runs(places):
        for page in range(first + 1, last + 1):
            if texts[key][page] == texts[key][page - 1]:
                dropped[page].add(key)
    return dropped


def _runs(pages: Sequence[set[T]]) -> Iterator[tuple[T, int, int]]:
    """Yields what enough pages in a row have, with the first and the last of these pages."""
    since: dict[T, int] = {}
    for number, here in enumerate([*pages, set()]):
        for one in [one for one in since if one not in here]:
            first = since.pop(one)
            if number - first >= RUNNING_PAGES:
                yield one, first, number - 1
        for one in here:
            since.setdefault(one, number)


def _count_pages(found: Sequence[tuple[int, str]]) -> bool:
    """Returns True if the numbers in a line are the same on all pages, or grow by one a page or start again.

    Others are no page numbers: a file with an invoice on each page has another number of an invoice on each.

    Args:
        found: the pages that have the line, in order, with its text there.
    """
    steps = [
        after == before or after - before == page - earlier or after <= 1
        for (earlier, text), (page, following) in pairwise(found)
        for before, after in zip(_numbers(text), _numbers(following), strict=True)
    ]
    return sum(steps) >= IN_STEP * len(steps)


def _are_near(found: Sequence[tuple[int, str]]) -> bool:
    """Returns True if what differs between the lines has the form of a page number, or is near the number of the page.

    Statements for 2030, 2031, ... on a page each do count, and are none.
    """
    differing = {text for _, text in found}
    if len(differing) == 1 or all(map(PAGE_NUMBER.search, differing)):
        return True
    columns = zip(*(_numbers(text) for _, text in found), strict=True)
    return all(
        len(set(column)) == 1 or all(abs(n - page) <= NEAR for n, (page, _) in zip(column, found, strict=True))
        for column in columns
    )


def _numbers(text: str) -> list[int]:
    return [int(one) if one.isdecimal() else 0 for one in NUMBER.findall(text.casefold())]


def repeated_heads(pages: Sequence[OfLines]) -> set[str]:
    """Returns the texts that stand at the top of several pages, such as a firm's name over its statements."""
    seen = Counter(text for page in pages for text in {line.text for line in _highest(page.lines)})
    return {text for text, n in seen.items() if n >= REPEATED_PAGES}


def without_heads(lines: Sequence[Line], running: Collection[str]) -> list[Line]:
    """Removes running heads, except numbers beside other words; keeps all lines if nothing would be left."""
    dropped = [line for line in _edges(lines) if _key(line) in running]
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
    return NUMBER.sub("#", line.text.casefold())
