"""Reads the text in pictures, frame by frame."""

from __future__ import annotations

import io
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

from PIL import Image, ImageOps, UnidentifiedImageError

from ingest.errors import DamagedDocument, EmptyDocument, FootnoteError
from ingest.loaders.document_builder import Builder
from ingest.loaders.images.ocr import recognise
from ingest.loaders.page_layout import PageLines, compose
from ingest.loaders.source import Source
from ingest.models import Document

# A page at 600 dpi has 35 million pixels; malicious pictures declare billions.
MOST_PIXELS = 100_000_000
# More pixels do not improve recognition.
LONGEST_SIDE = 4_000
MOST_FRAMES = 500
BROKEN = (
    UnidentifiedImageError,
    OSError,
    ValueError,
    SyntaxError,
    EOFError,
    ArithmeticError,
    LookupError,
    TypeError,
    AssertionError,
)
FORMATS = ("PNG", "JPEG", "TIFF", "BMP", "WEBP", "GIF")


def load_picture(source: Source) -> Document:
    """Reads a picture (PNG, JPEG, TIFF, BMP, WebP, GIF), each frame as a page.

    Raises:
        DamagedDocument: it is damaged, or has too many pixels.
        EmptyDocument: no text was recognised in it, or OCR is off.
    """
    builder = Builder(source.output)
    refused = ""
    pages: list[PageLines] = []
    with _being_read(source), Image.open(io.BytesIO(source.data), formats=FORMATS) as picture:
        _check_size(picture, source)
        animated = picture.format in {"GIF", "WEBP", "PNG"}  # frames of an animation, which show the same text
        frames = 1 if animated else min(getattr(picture, "n_frames", 1), MOST_FRAMES)
        for number in range(frames):
            refused = refused or source.next_ocr_page()
            if refused:
                break
            picture.seek(number)
            _check_size(picture, source)
            pages.append(_recognised(picture))
    compose(pages, builder)
    document = builder.build(warnings=[f"From page {len(pages) + 1} on: {refused}."] if refused else [])
    if not document.text:
        raise EmptyDocument(f"{source} is a picture, and {_why_empty(refused)}")
    return document


def words_in(source: Source, name: str, data: bytes) -> str:
    """Returns the text of a picture inside a document, on one line; "" if there is none, or it is not read."""
    try:
        document = load_picture(source.member(name, data))
    except FootnoteError:
        return ""
    return " ".join(document.text.split())


def _recognised(picture: Image.Image) -> PageLines:
    upright = ImageOps.exif_transpose(picture)
    upright.thumbnail((LONGEST_SIDE, LONGEST_SIDE))
    return recognise(upright)


def _why_empty(refused: str) -> str:
    return f"its text is {refused}." if refused else "no text could be recognised in it."


def _check_size(picture: Image.Image, source: Source) -> None:
    if picture.width * picture.height > MOST_PIXELS:
        raise DamagedDocument(
            f"{source} has {picture.width:,} x {picture.height:,} pixels; the limit is {MOST_PIXELS // 1_000_000} "
            "million. Make it smaller, then ingest it again."
        )


@contextmanager
def _being_read(source: Source) -> Iterator[None]:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # about oddities of the file
            yield
    except (FootnoteError, MemoryError):
        raise
    except Image.DecompressionBombError as error:
        raise DamagedDocument(f"{source} has too many pixels. Make it smaller.") from error
    except BROKEN as error:
        raise DamagedDocument(f"{source} is damaged: it cannot be opened as a picture ({error}).") from error
