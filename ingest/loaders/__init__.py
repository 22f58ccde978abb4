"""file -> Document: one module a family of formats, and the one table that says which reads what.

A new format joins by adding its row. A format's libraries are imported when a file of it is read, not before.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import MappingProxyType

from ingest.errors import EmptyDocument, FootnoteError, LoadError, UnreadableFile, UnsupportedDocument
from ingest.models import Document

# Changes whenever some loader gives other text or structure for the same bytes: files are then read again.
LOADER_FINGERPRINT = "loaders-1"
MOST_TITLE_CHARACTERS = 300

Loader = Callable[[Path], Document]

# suffix -> module and function
LOADERS = MappingProxyType(
    {
        ".txt": ("ingest.loaders.text", "load_text"),
        ".text": ("ingest.loaders.text", "load_text"),
        ".log": ("ingest.loaders.text", "load_text"),
        ".md": ("ingest.loaders.markdown", "load_markdown"),
        ".markdown": ("ingest.loaders.markdown", "load_markdown"),
        ".html": ("ingest.loaders.web", "load_html"),
        ".htm": ("ingest.loaders.web", "load_html"),
        ".xhtml": ("ingest.loaders.web", "load_html"),
        ".pdf": ("ingest.loaders.pdf", "load_pdf"),
        ".docx": ("ingest.loaders.office", "load_docx"),
    }
)

# Lone surrogates can be stored nowhere, and a NUL ends a text for some libraries.
UNSTORABLE = {0: "\ufffd", **dict.fromkeys(range(0xD800, 0xE000), "\ufffd")}


def supported_suffixes() -> frozenset[str]:
    """The file name endings that can be read, in lower case, with their dot."""
    return frozenset(LOADERS)


def is_supported(path: Path) -> bool:
    """Whether some loader reads a file of this name."""
    return path.suffix.lower() in LOADERS


def load(path: Path) -> Document:
    """Reads a file in this process; `ingest.loaders.sandbox` does it in one with limits.

    Raises:
        LoadError: it cannot be read; the message names the file, the reason and what can be done.
    """
    document = _loader(path)(path)
    document = replace(document, text=document.text.translate(UNSTORABLE), title=_one_line(document.title))
    if not document.text.strip():
        raise EmptyDocument(f"{path} is empty: there is no text in it.")
    return document


def _loader(path: Path) -> Loader:
    try:
        module, name = LOADERS[path.suffix.lower()]
    except KeyError:
        kinds = " ".join(sorted(LOADERS))
        kind = f"{path.suffix} files are" if path.suffix else "A file without a suffix is"
        raise UnsupportedDocument(f"{path}: {kind} not read. Kinds that are: {kinds}") from None
    function: Loader = getattr(importlib.import_module(module), name)
    return _mapped(function)


def _mapped(loader: Loader) -> Loader:
    """Puts what the file system says in the user's words."""

    def load_mapped(path: Path) -> Document:
        try:
            return loader(path)
        except FootnoteError:
            raise
        except OSError as error:
            reason = error.strerror or type(error).__name__
            raise UnreadableFile(f"{path} could not be read: {reason}. Check that it is there and readable.") from error
        except RecursionError as error:
            raise LoadError(f"{path} is nested too deeply to be read.") from error

    return load_mapped


def _one_line(title: str) -> str:
    return " ".join(title.translate(UNSTORABLE).split())[:MOST_TITLE_CHARACTERS]
