"""Reads PowerPoint presentations: each slide a page with its title, text, tables, chart data and notes."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Any

import pptx
from defusedxml import ElementTree
from pptx.enum.shapes import PP_PLACEHOLDER
from pptx.exc import InvalidXmlError
from pptx.presentation import Presentation

from ingest.errors import DamagedDocument
from ingest.loaders.containers.zip_package import CONTENT_TYPES, Package
from ingest.loaders.document_builder import Builder
from ingest.loaders.images.reader import words_in
from ingest.loaders.source import Source
from ingest.loaders.table_grid import Merge, add_grid
from ingest.models import Document

TITLES = frozenset({PP_PLACEHOLDER.TITLE, PP_PLACEHOLDER.CENTER_TITLE, PP_PLACEHOLDER.VERTICAL_TITLE})
DECORATIONS = frozenset({PP_PLACEHOLDER.SLIDE_NUMBER, PP_PLACEHOLDER.DATE, PP_PLACEHOLDER.FOOTER})
DEEPEST_GROUP = 20
# Pictures of a slide with less text than this are read by OCR.
FEW_CHARACTERS = 80
FILE_NAME = re.compile(r"\.(?:png|jpe?g|gif|bmp|tiff?|[ew]mf|svg|webp)\s*$", re.IGNORECASE)
COMMENT_TEXTS = ("presentationml/2006/main}text", "}txBody")
OFF = frozenset({"0", "false"})
DRAWING = "{http://schemas.openxmlformats.org/drawingml/2006/main}"


def load_pptx(source: Source) -> Document:
    """Reads a presentation (.pptx), without hidden slides and shapes.

    Raises:
        EncryptedDocument: a password is needed.
        DamagedDocument: it is not a presentation, damaged, or made to unpack to an absurd size.
    """
    package = Package(source, "PowerPoint presentation")
    if CONTENT_TYPES not in package.names:
        raise DamagedDocument(
            f"{source} is a zip archive, but not a PowerPoint presentation. Correct its file extension."
        )
    with package.being_read():
        return _read(pptx.Presentation(package.office_file()), source)


def _read(presentation: Presentation, source: Source) -> Document:
    builder = Builder(source.output)
    hidden = []
    for number, slide in enumerate(presentation.slides, start=1):
        if slide._element.get("show") in OFF:  # noqa: SLF001 - the library has no accessor for it
            hidden.append(number)
            continue
        builder.begin_page(f"slide {number}")
        shapes = list(_shapes(slide.shapes, 0))
        title = next((shape for shape in shapes if _placeholder(shape) in TITLES and _words(shape)), None)
        if title is not None:
            builder.add_heading(1, _words(title))
        for shape in shapes:
            if shape is not title and _placeholder(shape) not in DECORATIONS:
                _add(builder, shape)
        _add_diagrams(builder, slide)
        _add_comments(builder, slide)
        if source.ocr and sum(len(_words(shape)) for shape in shapes) < FEW_CHARACTERS:
            _add_pictures(builder, shapes, source)
        notes = slide.notes_slide.notes_text_frame if slide.has_notes_slide else None
        if notes is not None and notes.text.strip():
            builder.add("paragraph", f"Notes: {_lines(notes.text)}")
    return builder.build(presentation.core_properties.title or builder.first_heading(), hidden_slides(hidden))


def hidden_slides(numbers: Sequence[int]) -> list[str]:
    """Returns a warning that slides were left out; none if there are no numbers."""
    if not numbers:
        return []
    which = ", ".join(map(str, numbers))
    return [f"Hidden slides were left out: {which}. To have them read, show them, and save the presentation."]


def _shapes(shapes: Any, depth: int) -> Iterator[Any]:
    """Yields the shapes from top to bottom, then left to right; grouped ones at the position of their group."""
    for shape in sorted(shapes, key=lambda one: (one.top or 0, one.left or 0)):
        if any(value not in OFF for value in shape._element.xpath("./*/p:cNvPr/@hidden")):  # noqa: SLF001 - as above
            continue
        if hasattr(shape, "shapes") and depth < DEEPEST_GROUP:
            yield from _shapes(shape.shapes, depth + 1)
        else:
            yield shape


def _placeholder(shape: Any) -> Any:
    return shape.placeholder_format.type if getattr(shape, "is_placeholder", False) else None


def _add(builder: Builder, shape: Any) -> None:
    if getattr(shape, "has_table", False):
        _add_table(builder, shape.table)
    elif getattr(shape, "has_chart", False):
        _add_chart(builder, shape.chart)
    elif getattr(shape, "has_text_frame", False):
        paragraphs = [(one.level, " ".join(one.text.split())) for one in shape.text_frame.paragraphs]
        written = [(level, text) for level, text in paragraphs if text]
        if len(written) > 1:
            builder.add("list", "\n".join(f"{'  ' * level}- {text}" for level, text in written))
        elif written:
            builder.add("paragraph", written[0][1])
    else:
        described = shape._element.xpath(".//p:cNvPr/@descr")  # noqa: SLF001 - the library has no accessor for it
        if described and described[0].strip() and not FILE_NAME.search(described[0]):
            builder.add("paragraph", f"Picture: {' '.join(described[0].split())}")


def _add_table(builder: Builder, table: Any) -> None:
    rows, merges = [], []
    for i, row in enumerate(table.rows):
        rows.append(["" if cell.is_spanned else cell.text for cell in row.cells])
        merges += [
            Merge(i, j, cell.span_height, cell.span_width) for j, cell in enumerate(row.cells) if cell.is_merge_origin
        ]
    add_grid(builder, rows, merges)


def _add_chart(builder: Builder, chart: Any) -> None:
    """Adds a chart as a table of its data."""
    if chart.has_title and chart.chart_title.has_text_frame:
        builder.add("paragraph", chart.chart_title.text_frame.text)
    for plot in chart.plots:
        series = list(plot.series)
        rows = [["", *(one.name or "" for one in series)]]
        for i, category in enumerate(plot.categories):
            rows.append([str(category), *(_value(one.values, i) for one in series)])
        builder.add_table(rows)


def _value(values: Any, i: int) -> str:
    value = values[i] if i < len(values) else None
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return "" if value is None else str(value)


def _add_diagrams(builder: Builder, slide: Any) -> None:
    """Adds the words of SmartArt, which are stored in a separate part."""
    for relation in slide.part.rels.values():
        if relation.reltype.endswith("/diagramData") and not relation.is_external:
            root = ElementTree.fromstring(relation.target_part.blob)
            builder.add("list", "\n".join(f"- {text}" for text in _paragraphs(root)))


def _paragraphs(element: Any) -> list[str]:
    """Returns the paragraphs of an element that have text, each on one line."""
    texts = (
        "".join(
            (node.text or "") if node.tag == f"{DRAWING}t" else " " * (node.tag == f"{DRAWING}br")
            for node in paragraph.iter()
        )
        for paragraph in element.iter(f"{DRAWING}p")
    )
    return [" ".join(text.split()) for text in texts if text.strip()]


def _words(shape: Any) -> str:
    return " ".join(shape.text_frame.text.split()) if getattr(shape, "has_text_frame", False) else ""


def _add_comments(builder: Builder, slide: Any) -> None:
    """Adds reviewers' comments on a slide, in the older or the newer format."""
    for relation in slide.part.rels.values():
        if relation.reltype.endswith("/comments") and not relation.is_external:
            root = ElementTree.fromstring(relation.target_part.blob)
            nodes = [node for node in root.iter() if str(node.tag).endswith(COMMENT_TEXTS)]
            said = (" ".join(_paragraphs(node)) or " ".join("".join(node.itertext()).split()) for node in nodes)
            builder.add("list", "\n".join(f"- Comment: {text}" for text in said if text))


def _add_pictures(builder: Builder, shapes: Sequence[Any], source: Source) -> None:
    """Adds the text in the pictures of a slide with little text of its own: a screenshot, a scan."""
    for shape in shapes:
        try:
            picture = shape.image
        except (AttributeError, ValueError, KeyError, InvalidXmlError):  # not a picture, or one that is not in the file
            continue
        if words := words_in(source, picture.filename or f"picture.{picture.ext}", picture.blob):
            builder.add("paragraph", words)
            builder.recognised()


def _lines(text: str) -> str:
    return "\n".join(line for part in text.replace("\v", "\n").splitlines() if (line := " ".join(part.split())))
