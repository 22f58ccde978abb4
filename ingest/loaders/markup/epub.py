"""Reads EPUB books: chapters in reading order, each a page labelled with its name."""

from __future__ import annotations

import posixpath
from typing import Any
from urllib.parse import unquote

from ingest.errors import EncryptedDocument
from ingest.loaders.containers.zip_package import Package
from ingest.loaders.document_builder import Builder
from ingest.loaders.markup.html import read_html
from ingest.loaders.source import Source
from ingest.models import Document

CONTAINER = "META-INF/container.xml"
RIGHTS = "META-INF/rights.xml"
PAGES = frozenset({"application/xhtml+xml", "text/html", "application/x-dtbook+xml"})
MOST_LABEL = 80


def load_epub(source: Source) -> Document:
    """Reads an EPUB book.

    Raises:
        EncryptedDocument: it is protected by DRM.
        DamagedDocument: it is not an EPUB, or damaged.
    """
    package = Package(source, "EPUB")
    if RIGHTS in package.names:
        raise EncryptedDocument(f"{source} is protected by its publisher (DRM) and cannot be read.")
    with package.being_read():
        root = _first(package.xml(CONTAINER), "rootfile").get("full-path")
        book = package.xml(root)
        builder = Builder(source.output)
        warnings = []
        for number, name in enumerate(_chapters(book, posixpath.dirname(root)), start=1):
            if name in package.names:
                with source.output.apart():
                    chapter = read_html(package.read(name), source.output)
                label = next((block.title for block in chapter.blocks if block.title), "") or chapter.title
                builder.begin_page(f"chapter “{label[:MOST_LABEL]}”" if label else f"part {number}")
                builder.insert(chapter)
            else:
                warnings.append(f"{name} was not read: the book lists it but does not contain it.")
    title = next((one.text for one in book.iter() if _name(one) == "title" and (one.text or "").strip()), "")
    return builder.build(title or builder.first_heading(), warnings)


def _chapters(book: Any, folder: str) -> list[str]:
    """Returns the names of the text parts, in the order of the book's spine."""
    items = {one.get("id"): one for one in book.iter() if _name(one) == "item"}
    spine = [items.get(one.get("idref")) for one in book.iter() if _name(one) == "itemref"]
    parts = [one for one in spine if one is not None and one.get("media-type") in PAGES and one.get("href")]
    return [posixpath.normpath(posixpath.join(folder, unquote(one.get("href").split("#")[0]))) for one in parts]


def _first(root: Any, name: str) -> Any:
    for one in root.iter():
        if _name(one) == name:
            return one
    raise ValueError(f"the book has no {name}")


def _name(element: Any) -> str:
    return element.tag.rsplit("}", 1)[-1] if isinstance(element.tag, str) else ""
