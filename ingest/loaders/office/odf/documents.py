"""Reads OpenDocument texts and presentations: headings, lists, tables, notes, slides."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass
from typing import Any

from ingest.errors import DamagedDocument
from ingest.loaders.containers.zip_package import Package, parse_xml
from ingest.loaders.document_builder import Builder
from ingest.loaders.formulas import mathml_text
from ingest.loaders.office.odf.lists import ListStyles
from ingest.loaders.office.odf.words import MATH, P, Words, check_unlocked, q
from ingest.loaders.office.odf.writer import Writer
from ingest.loaders.office.pptx import hidden_slides
from ingest.loaders.source import Source
from ingest.models import Document

DC_TITLE = "{http://purl.org/dc/elements/1.1/}title"
SLIDE, SLIDE_NOTES, TITLED = map(q, ("draw:page", "presentation:notes", "presentation:class"))
MARGINS = frozenset(map(q, ("style:header", "style:footer")))
STYLE, NAME, SLIDE_STYLE = map(q, ("style:style", "style:name", "draw:style-name"))
TEXT_PROPERTIES, DISPLAY = map(q, ("style:text-properties", "text:display"))
SLIDE_PROPERTIES, VISIBILITY = map(q, ("style:drawing-page-properties", "presentation:visibility"))


def load_odt(source: Source) -> Document:
    """Reads a text (.odt, or its single-file form .fodt). Headers and footers come last, once each.

    Raises:
        EncryptedDocument: a password is needed.
        DamagedDocument: it is damaged, or made to unpack to an absurd size.
    """
    parts = _parts(source, "OpenDocument text")
    writer = parts.writer(source)
    writer.children(_body(parts, "office:text", source), 0)
    writer.notes()
    margins = dict.fromkeys(
        " ".join(writer.words.of(one).split())
        for one in (parts.styles.iter() if parts.styles is not None else ())
        if one.tag in MARGINS
    )
    for words in margins:
        writer.builder.add("paragraph", words)
    return writer.builder.build(parts.title or writer.builder.first_heading(), _hidden_text(writer.words))


def _hidden_text(words: Words) -> list[str]:
    if not words.hidden:
        return []
    return [
        f"Hidden text of {words.hidden:,} characters was left out. To have it read, show it, and save the document."
    ]


def load_odp(source: Source) -> Document:
    """Reads a presentation (.odp, .fodp): slides with their notes.

    Raises:
        EncryptedDocument: a password is needed.
        DamagedDocument: it is damaged, or made to unpack to an absurd size.
    """
    parts = _parts(source, "OpenDocument presentation")
    writer = parts.writer(source)
    slides = [one for one in _body(parts, "office:presentation", source) if one.tag == SLIDE]
    hiding = parts.hidden_styles(SLIDE_PROPERTIES, VISIBILITY, "hidden")
    hidden = [number for number, slide in enumerate(slides, start=1) if slide.get(SLIDE_STYLE) in hiding]
    for number, slide in enumerate(slides, start=1):
        if number in hidden:
            continue
        writer.builder.begin_page(f"slide {number}")
        shapes = [one for one in slide if one.tag != SLIDE_NOTES]
        title = next((one for one in shapes if one.get(TITLED) == "title" and writer.words.of(one).strip()), None)
        if title is not None:
            writer.builder.add_heading(1, writer.words.of(title))
        for shape in shapes:
            if shape is not title:
                writer.element(shape, 0)
        notes = " ".join(writer.words.of(p) for one in slide if one.tag == SLIDE_NOTES for p in one.iter(P))
        if notes.strip():
            writer.builder.add("paragraph", f"Notes: {' '.join(notes.split())}")
    writer.notes()
    if not writer.builder.build().text:
        _add_masters(writer.builder, parts.styles)
    return writer.builder.build(parts.title or writer.builder.first_heading(), hidden_slides(hidden))


def _add_masters(builder: Builder, styles: Any) -> None:
    """Adds the text of master slides, such as a footer or a motto, which slides do not repeat."""
    masters = [] if styles is None else [one for one in styles.iter() if one.tag == q("style:master-page")]
    for words in dict.fromkeys(" ".join((p.text or "").split()) for one in masters for p in one.iter(P)):
        builder.add("paragraph", words)


@dataclass(frozen=True, slots=True)
class _Parts:
    """The root elements of a file's parts; in the single-file form all are the same."""

    content: Any
    styles: Any
    title: str
    package: Package | None = None

    def writer(self, source: Source) -> Writer:
        """Returns what adds its elements to a document."""
        roots = [one for one in (self.styles, self.content) if one is not None]
        words = Words(self.hidden_styles(TEXT_PROPERTIES, DISPLAY, "none"), self._formula)
        return Writer(Builder(source.output), ListStyles(dict.fromkeys(roots)), words)

    def hidden_styles(self, properties: str, name: str, value: str) -> frozenset[str]:
        """Returns the names of styles one of whose properties has a value."""
        roots = [one for one in (self.styles, self.content) if one is not None]
        styles = (style for root in roots for style in root.iter(STYLE))
        hiding = (one for one in styles if any(part.get(name) == value for part in one.iter(properties)))
        return frozenset(style.get(NAME) or "" for style in hiding)

    def _formula(self, address: str) -> str:
        """Returns the text of a formula in a part of its own; "" for other objects, such as charts."""
        name = f"{posixpath.normpath(address)}/content.xml"
        if self.package is None or name not in self.package.names:
            return ""
        root = _optional(self.package, name)
        return mathml_text(root) if root is not None and root.tag == MATH else ""


def _parts(source: Source, what: str) -> _Parts:
    if not source.data.startswith(b"PK"):
        root = parse_xml(source.data, source, what)
        return _Parts(root, root, _title(root))
    package = Package(source, what)
    with package.being_read():
        check_unlocked(package, source)
        styles, meta = _optional(package, "styles.xml"), _optional(package, "meta.xml")
        return _Parts(package.xml("content.xml"), styles, _title(meta) if meta is not None else "", package)


def _optional(package: Package, name: str) -> Any:
    """Returns an optional part; None if it is missing or damaged."""
    try:
        return package.xml(name) if name in package.names else None
    except DamagedDocument:
        return None


def _title(root: Any) -> str:
    return next(((one.text or "").strip() for one in root.iter(DC_TITLE)), "")


def _body(parts: _Parts, name: str, source: Source) -> Any:
    found = next(parts.content.iter(q(name)), None)
    if found is None:
        raise DamagedDocument(f"{source} is damaged: it has no text part. Open it in its program and save it again.")
    return found
