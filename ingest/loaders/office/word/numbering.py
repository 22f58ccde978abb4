"""Counts the list items and numbered headings of a Word document, and writes their numbers as Word shows them.

The rules are those of ECMA-376 part 1, section 17.9: a list instance (`w:num`) refers to a definition (`w:abstractNum`)
of up to nine levels, and instances of one definition share their counters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from docx.document import Document as WordDocument
from docx.oxml.ns import qn
from docx.oxml.parser import parse_xml

from ingest.loaders.list_numbers import WORD_FORMATS

PLACEHOLDER = re.compile(r"%([1-9])")
BULLET = "-"
DEEPEST = 8


@dataclass(frozen=True, slots=True)
class Level:
    """A level of a list.

    Attributes:
        format: the name of its number format; "bullet" for no number.
        text: the pattern of its mark: "%1.%2".
        start: its first number.
        restart: the level, counted from 1, whose items restart it; 0 for never, None for any above it.
        legal: True if the numbers of all levels are shown in digits.
        style: the paragraph style that belongs to it; "" for none.
    """

    format: str = "bullet"
    text: str = ""
    start: int = 1
    restart: int | None = None
    legal: bool = False
    style: str = ""

    def restarts_after(self, own: int, used: int) -> bool:
        """Returns True if an item of level `used` restarts this level, which is `own`; both from 0."""
        return used < (own if self.restart is None else min(self.restart, own))


@dataclass(slots=True)
class _List:
    """An instance of a list; `definition` names the counters that it shares; `starts` are its own first numbers."""

    definition: str
    levels: Mapping[int, Level]
    starts: dict[int, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Place:
    """The list and level of a paragraph."""

    number_id: str
    depth: int


class Numbering:
    """The lists of a document, counted in the order of its paragraphs."""

    def __init__(self, word: WordDocument) -> None:
        part = next((p for p in word.part.package.iter_parts() if p.partname == "/word/numbering.xml"), None)
        self._lists = _lists(parse_xml(part.blob)) if part is not None else {}
        self._counters: dict[str, dict[int, int]] = {}

    def place(self, paragraph: Any, style: Any) -> Place | None:
        """Returns the place of a list item or numbered heading; None for other paragraphs.

        Args:
            paragraph: its element.
            style: its style in python-docx's form, or None.
        """
        own = _Reference.of(paragraph)
        styled, linked = _Reference(), ""
        at = style
        while not styled.number_id and at is not None:
            styled, linked = _Reference.of(at.element), at.style_id
            at = at.base_style
        number_id = own.number_id or styled.number_id
        if number_id in {"", "0"}:
            return None
        depth = own.depth
        if depth is None and not own.number_id:
            depth = self._linked_level(number_id, linked)
            depth = styled.depth if depth is None else depth
        return Place(number_id, min(depth or 0, DEEPEST))

    def next_mark(self, place: Place) -> str:
        """Counts a paragraph; returns its mark: "4.2", "(a)", "-" for a bullet, "" if it shows none."""
        found = self._lists.get(place.number_id)
        level = found.levels.get(place.depth) if found else None
        if found is None or level is None:
            return BULLET
        counters = self._counters.setdefault(found.definition, {})
        for deeper in [one for one in counters if one > place.depth]:
            if found.levels.get(deeper, level).restarts_after(deeper, place.depth):
                del counters[deeper]
        if place.depth in found.starts:  # for the first of its items only
            counters[place.depth] = found.starts.pop(place.depth)
        else:
            counters[place.depth] = counters.get(place.depth, level.start - 1) + 1
        return _mark(level, found.levels, counters)

    def _linked_level(self, number_id: str, style: str) -> int | None:
        found = self._lists.get(number_id)
        levels = found.levels if found else {}
        return next((depth for depth, level in levels.items() if style and level.style == style), None)


@dataclass(frozen=True, slots=True)
class _Reference:
    """What a paragraph or a style says of its numbering."""

    number_id: str = ""
    depth: int | None = None

    @classmethod
    def of(cls, element: Any) -> _Reference:
        found = element.find(f"{qn('w:pPr')}/{qn('w:numPr')}")
        if found is None:
            return cls()
        number_id = _value(found, "w:numId")
        return cls(number_id or "", _number(found, "w:ilvl"))


def _mark(level: Level, levels: Mapping[int, Level], counters: Mapping[int, int]) -> str:
    if level.format == "bullet":
        return BULLET

    def number(found: re.Match[str]) -> str:
        depth = int(found[1]) - 1
        one = levels.get(depth, level)
        n = counters.get(depth, one.start)
        form = WORD_FORMATS.get(one.format, str)
        return str(n) if level.legal and one.format not in {"none", "bullet"} else form(n)

    return " ".join(PLACEHOLDER.sub(number, level.text).split())


def _lists(root: Any) -> dict[str, _List]:
    """Returns the list instances by their id."""
    definitions = {one.get(qn("w:abstractNumId")): one for one in root.findall(qn("w:abstractNum"))}
    styles = {name: key for key, one in definitions.items() if (name := _value(one, "w:styleLink"))}
    lists = {}
    for number in root.findall(qn("w:num")):
        key = _value(number, "w:abstractNumId") or ""
        definition = definitions.get(key)
        linked = _value(definition, "w:numStyleLink") if definition is not None else ""
        key = styles.get(linked or "", key)
        levels = dict(_levels(definitions[key])) if key in definitions else {}
        one = _List(key, levels)
        for override in number.findall(qn("w:lvlOverride")):
            _override(one, levels, override)
        lists[number.get(qn("w:numId"))] = one
    return lists


def _override(one: _List, levels: dict[int, Level], override: Any) -> None:
    depth = int(override.get(qn("w:ilvl")) or 0)
    own = override.find(qn("w:lvl"))
    if own is not None:
        levels[depth] = _level(own, levels.get(depth, Level()))
    start = _number(override, "w:startOverride")
    if start is not None:
        one.starts[depth] = start
        levels[depth] = replace(levels.get(depth, Level()), start=start)


def _levels(definition: Any) -> Iterator[tuple[int, Level]]:
    for element in definition.findall(qn("w:lvl")):
        yield int(element.get(qn("w:ilvl")) or 0), _level(element, Level(format="decimal", start=0))


def _level(element: Any, default: Level) -> Level:
    found = [_value(element, name) for name in ("w:numFmt", "w:lvlText", "w:pStyle")]
    form, text, style = (old if new is None else new for new, old in zip(found, _texts(default), strict=True))
    start = _number(element, "w:start")
    legal = element.find(qn("w:isLgl"))
    is_legal = legal is not None and legal.get(qn("w:val")) not in {"0", "false", "off"}
    return Level(
        form, text, default.start if start is None else start, _number(element, "w:lvlRestart"), is_legal, style
    )


def _texts(level: Level) -> tuple[str, str, str]:
    return level.format, level.text, level.style


def _value(element: Any, name: str) -> str | None:
    """Returns the value of a child element; "" if it has none, None if there is no such child."""
    found = element.find(qn(name))
    return None if found is None else found.get(qn("w:val")) or ""


def _number(element: Any, name: str) -> int | None:
    value = _value(element, name)
    return int(value) if value and value.isdecimal() else None
