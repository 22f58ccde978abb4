"""file -> Document: one module a family of formats; `formats` is the table that says which reads what."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from ingest.errors import DamagedDocument, EmptyDocument, FootnoteError, LoadError, UnreadableFile
from ingest.loaders.detection import is_readable, kind_of
from ingest.loaders.output_limits import DEFAULT_MOST, size_of
from ingest.loaders.registry import FORMATS, KIND_OF_SUFFIX
from ingest.loaders.source import Source
from ingest.models import Document
from ingest.text import storable_document

__all__ = ["LOADER_FINGERPRINT", "Source", "is_readable", "load", "load_source", "open_source", "supported_suffixes"]

# Changes whenever some loader gives other text or structure for the same bytes: files are then read again.
LOADER_FINGERPRINT = "loaders-2"
MOST_TITLE_CHARACTERS = 300
# Share of characters that stand for bytes without meaning, from which on a text is none.
MOST_UNREADABLE = 0.1


def supported_suffixes() -> frozenset[str]:
    """The file name endings that can be read, in lower case, with their dot."""
    return frozenset(KIND_OF_SUFFIX)


def load(path: Path, *, ocr: bool = True, at_work: Callable[[], None] = lambda: None) -> Document:
    """Reads a file in this process; `ingest.loaders.sandbox.pool` does it in one with limits.

    Args:
        path: the file.
        ocr: whether text in pictures is read too.
        at_work: called when a slow step begins.

    Raises:
        LoadError: it cannot be read; the message names the file, the reason and what can be done.
    """
    return load_source(open_source(path, ocr=ocr, at_work=at_work))


def open_source(
    path: Path,
    file: BinaryIO | None = None,
    *,
    name: str = "",
    ocr: bool = True,
    at_work: Callable[[], None] = lambda: None,
    most_output: int = DEFAULT_MOST,
) -> Source:
    """Reads a file's bytes, for `load_source`.

    Args:
        path: the file.
        file: the same, where it is open already: the path then only tells its kind.
        name: what messages call it; its path where there is none.
        ocr: as of `load`.
        at_work: as of `load`.
        most_output: as of `Output.of`.

    Raises:
        UnreadableFile: the file system does not give the file out.
        UnsupportedDocument: it is a folder, device, pipe or socket.
    """
    try:
        return Source.of(path, file, name=name, ocr=ocr, at_work=at_work, most_output=most_output)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UnreadableFile(
            f"{name or path} could not be read: {why}. Check that it is there and readable."
        ) from error


def load_source(source: Source) -> Document:
    """Reads a file whose bytes are at hand. Raises as `load` does."""
    if not source.data.strip():
        raise EmptyDocument(f"{source} is empty: there is no text in it.")
    row = FORMATS[kind_of(source)]
    loader: Callable[[Source], Document] = getattr(importlib.import_module(f"{__package__}.{row.module}"), row.loader)
    try:
        with source.output.apart():
            document = loader(source)
    except (FootnoteError, MemoryError):
        raise
    except RecursionError as error:
        raise LoadError(f"{source} is nested too deeply to be read.") from error
    except Exception as error:  # whatever a parser throws at a hostile file is that file's failure
        raise LoadError(f"{source} could not be read: {type(error).__name__}: {error}. It may be damaged.") from error
    source.output.book(size_of(document))
    document = storable_document(replace(document, title=_one_line(document.title)))
    if not document.text.strip():
        raise EmptyDocument(f"{source} is empty: there is no text in it.")
    if document.text.count("\ufffd") > MOST_UNREADABLE * len(document.text):
        raise DamagedDocument(f"{source} is damaged: most of its text cannot be made out. Get a whole copy of it.")
    return document


def _one_line(title: str) -> str:
    return " ".join(title.split())[:MOST_TITLE_CHARACTERS]
