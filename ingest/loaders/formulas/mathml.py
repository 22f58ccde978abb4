"""Converts MathML, the formulas of web pages, books and OpenDocument, to a line of text."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bs4 import Tag
from bs4.element import NavigableString, PreformattedString

from ingest.loaders.formulas.notation import (
    INVISIBLE,
    Part,
    binomial,
    fenced,
    fraction,
    matrix,
    root,
    row,
    script,
)

DEEPEST = 60
SKIPPED = frozenset({"annotation", "annotation-xml", "mspace", "none", "mprescripts", "maligngroup", "mphantom"})
# Accents written above a letter, as combining characters.
ACCENTS = {"^": "\u0302", "ˆ": "\u0302", "~": "\u0303", "˜": "\u0303", "¯": "\u0304", "‾": "\u0304", "→": "\u20d7"}
ACCENTS |= {"˙": "\u0307", ".": "\u0307", "¨": "\u0308", "_": "\u0332"}
EMPTY = Part("")


@dataclass(frozen=True, slots=True)
class _Node:
    name: str
    text: str = ""
    children: Sequence[_Node] = ()
    attributes: Mapping[str, str] = field(default_factory=dict)


def mathml_text(element: Any) -> str:
    """Returns the text of a `math` element, of BeautifulSoup or ElementTree."""
    node = _of_page(element, 0) if isinstance(element, Tag) else _of_xml(element, 0)
    return " ".join(_part(node).text.split())


def _of_page(element: Tag, depth: int) -> _Node:
    if depth > DEEPEST:
        return _Node("mtext", element.get_text())
    texts = [str(one) for one in element.children if _is_text(one)]
    children = [_of_page(one, depth + 1) for one in element.children if isinstance(one, Tag)]
    attributes = {name: str(value) for name, value in element.attrs.items()}
    return _Node(element.name.rsplit(":", 1)[-1].lower(), "".join(texts), children, attributes)


def _is_text(one: object) -> bool:
    return isinstance(one, NavigableString) and not isinstance(one, PreformattedString)


def _of_xml(element: Any, depth: int) -> _Node:
    if depth > DEEPEST:
        return _Node("mtext", "".join(element.itertext()))
    name = element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else "none"
    children = [_of_xml(one, depth + 1) for one in element]
    return _Node(name, element.text or "", children, dict(element.attrib))


def _part(node: _Node) -> Part:  # noqa: C901, PLR0911, PLR0912 - a table of elements
    if node.name in SKIPPED:
        return EMPTY
    if not node.children:
        return Part(_leaf(node))
    if node.name == "semantics":
        return _part(node.children[0])
    if node.name == "mtable":
        return matrix([[_part(cell) for cell in line.children] for line in node.children])
    parts = [_part(child) for child in node.children]
    first, second, third = [*parts, EMPTY, EMPTY, EMPTY][:3]
    match node.name:
        case "mfrac":
            bar = node.attributes.get("linethickness", "")
            return binomial(first, second) if bar.rstrip("ptxemc%") == "0" else fraction(first, second)
        case "msqrt":
            return root(row(parts))
        case "mroot":
            return root(first, second)
        case "msup":
            return script(first, None, second)
        case "msub":
            return script(first, second)
        case "msubsup" | "munderover":
            return script(first, second, third)
        case "mover" | "munder":
            accent = ACCENTS.get(second.text.strip())
            if accent and len(first.text.strip()) == 1:
                return Part(first.text.strip() + accent)
            return script(first, *((None, second) if node.name == "mover" else (second,)))
        case "mfenced":
            marks = [node.attributes.get(name, usual) for name, usual in (("open", "("), ("close", ")"))]
            return fenced(parts, *marks)
    return row(parts)


def _leaf(node: _Node) -> str:
    text = node.text.strip().translate(INVISIBLE)
    return f" {text} " if node.name == "mtext" else text
