"""Reads the visible words of HTML's elements."""

from __future__ import annotations

import re
from collections.abc import Iterator
from collections.abc import Set as AbstractSet

from bs4 import Tag
from bs4.element import NavigableString, PreformattedString

from ingest.loaders.formulas import mathml_text

SKIPPED = frozenset(
    {
        "script",
        "style",
        "noscript",
        "template",
        "nav",
        "svg",
        "iframe",
        "object",
        "embed",
        "head",
        "select",
        "button",
        "input",
        "textarea",
    }
)
HEADINGS = {f"h{n}": n for n in range(1, 7)}
BLOCK_LEVEL = frozenset(
    {
        "html",
        "body",
        "address",
        "article",
        "aside",
        "blockquote",
        "dd",
        "details",
        "dialog",
        "div",
        "dl",
        "dt",
        "fieldset",
        "figcaption",
        "figure",
        "footer",
        "form",
        "header",
        "hgroup",
        "hr",
        "li",
        "main",
        "menu",
        "ol",
        "p",
        "pre",
        "search",
        "section",
        "summary",
        "table",
        "tbody",
        "td",
        "tfoot",
        "th",
        "thead",
        "tr",
        "ul",
    }
)
HIDDEN_STYLE = re.compile(r"display\s*:\s*none|visibility\s*:\s*hidden", re.IGNORECASE)
# Deeper than real pages; the content below is read as plain text.
MOST_DEPTH = 150


def is_hidden(element: Tag) -> bool:
    """Returns True if an element is not shown, or is no text: a script, a form field, navigation."""
    return (
        element.name in SKIPPED
        or element.has_attr("hidden")
        or element.get("aria-hidden") == "true"
        or element.get("role") == "navigation"
        or bool(HIDDEN_STYLE.search(str(element.get("style") or "")))
    )


def is_formula(element: Tag) -> bool:
    """Returns True for MathML."""
    return element.name == "math" or element.name.endswith(":math")


def is_text(child: object) -> bool:
    """Returns True for text, but not for comments, doctypes and CDATA."""
    return isinstance(child, NavigableString) and not isinstance(child, PreformattedString)


def text_of(element: Tag, left_out: AbstractSet[str] = frozenset()) -> str:
    """Returns the visible text of an element on one line, without inner elements of the names `left_out`."""
    return " ".join("".join(_strings(element, 0, left_out)).split())


def _strings(element: Tag, depth: int, left_out: AbstractSet[str]) -> Iterator[str]:
    for child in element.children:
        if is_text(child):
            yield str(child)
        elif isinstance(child, Tag) and child.name not in left_out and not is_hidden(child):
            yield from _element_strings(child, depth, left_out)


def _element_strings(element: Tag, depth: int, left_out: AbstractSet[str]) -> Iterator[str]:
    apart = element.name in BLOCK_LEVEL or element.name in HEADINGS or element.name == "br"
    if apart:
        yield " "
    if element.name == "img":
        yield f" {element.get('alt') or ''} "
    elif is_formula(element):
        yield mathml_text(element)
    elif depth > MOST_DEPTH:
        yield element.get_text(" ")
    else:
        yield from _strings(element, depth + 1, left_out)
    if apart:
        yield " "
