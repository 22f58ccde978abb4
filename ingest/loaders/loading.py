"""Loads a file as a Document with the loader of its type, which `FORMATS` lists."""

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

# Increment when a loader gives different text or structure for the same bytes: files are then read again.
LOADER_FINGERPRINT = "loaders-4"
MOST_TITLE_CHARACTERS = 300
# Text with at least this fraction of undecodable characters is rejected.
MOST_UNREADABLE = 0.1


def supported_suffixes() -> frozenset[str]:
    """Returns the supported file extensions, in lower case, with their dot."""
    return frozenset(KIND_OF_SUFFIX)


def load(path: Path, *, ocr: bool = True, at_work: Callable[[], None] = lambda: None) -> Document:
    """Reads a file in this process; `ingest.loaders.sandbox.pool` does it in a sandboxed one.

    Args:
        path: the file.
        ocr: also reads text in pictures.
        at_work: called when a slow step begins.

    Raises:
        LoadError: it cannot be read; the message names the file, the reason and a remedy.
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
        file: the same file if it is already open; `path` then only gives its extension.
        name: its name in messages; default: its path.
        ocr: as in `load`.
        at_work: as in `load`.
        most_output: as in `Output.of`.

    Raises:
        UnreadableFile: the file system refuses to open or read the file.
        UnsupportedDocument: it is a folder, device, pipe or socket.
    """
    try:
        return Source.of(path, file, name=name, ocr=ocr, at_work=at_work, most_output=most_output)
    except OSError as error:
        why = error.strerror or type(error).__name__
        raise UnreadableFile(
            f"{name or path} could not be read: {why}. Check that it exists and is readable."
        ) from error


def load_source(source: Source) -> Document:
    """Reads a file whose bytes are in memory. Raises as `load` does."""
    if not source.data.strip():
        raise EmptyDocument(f"{source} is empty: it contains no text.")
    row = FORMATS[kind_of(source)]
    loader: Callable[[Source], Document] = getattr(importlib.import_module(f"{__package__}.{row.module}"), row.loader)
    try:
        with source.output.apart():
            document = loader(source)
    except (FootnoteError, MemoryError):
        raise
    except RecursionError as error:
        raise LoadError(f"{source} is nested too deeply to be read.") from error
    except Exception as error:  # any error of a parser is a failure of its file
        raise LoadError(f"{source} could not be read: {type(error).__name__}: {error}. It may be damaged.") from error
    source.output.book(size_of(document))
    document = storable_document(replace(document, title=_one_line(document.title)))
    if not document.text.strip():
        raise EmptyDocument(" ".join([f"{source} is empty: it contains no text.", *document.warnings]))
    if document.text.count("\ufffd") > MOST_UNREADABLE * len(document.text):
        raise DamagedDocument(f"{source} is damaged: most of its text cannot be decoded. Get an intact copy.")
    return document


def _one_line(title: str) -> str:
    return " ".join(title.split())[:MOST_TITLE_CHARACTERS]
