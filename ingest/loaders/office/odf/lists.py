"""Counts the list items and numbered headings of OpenDocument, and writes their numbers as its programs show them.

The rules are those of OpenDocument 1.3 part 3, sections 5.3 (lists), 16.31 (list styles) and 16.33 (outline).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from ingest.loaders.list_numbers import LETTER_FORMATS, letters
from ingest.loaders.office.odf.words import number_of, q

LIST_STYLE, OUTLINE_STYLE = q("text:list-style"), q("text:outline-style")
NUMBER_LEVELS = frozenset({q("text:list-level-style-number"), q("text:outline-level-style")})
NAME, FORMAT, PREFIX, SUFFIX = map(q, ("style:name", "style:num-format", "style:num-prefix", "style:num-suffix"))
SYNC, LEVEL, SHOWN, START = map(q, ("style:num-letter-sync", "text:level", "text:display-levels", "text:start-value"))
STYLE, PARENT, LIST_STYLE_NAME = map(q, ("style:style", "style:parent-style-name", "style:list-style-name"))
STYLE_NAME, CONTINUE, CONTINUE_LIST = map(q, ("text:style-name", "text:continue-numbering", "text:continue-list"))
ID = "{http://www.w3.org/XML/1998/namespace}id"
OUTLINE_LEVEL, HEADER = q("text:outline-level"), q("text:is-list-header")
PATTERN = re.compile(r"%(\d+)%")
BULLET = "-"
DEEPEST = 20
MOST_PARENTS = 50


@dataclass(frozen=True, slots=True)
class Level:
    """A numbered level of a list.

    Attributes:
        format: "1", "a", "A", "i" or "I"; "" for no number.
        prefix, suffix: the text around its number.
        shown: number of levels whose numbers are shown.
        start: its first number.
        synced: True if letters go on after z with aa, bb.
        pattern: the whole mark, with %1% for the number of the first level; "" if it is made of the parts above.
    """

    format: str
    prefix: str
    suffix: str
    shown: int
    start: int
    synced: bool
    pattern: str

    def number(self, n: int) -> str:
        """Returns a number in the format of the level."""
        if not self.format:
            return ""
        if self.synced and self.format in {"a", "A"}:
            return letters(n) if self.format == "a" else letters(n).upper()
        return LETTER_FORMATS.get(self.format, str)(n)


Levels = Mapping[int, Level]


class ListStyles:
    """The list styles of a document, and the counters of its lists."""

    def __init__(self, roots: Iterable[Any]) -> None:
        self._styles: dict[str, Levels] = {}
        self._outline: Levels = {}
        self._paragraphs: dict[str, tuple[str, str | None]] = {}
        for element in (one for root in roots for one in root.iter()):
            if element.tag == LIST_STYLE:
                self._styles[element.get(NAME) or ""] = _levels(element)
            elif element.tag == OUTLINE_STYLE:
                self._outline = _levels(element)
            elif element.tag == STYLE:
                parent = element.get(PARENT) or ""
                self._paragraphs[element.get(NAME) or ""] = parent, element.get(LIST_STYLE_NAME)
        self._headings: dict[int, int] = {}
        self._by_id: dict[str, dict[int, int]] = {}
        self._last: dict[str, dict[int, int]] = {}

    def begin(self, element: Any, style: str) -> ListCounter:
        """Returns the counter of a list; one that continues another goes on with its numbers."""
        style = element.get(STYLE_NAME) or style
        counters: dict[int, int] = {}
        if continued := element.get(CONTINUE_LIST):
            counters = self._by_id.get(continued, counters)
        elif element.get(CONTINUE) == "true":
            counters = self._last.get(style, counters)
        self._by_id[element.get(ID) or ""] = self._last[style] = counters
        return ListCounter(style, self._styles.get(style, {}), counters)

    def heading_mark(self, heading: Any) -> str:
        """Counts a heading; returns its number, or "" if it shows none."""
        depth = number_of(heading, OUTLINE_LEVEL)
        level = self._outline.get(depth)
        if level is None or not level.format or heading.get(HEADER) == "true" or self._is_unnumbered(heading):
            return ""
        return _next_mark(level, depth, self._outline, self._headings, heading.get(START))

    def _is_unnumbered(self, heading: Any) -> bool:
        """Returns True if the style of a heading takes it out of the numbering."""
        name = heading.get(STYLE_NAME) or ""
        for _ in range(MOST_PARENTS):
            name, list_style = self._paragraphs.get(name, ("", None))
            if list_style is not None:
                return not list_style
        return False


@dataclass(frozen=True, slots=True)
class ListCounter:
    """Counts the items of a list and of those in it."""

    style: str
    levels: Levels
    counters: dict[int, int]

    def mark(self, item: Any, depth: int) -> str:
        """Counts an item at a depth from 1; returns its mark."""
        level = self.levels.get(depth)
        if level is None:
            return BULLET
        return _next_mark(level, depth, self.levels, self.counters, item.get(START))


def _next_mark(level: Level, depth: int, levels: Levels, counters: dict[int, int], own: str | None) -> str:
    for deeper in [one for one in counters if one > depth]:
        del counters[deeper]
    counters[depth] = int(own) if own and own.isdecimal() else counters.get(depth, level.start - 1) + 1

    def number(at: int) -> str:
        one = levels.get(at, level)
        return one.number(counters.get(at, one.start))

    if level.pattern:
        return PATTERN.sub(lambda found: number(int(found[1])), level.pattern).strip()
    shown = [number(at) for at in range(max(depth - level.shown, 0) + 1, depth + 1)]
    return f"{level.prefix}{'.'.join(filter(None, shown))}{level.suffix}".strip()


def _levels(style: Any) -> dict[int, Level]:
    """Returns the numbered levels of a style, from 1."""
    return {
        number_of(one, LEVEL): Level(
            one.get(FORMAT) or "",
            one.get(PREFIX) or "",
            one.get(SUFFIX) or "",
            number_of(one, SHOWN),
            number_of(one, START),
            one.get(SYNC) == "true",
            next((value for name, value in one.attrib.items() if name.endswith("}num-list-format")), ""),
        )
        for one in style
        if one.tag in NUMBER_LEVELS
    }
