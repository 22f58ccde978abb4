"""Reads the lists of HTML, with the numbers that a browser shows."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence

from bs4 import Tag
from bs4.element import NavigableString

from ingest.loaders.formulas import mathml_text
from ingest.loaders.list_numbers import LETTER_FORMATS
from ingest.loaders.markup.html_text import BLOCK_LEVEL, MOST_DEPTH, is_formula, is_hidden, is_text

BULLET = "-"
STYLE = re.compile(r"list-style(?:-type)?\s*:\s*([a-z-]+)", re.IGNORECASE)
NO_NUMBER = frozenset({"none", "disc", "circle", "square"})
# The letters that mean the same as the names of CSS.
LETTER_OF = {
    "lower-alpha": "a",
    "lower-latin": "a",
    "upper-alpha": "A",
    "upper-latin": "A",
    "lower-roman": "i",
    "upper-roman": "I",
}


def list_lines(items: Tag, depth: int = 0) -> Iterator[str]:
    """Yields the items of a list and of those in it, each on a line in Markdown's form."""
    mark = _marks(items)
    for item in items.children:
        if not isinstance(item, Tag) or is_hidden(item):
            if is_text(item) and str(item).strip():
                yield "  " * depth + " ".join(str(item).split())
            continue
        own_mark = mark(item)
        nested = [] if depth > MOST_DEPTH else _outermost_lists(item)
        own = " ".join("".join(_strings_without(item, nested)).split())
        if own:
            yield "  " * depth + f"{own_mark} {own}"
        for inner in nested:
            yield from list_lines(inner, depth + 1)


def _marks(items: Tag) -> Callable[[Tag], str]:
    """Returns a function that counts an item and returns its mark."""
    if items.name != "ol":
        return lambda _: BULLET
    style = STYLE.search(str(items.get("style") or ""))
    kind = style[1].lower() if style else str(items.get("type") or "1")
    if kind in NO_NUMBER:
        return lambda _: BULLET
    form = LETTER_FORMATS.get(LETTER_OF.get(kind, kind), str)
    is_reversed = items.has_attr("reversed")
    count = sum(isinstance(one, Tag) and one.name == "li" for one in items.children)
    step = -1 if is_reversed else 1
    start = _number(items.get("start"))
    following = start if start is not None else (count if is_reversed else 1)

    def mark(item: Tag) -> str:
        nonlocal following
        if item.name != "li":  # a list that is not in an item
            return BULLET
        own = _number(item.get("value"))
        n = following if own is None else own
        following = n + step
        return f"{form(n)}."

    return mark


def _number(value: object) -> int | None:
    found = re.fullmatch(r"\s*([+-]?\d{1,9})\s*", str(value)) if value is not None else None
    return int(found[1]) if found else None


def _outermost_lists(item: Tag) -> list[Tag]:
    if item.name in {"ul", "ol"}:
        return [item]
    found = [one for one in item.find_all(["ul", "ol"]) if isinstance(one, Tag)]
    inner = {id(below) for one in found for below in one.find_all(["ul", "ol"])}
    return [one for one in found if id(one) not in inner and not is_hidden(one)]


def _strings_without(item: Tag, left_out: Sequence[Tag]) -> Iterator[str]:
    """Yields the text of a list item, without its nested lists."""
    skipped = {id(one) for one in left_out}
    pending: list[object] = [item]
    while pending:
        here = pending.pop()
        if isinstance(here, NavigableString):
            yield str(here) if is_text(here) else ""
        elif isinstance(here, Tag) and is_formula(here):
            yield mathml_text(here)
        elif isinstance(here, Tag) and id(here) not in skipped and (here is item or not is_hidden(here)):
            apart = [NavigableString(" ")] if here.name in BLOCK_LEVEL or here.name == "br" else []
            alt = [NavigableString(f" {here.get('alt') or ''} ")] if here.name == "img" else []
            pending.extend([*apart, *reversed(list(here.children)), *alt, *apart])
