"""Reads the visible text of HTML, without navigation, scripts and hidden parts."""

from __future__ import annotations

import warnings

from bs4 import BeautifulSoup, Tag, XMLParsedAsHTMLWarning

from ingest.loaders.document_builder import Builder
from ingest.loaders.formulas import mathml_text
from ingest.loaders.markup.html_lists import list_lines
from ingest.loaders.markup.html_tables import HtmlTable, read_table
from ingest.loaders.markup.html_text import BLOCK_LEVEL, HEADINGS, MOST_DEPTH, is_formula, is_hidden, is_text, text_of
from ingest.loaders.output_limits import Output
from ingest.loaders.plain_text import BOMS, decode
from ingest.loaders.source import Source
from ingest.loaders.table_grid import add_grid
from ingest.models import Document


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
            if is_text(child):
                self._words.append(str(child))
            elif isinstance(child, Tag) and not is_hidden(child):
                self._element(child, depth + 1)

    def _element(self, element: Tag, depth: int) -> None:
        name = element.name
        if name == "br":
            self._words.append("\0")
        elif name == "img":
            self._words.append(f" {element.get('alt') or ''} ")
        elif is_formula(element):
            self._words.append(mathml_text(element))
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
            self.builder.add_heading(level, text_of(element))
        elif element.name in {"ul", "ol", "menu"}:
            self.builder.add("list", "\n".join(list_lines(element)))
        elif element.name == "pre":
            self.builder.add("code", _fenced(element.get_text()))
        elif element.name == "table" and (table := read_table(element, _cell_text)).is_data:
            self._table(element, table, depth)
        else:
            self.walk(element, depth)

    def _table(self, element: Tag, table: HtmlTable, depth: int) -> None:
        """Adds a table, then those inside its cells."""
        self._caption(element)
        add_grid(self.builder, table.rows, table.merges, table.headers)
        for name, inner in table.inner:
            self.builder.add("paragraph", name)
            self._block(inner, depth + 1)
            self.flush()

    def _caption(self, table: Tag) -> None:
        caption = table.find("caption", recursive=False)
        if isinstance(caption, Tag):
            self.builder.add("paragraph", text_of(caption))


def _cell_text(cell: Tag) -> str:
    return text_of(cell, {"table"})


def _fenced(code: str) -> str:
    fence = "```"
    while fence in code:
        fence += "`"
    return f"{fence}\n{code.strip(chr(10))}\n{fence}" if code.strip() else ""


def _collapsed(text: str) -> str:
    """Collapses white space in running text; a NUL stands for an explicit line break."""
    lines = (" ".join(line.split()) for line in text.split("\0"))
    return "\n".join(line for line in lines if line)
