"""Reads the visible text of HTML, without navigation, scripts and hidden parts."""

from __future__ import annotations

import re
import warnings
from collections.abc import Iterator

from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning
from bs4.element import NavigableString, PreformattedString

from ingest.loaders.document_builder import Builder
from ingest.loaders.markup.html_tables import cells, is_data
from ingest.loaders.output_limits import Output
from ingest.loaders.plain_text import BOMS, decode
from ingest.loaders.source import Source
from ingest.models import Document

SKIPPED = frozenset(
    {
        "script",
        "style",
        "noscript",
        "template",
        "nav",
        "svg",
        "math",
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


def load_html(source: Source) -> Document:
    """Reads an HTML file.

    Raises:
        DamagedDocument: it contains bytes that are not text.
    """
    data = source.data
    marked = data.startswith(tuple(bom for bom, _ in BOMS))
    return read_html(decode(data, source) if marked or b"\0" in data else data, source.output)


def read_html(markup: str | bytes, output: Output) -> Document:
    """Converts HTML to a document.

    Args:
        markup: bytes are decoded by their declared encoding, or the likeliest.
        output: counts the document's size.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", XMLParsedAsHTMLWarning)  # XHTML is both
        soup = BeautifulSoup(markup, "lxml")
    writer = _Writer(output)
    if soup.body or soup.html:
        writer.walk(soup.body or soup.html or soup, 0)
    writer.flush()
    title = soup.title.get_text() if soup.title else ""
    return writer.builder.build(title.strip() or writer.builder.first_heading())


def add_html(builder: Builder, markup: str | bytes) -> None:
    """Adds the blocks of a page that is part of a document. `markup` as in `read_html`."""
    with builder.output.apart():
        page = read_html(markup, builder.output)
    builder.insert(page)


class _Writer:
    """Walks the elements, collecting running text until a block-level element ends it."""

    def __init__(self, output: Output) -> None:
        self.builder = Builder(output)
        self._words: list[str] = []

    def flush(self) -> None:
        self.builder.add("paragraph", _collapsed("".join(self._words)))
        self._words = []

    def walk(self, element: Tag, depth: int) -> None:
        for child in element.children:
            if isinstance(child, PreformattedString):  # comments, doctypes, CDATA
                continue
            if isinstance(child, NavigableString):
                self._words.append(str(child))
            elif isinstance(child, Tag) and not _is_hidden(child):
                self._element(child, depth + 1)

    def _element(self, element: Tag, depth: int) -> None:
        name = element.name
        if name == "br":
            self._words.append("\0")
        elif name == "img":
            self._words.append(f" {element.get('alt') or ''} ")
        elif depth > MOST_DEPTH:
            self._words.append(element.get_text(" "))
        elif name not in BLOCK_LEVEL and name not in HEADINGS:
            self.walk(element, depth)
        else:
            self.flush()
            self._block(element, depth)
            self.flush()

    def _block(self, element: Tag, depth: int) -> None:
        if level := HEADINGS.get(element.name):
            self.builder.add_heading(level, _text(element))
        elif element.name in {"ul", "ol", "menu"}:
            self.builder.add("list", "\n".join(_list_lines(element, 0)))
        elif element.name == "pre":
            self.builder.add("code", _fenced(element.get_text()))
        elif element.name == "table" and is_data(element, _text):
            self._caption(element)
            self.builder.add_table(cells(element, _text))
        else:
            self.walk(element, depth)

    def _caption(self, table: Tag) -> None:
        caption = table.find("caption", recursive=False)
        if isinstance(caption, Tag):
            self.builder.add("paragraph", _text(caption))


def _is_hidden(element: Tag) -> bool:
    return (
        element.name in SKIPPED
        or element.has_attr("hidden")
        or element.get("aria-hidden") == "true"
        or element.get("role") == "navigation"
        or bool(HIDDEN_STYLE.search(str(element.get("style") or "")))
    )


def _text(element: Tag) -> str:
    """Returns the visible text of an element on one line."""
    return " ".join("".join(_strings(element, 0)).split())


def _strings(element: Tag, depth: int) -> Iterator[str]:
    for child in element.children:
        if isinstance(child, PreformattedString):
            continue
        if isinstance(child, NavigableString):
            yield str(child)
        elif isinstance(child, Tag) and not _is_hidden(child):
            yield from _element_strings(child, depth)


def _element_strings(element: Tag, depth: int) -> Iterator[str]:
    apart = element.name in BLOCK_LEVEL or element.name in HEADINGS or element.name == "br"
    if apart:
        yield " "
    if element.name == "img":
        yield f" {element.get('alt') or ''} "
    elif depth > MOST_DEPTH:
        yield element.get_text(" ")
    else:
        yield from _strings(element, depth + 1)
    if apart:
        yield " "


def _list_lines(items: Tag, depth: int) -> Iterator[str]:
    number = 0
    for item in items.children:
        if not isinstance(item, Tag) or _is_hidden(item):
            if isinstance(item, NavigableString) and not isinstance(item, PreformattedString) and item.strip():
                yield "  " * depth + " ".join(item.split())
            continue
        number += 1
        mark = f"{number}." if items.name == "ol" else "-"
        nested = [] if depth > MOST_DEPTH else _outermost_lists(item)
        own = " ".join("".join(_strings_without(item, nested)).split())
        if own:
            yield "  " * depth + f"{mark} {own}"
        for inner in nested:
            yield from _list_lines(inner, depth + 1)


def _outermost_lists(item: Tag) -> list[Tag]:
    if item.name in {"ul", "ol"}:
        return [item]
    found = [one for one in item.find_all(["ul", "ol"]) if isinstance(one, Tag)]
    inner = {id(below) for one in found for below in one.find_all(["ul", "ol"])}
    return [one for one in found if id(one) not in inner and not _is_hidden(one)]


def _strings_without(item: Tag, left_out: list[Tag]) -> Iterator[str]:
    """Yields the text of a list item, without its nested lists."""
    skipped = {id(one) for one in left_out}
    pending: list[object] = [item]
    while pending:
        here = pending.pop()
        if isinstance(here, NavigableString):
            yield "" if isinstance(here, PreformattedString) else str(here)
        elif isinstance(here, Tag) and id(here) not in skipped and (here is item or not _is_hidden(here)):
            apart = [NavigableString(" ")] if here.name in BLOCK_LEVEL or here.name == "br" else []
            alt = [NavigableString(f" {here.get('alt') or ''} ")] if here.name == "img" else []
            pending.extend([*apart, *reversed(list(here.children)), *alt, *apart])


def _fenced(code: str) -> str:
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}\n{code.strip(chr(10))}\n{fence}" if code.strip() else ""


def _collapsed(text: str) -> str:
    """Collapses white space in running text; a NUL stands for an explicit line break."""
    lines = (" ".join(line.split()) for line in text.split("\0"))
    return "\n".join(line for line in lines if line)
