"""Reads delimiter-separated files as tables."""

from __future__ import annotations

import csv
import io

from ingest.errors import DamagedDocument
from ingest.loaders.document_builder import Builder
from ingest.loaders.office.sheets.grid import add_rows
from ingest.loaders.plain_text import decode, normalise
from ingest.loaders.source import Source
from ingest.models import Document

DELIMITERS = ",;\t|"
# Small enough for csv.Sniffer, whose time is quadratic in the sample.
SAMPLE_CHARACTERS = 4 * 1024
MOST_FIELD = 16 * 1024 * 1024


def load_csv(source: Source) -> Document:
    """Reads comma-, semicolon-, tab- or pipe-separated values, taking the first row as header.

    Raises:
        DamagedDocument: it contains bytes that are not text.
    """
    text = normalise(decode(source.data, source)).lstrip("\ufeff")
    csv.field_size_limit(MOST_FIELD)
    try:
        rows = list(csv.reader(io.StringIO(text), delimiter=_delimiter(text, source.suffix)))
    except csv.Error as error:
        raise DamagedDocument(f"{source} is damaged: its rows cannot be separated ({error}).") from error
    builder = Builder(source.output)
    add_rows(builder, rows)
    return builder.build()


def _delimiter(text: str, suffix: str) -> str:
    """Returns the field delimiter: a tab if the extension says so, else the one that the first lines show."""
    if suffix in {".tsv", ".tab"}:
        return "\t"
    sample = text[:SAMPLE_CHARACTERS]
    sample = sample[: sample.rfind("\n") + 1] or sample
    try:
        return csv.Sniffer().sniff(sample, DELIMITERS).delimiter
    except csv.Error:
        first = sample.split("\n", 1)[0]
        return max(DELIMITERS, key=first.count)
