"""Reads PDF text page by page with positions and tables; recognises scanned pages."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from itertools import islice

import pypdfium2 as pdfium
import pypdfium2.raw as pdfium_c

from ingest.errors import DamagedDocument, EmptyDocument
from ingest.loaders.document_builder import Builder
from ingest.loaders.page_layout import MANY_PAGES, PageLines, compose
from ingest.loaders.pdf.annotations import notes
from ingest.loaders.pdf.page_text import PageText, read_page
from ingest.loaders.source import Source
from ingest.models import Document
from ingest.segments import PAGE, WORD

FILE_NAME_TITLE = re.compile(
    r"\.(docx?|indd|tex|dvi|pptx?|xlsx?|qxd|pdf|html?|png|jpe?g|tiff?)\W*$"
    r"|^(untitled|microsoft word)\b|^\(?(anonymous|unspecified)\)?$",
    re.IGNORECASE,
)
MOST_PAGES = 50_000
MOST_PAGES_NAMED = 12
MOST_OUTLINE_ENTRIES = 5_000
# A page with fewer characters, of which pictures cover at least this fraction, is a scan with a stamp.
FEW_CHARACTERS = 80
MOSTLY_PICTURE = 0.5
# Text with this fraction of unmapped characters is useless: its fonts lack a Unicode mapping.
MOST_UNKNOWN = 0.3
# A page with more words than this fraction that lack letters is recognised: OCR misreads fewer words.
MOST_LOSSY = 0.02
LOSSY = "letters that its fonts do not map to characters are missing, marked \ufffd; OCR may read them"
OCR_DPI = 200
MOST_PIXELS = 16_000_000


def load_pdf(source: Source) -> Document:
    """Reads a PDF file.

    Raises:
        EncryptedDocument: a password is needed.
        DamagedDocument: it is not a PDF, or too damaged to open.
        EmptyDocument: no page has text; the message gives the reason for each page.
    """
    pdf = _open(source)
    try:
        with suppress(pdfium.PdfiumError):
            pdf.init_forms()
        reader = _Reader(pdf, source)
        pages = list(reader.pages())
        title, total, outline = pdf.get_metadata_value("Title"), len(pdf), _outline(pdf)
    finally:
        pdf.close()
    builder = Builder(source.output)
    first = compose(pages, builder, source.at_work, outline)
    document = builder.build(title if _is_title(title) else first, reader.warnings())
    if not document.text:
        raise EmptyDocument(f"{source} has {_count(total, 'page')} and no text. {' '.join(document.warnings)}")
    return document


def _open(source: Source) -> pdfium.PdfDocument:
    try:
        pdf = pdfium.PdfDocument(source.data)
        if len(pdf):
            return pdf
    except pdfium.PdfiumError as error:
        if error.err_code == pdfium_c.FPDF_ERR_PASSWORD:
            raise source.locked() from error
        raise DamagedDocument(
            f"{source} cannot be opened as a PDF: it is truncated, or not a PDF. Get an intact copy."
        ) from error
    raise DamagedDocument(f"{source} is a PDF without any pages. Get an intact copy.")


def _outline(pdf: pdfium.PdfDocument) -> list[str]:
    """Returns the titles of the outline; those before a damaged part of it."""
    titles: list[str] = []
    with suppress(pdfium.PdfiumError):
        titles.extend(entry.get_title() for entry in islice(pdf.get_toc(), MOST_OUTLINE_ENTRIES))
    return titles


def _is_title(title: str) -> bool:
    """Returns True if the title in the metadata has words, and is not the name of the original file."""
    return bool(re.search(r"[^\W\d_]{2}", title)) and not FILE_NAME_TITLE.search(title)


class _Reader:
    """Reads page by page, recording why pages could not be read."""

    def __init__(self, pdf: pdfium.PdfDocument, source: Source) -> None:
        self._pdf = pdf
        self._source = source
        self._left_out: dict[str, list[int]] = {}

    def pages(self) -> Iterator[PageLines]:
        size = 0
        for index in range(min(len(self._pdf), MOST_PAGES)):
            page = self._page(index)
            size += PAGE + sum(len(line.text) + WORD * len(line.words) for line in page.lines)
            self._source.output.check(size)
            yield page
            if (index + 1) % MANY_PAGES == 0:
                self._source.at_work()
        if len(self._pdf) > MOST_PAGES:
            self._left_out["beyond the limit of pages per file"] = list(range(MOST_PAGES + 1, len(self._pdf) + 1))

    def warnings(self) -> list[str]:
        """Returns a sentence for each reason why pages have no text."""
        return [f"{_named(pages)}: {reason}." for reason, pages in self._left_out.items()]

    def _page(self, index: int) -> PageLines:
        try:
            page = self._pdf[index]
        except pdfium.PdfiumError:
            return self._without_text(index, "damaged and unreadable")
        try:
            text = read_page(page)
            noted = tuple(notes(self._pdf, page))
            if _is_scan(text):
                return replace(self._recognised(index, page, text), notes=noted)
        except pdfium.PdfiumError:
            return self._without_text(index, "damaged and unreadable")
        finally:
            page.close()
        if not text.lines and not noted:
            return self._without_text(index, "blank" if not text.drawn else "no readable text")
        return replace(self._as_it_is(index, text), notes=noted)

    def _as_it_is(self, index: int, text: PageText) -> PageLines:
        """Returns a page with the text of the file, recording if letters are missing in it."""
        if text.lossy:
            self._left_out.setdefault(LOSSY, []).append(index + 1)
        return PageLines(text.width, text.height, text.lines, text.rules)

    def _recognised(self, index: int, page: pdfium.PdfPage, text: PageText) -> PageLines:
        """Recognises a page's text in its picture, if that gives more text than the file."""
        refused = self._source.next_ocr_page()
        if refused:
            return self._as_it_is(index, text) if _is_usable(text) else self._without_text(index, refused)
        from ingest.loaders.images.ocr import recognise  # noqa: PLC0415 - loaded for scans only

        scale = min(OCR_DPI / 72, (MOST_PIXELS / max(text.width * text.height, 1.0)) ** 0.5)
        found = recognise(page.render(scale=scale).to_pil(), text.width, text.height)
        if sum(len(line.text) for line in found.lines) < text.characters and _is_usable(text):
            return self._as_it_is(index, text)
        return found if found.lines else self._without_text(index, "no text recognised")

    def _without_text(self, index: int, reason: str) -> PageLines:
        self._left_out.setdefault(reason, []).append(index + 1)
        return PageLines(1.0, 1.0, (), read="empty")


def _is_scan(text: PageText) -> bool:
    """Returns True if a page probably shows text that the file does not contain as text."""
    if not text.characters:
        return text.drawn
    stamped = text.characters < FEW_CHARACTERS and text.pictures >= MOSTLY_PICTURE
    return stamped or not _is_usable(text) or text.lossy > MOST_LOSSY


def _is_usable(text: PageText) -> bool:
    return bool(text.characters) and text.unknown < MOST_UNKNOWN * text.characters


def _named(pages: list[int]) -> str:
    """Describes pages: "Page 3", "Pages 1, 4", or the first dozen and the number of others."""
    if len(pages) == 1:
        return f"Page {pages[0]}"
    runs: list[list[int]] = []
    for page in pages:
        if runs and page == runs[-1][-1] + 1:
            runs[-1] = [runs[-1][0], page]
        else:
            runs.append([page])
    shown = ["\u2013".join(map(str, run)) for run in runs[:MOST_PAGES_NAMED]]
    more = f" and {len(runs) - MOST_PAGES_NAMED} more" if len(runs) > MOST_PAGES_NAMED else ""
    return f"Pages {', '.join(shown)}{more}"


def _count(n: int, what: str) -> str:
    return f"{n:,} {what}{'' if n == 1 else 's'}"
