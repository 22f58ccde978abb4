"""PDF: text page by page, lines joined to paragraphs, headings told by their size."""

from __future__ import annotations

import ctypes
import re
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from ingest.errors import DamagedDocument, EmptyDocument, EncryptedDocument
from ingest.loaders.builder import Builder
from ingest.loaders.pdf_layout import Line, Paragraph, body_size, heading_levels, paragraphs
from ingest.models import Document

# What PDFium gives for a hyphen that it knows to divide a word at a line's end.
DIVIDING_HYPHENS = {0x02: "\u00ad", 0xFFFE: "\u00ad"}
# A line near a page's edge on this share of the pages, with at least so many pages, is a running header or footer.
RUNNING_SHARE = 0.6
RUNNING_PAGES = 4
EDGE_LINES = 3
FILE_NAME_TITLE = re.compile(
    r"\.(docx?|indd|tex|dvi|pptx?|xlsx?|qxd|pdf|html?)\W*$|^(untitled|microsoft word)\b", re.IGNORECASE
)
MOST_PAGES_NAMED = 12


def load_pdf(path: Path) -> Document:
    """A PDF file.

    Raises:
        EncryptedDocument: a password is needed.
        DamagedDocument: it is no PDF, or too broken to be opened.
        EmptyDocument: no page has text.
    """
    pdf = _open(path)
    try:
        pages = [_lines(pdf, i) for i in range(len(pdf))]
        title = pdf.get_metadata_value("Title")
    finally:
        pdf.close()
    if not any(pages):
        raise EmptyDocument(
            f"{path} has {len(pages)} pages and no text: it seems to be scanned. Run it through text recognition "
            "(OCR) first, then ingest the result."
        )
    return _document(pages, title if _is_title(title) else "")


def _open(path: Path) -> pdfium.PdfDocument:
    path.stat()
    try:
        pdf = pdfium.PdfDocument(str(path))
        if len(pdf):
            return pdf
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium_c.FPDF_ERR_PASSWORD:
            raise EncryptedDocument(
                f"{path} is protected by a password. Save it without one, then ingest it again."
            ) from error
        raise DamagedDocument(
            f"{path} cannot be opened as a PDF: it is truncated, or not a PDF. Get a whole copy of it."
        ) from error
    raise DamagedDocument(f"{path} is a PDF without any pages. Get a whole copy of it.")


def _is_title(title: str) -> bool:
    """Whether what the file calls its title has words, and is not the name of the file it was made from."""
    return bool(re.search(r"[^\W\d_]{2}", title)) and not FILE_NAME_TITLE.search(title)


def _document(pages: Sequence[Sequence[Line]], title: str) -> Document:
    running = _running(pages)
    body = body_size([line for lines in pages for line in lines])
    kept = [paragraphs(_without(lines, running), body) for lines in pages]
    levels = heading_levels([one for page in kept for one in page], body)
    builder = Builder()
    for page in kept:
        builder.begin_page()
        for one in page:
            _add(builder, one, levels)
    empty = [i for i, lines in enumerate(pages, start=1) if not lines]
    first = next((one.text for one in kept[0] if levels.get(one.size) == 1), "") if kept else ""
    return builder.build(title or first, [_not_read(empty)] if empty else [])


def _add(builder: Builder, paragraph: Paragraph, levels: dict[float, int]) -> None:
    level = levels.get(paragraph.size) if paragraph.may_be_heading else None
    if level:
        builder.add_heading(level, paragraph.text)
    else:
        builder.add("list" if paragraph.is_list else "paragraph", paragraph.text)


def _lines(pdf: pdfium.PdfDocument, index: int) -> list[Line]:
    """The lines of text of a page, in the order they are written in the file."""
    try:
        page = pdf[index]
    except pdfium.PdfiumError:  # one broken page: it is named as one without text
        return []
    try:
        textpage = page.get_textpage()
        try:
            return _read(textpage.raw, textpage.count_chars())
        finally:
            textpage.close()
    except pdfium.PdfiumError:
        return []
    finally:
        page.close()


def _read(textpage: pdfium_c.FPDF_TEXTPAGE, n: int) -> list[Line]:
    lines: list[Line] = []
    start = 0
    codes = [pdfium_c.FPDFText_GetUnicode(textpage, i) for i in range(n)]
    for i in range(n + 1):
        if i < n and codes[i] not in {0x0A, 0x0D}:
            continue
        line = _line(textpage, codes, start, i)
        if line:
            lines.append(line)
        start = i + 1
    return lines


def _line(textpage: pdfium_c.FPDF_TEXTPAGE, codes: list[int], start: int, end: int) -> Line | None:
    while start < end and _is_space(codes[start]):
        start += 1
    while end > start and _is_space(codes[end - 1]):
        end -= 1
    if start == end:
        return None
    text = "".join(DIVIDING_HYPHENS.get(code) or _character(code) for code in codes[start:end])
    left, right = _box(textpage, start), _box(textpage, end - 1)
    middle = _box(textpage, (start + end) // 2)
    sizes = sorted((left.top - left.bottom, middle.top - middle.bottom, right.top - right.bottom))
    return Line(
        text=" ".join(text.split()),
        left=left.left,
        right=right.right,
        bottom=min(left.bottom, right.bottom),
        top=max(left.top, right.top),
        size=round(sizes[1], 1),
    )


def _box(textpage: pdfium_c.FPDF_TEXTPAGE, index: int) -> pdfium_c.FS_RECTF:
    box = pdfium_c.FS_RECTF()
    pdfium_c.FPDFText_GetLooseCharBox(textpage, index, ctypes.byref(box))
    return box


def _is_space(code: int) -> bool:
    return code in {0, 0x20, 0xA0, 0x09} or chr(code).isspace()


def _character(code: int) -> str:
    character = chr(code)
    return character if character.isprintable() or character.isspace() else ""


def _running(pages: Sequence[Sequence[Line]]) -> set[str]:
    """Running headers and footers, as their text with every number made the same."""
    if len(pages) < RUNNING_PAGES:
        return set()
    seen = Counter(key for lines in pages for key in {_key(line) for line in _edges(lines)})
    return {key for key, n in seen.items() if n >= RUNNING_PAGES and n >= RUNNING_SHARE * len(pages)}


def _edges(lines: Sequence[Line]) -> list[Line]:
    """The highest and the lowest lines of a page, wherever they stand in the file."""
    by_height = sorted(lines, key=lambda line: -line.top)
    return [*by_height[:EDGE_LINES], *by_height[EDGE_LINES:][-EDGE_LINES:]]


def _without(lines: Sequence[Line], running: set[str]) -> list[Line]:
    dropped = {id(line) for line in _edges(lines) if _key(line) in running}
    return [line for line in lines if id(line) not in dropped]


def _key(line: Line) -> str:
    return re.sub(r"\d+|\b[ivxlc]+\b", "#", line.text.casefold())


def _not_read(pages: list[int]) -> str:
    named = ", ".join(map(str, pages[:MOST_PAGES_NAMED]))
    more = f" and {len(pages) - MOST_PAGES_NAMED} more" if len(pages) > MOST_PAGES_NAMED else ""
    subject = f"Page {named} has" if len(pages) == 1 else f"Pages {named}{more} have"
    return f"{subject} no text that can be read: empty, or scanned."
