"""Reads the text of RTF, and its tables row by row."""

from __future__ import annotations

import re

from striprtf.striprtf import rtf_to_text

from ingest.errors import DamagedDocument
from ingest.loaders.document_builder import Builder
from ingest.loaders.plain_text import normalise, paragraphs
from ingest.loaders.source import Source
from ingest.loaders.table_grid import add_grid
from ingest.models import Document

INFO = re.compile(r"\{\\info\b")
TITLE = re.compile(r"\{\\title\s++([^{}\\]++)\}")
# Characters of the header in which the title is searched for.
INFO_CHARACTERS = 4_000
# Pictures and other binary data written as this many hex digits or more: useless here, and slow to parse.
DIGITS = re.compile(r"(?<![0-9a-fA-F])(?:[0-9a-fA-F]{2}\s*+)++")
MOST_DIGITS = 512
# The marks of list items as they are shown. The library reads the newer ones only.
OLDER_MARK, MARK = "{\\pntext", "{\\listtext"
# Separator that the library puts between cells, and after the last cell of a row.
CELL = "|"


def load_rtf(source: Source) -> Document:
    """Reads an RTF file.

    Raises:
        DamagedDocument: it cannot be read as RTF.
    """
    rtf = DIGITS.sub(_without_binary, source.data.decode("latin-1")).replace(OLDER_MARK, MARK)
    try:
        text = normalise(rtf_to_text(rtf, encoding="cp1252", errors="replace"))  # type: ignore[no-untyped-call]
    except (ValueError, IndexError, LookupError, AttributeError, TypeError) as error:
        raise DamagedDocument(f"{source} is damaged: it cannot be read as RTF ({error}). Save it again.") from error
    builder = Builder(source.output)
    for start, end in paragraphs(text):
        _add(builder, text[start:end].split("\n"))
    info = INFO.search(rtf)
    title = TITLE.search(rtf, info.end(), info.end() + INFO_CHARACTERS) if info else None
    return builder.build(title.group(1).strip() if title else "")


def _without_binary(digits: re.Match[str]) -> str:
    is_binary = len(digits[0]) >= MOST_DIGITS and len("".join(digits[0].split())) >= MOST_DIGITS
    return "" if is_binary else digits[0]


def _add(builder: Builder, lines: list[str]) -> None:
    """Adds consecutive lines: runs of rows as tables, others as paragraphs."""
    rows: list[list[str]] = []
    words: list[str] = []
    for line in [*lines, ""]:
        is_row = line.rstrip().endswith(CELL)
        if not is_row and rows:
            add_grid(builder, rows)
            rows = []
        if is_row or not line:
            builder.add("paragraph", "\n".join(words))
            words = []
        if is_row:
            rows.append(line.rstrip().removesuffix(CELL).split(CELL))
        elif line.strip():
            words.append(line.strip())
