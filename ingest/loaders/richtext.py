"""RTF: its text, and its tables row by row."""

from __future__ import annotations

import re

from striprtf.striprtf import rtf_to_text

from ingest.errors import DamagedDocument
from ingest.loaders.builder import Builder
from ingest.loaders.source import Source
from ingest.loaders.text import normalise, paragraphs
from ingest.models import Document

TITLE = re.compile(r"\{\\info\b.{0,2000}?\{\\title\s++([^{}\\]++)\}", re.DOTALL)
# Pictures and other bytes written as digits; of no use here, and slow to look through.
BINARY = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{2}\s*+){256,}+")
# What the library puts between the cells of a row, whose last one ends in it too.
CELL = "|"


def load_rtf(source: Source) -> Document:
    """An RTF file.

    Raises:
        DamagedDocument: it cannot be read as RTF.
    """
    rtf = BINARY.sub("", source.data.decode("latin-1"))
    try:
        text = normalise(rtf_to_text(rtf, encoding="cp1252", errors="replace"))  # type: ignore[no-untyped-call]
    except (ValueError, IndexError, LookupError, AttributeError, TypeError) as error:
        raise DamagedDocument(f"{source} is damaged: it cannot be read as RTF ({error}). Save it again.") from error
    builder = Builder(source.output)
    for start, end in paragraphs(text):
        _add(builder, text[start:end].split("\n"))
    title = TITLE.search(rtf)
    return builder.build(title.group(1).strip() if title else "")


def _add(builder: Builder, lines: list[str]) -> None:
    """Adds lines that no blank one divides: runs of rows as tables, all else as paragraphs."""
    rows: list[list[str]] = []
    words: list[str] = []
    for line in [*lines, ""]:
        is_row = line.rstrip().endswith(CELL)
        if not is_row and rows:
            builder.add_table(rows)
            rows = []
        if is_row or not line:
            builder.add("paragraph", "\n".join(words))
            words = []
        if is_row:
            rows.append(line.rstrip().removesuffix(CELL).split(CELL))
        elif line.strip():
            words.append(line.strip())
