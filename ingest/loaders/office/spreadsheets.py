"""Reads tables: spreadsheets sheet by sheet, and delimiter-separated files."""

from __future__ import annotations

import csv
import datetime as dt
import io
from collections.abc import Iterator, Sequence
from itertools import groupby
from typing import TYPE_CHECKING, Any

from ingest.errors import DamagedDocument
from ingest.loaders.containers.zip_package import Package
from ingest.loaders.document_builder import Builder
from ingest.loaders.plain_text import decode, normalise
from ingest.loaders.source import Source
from ingest.models import Document

if TYPE_CHECKING:
    from python_calamine import CalamineWorkbook

DELIMITERS = ",;\t|"
# Small enough for csv.Sniffer, whose time is quadratic in the sample.
SAMPLE_CHARACTERS = 4 * 1024
MOST_FIELD = 16 * 1024 * 1024
# A sheet may declare the largest possible used range; cells beyond this limit are reported but not read.
MOST_CELLS = 5_000_000
MIDNIGHT = dt.time()


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
    _add_regions(builder, rows)
    return builder.build()


def load_sheets(source: Source) -> Document:
    """Reads a workbook (.xlsx, .xlsm, .xlsb, .xls, .ods): each sheet a page, also hidden ones; formulas as values.

    Raises:
        EncryptedDocument: a password is needed.
        DamagedDocument: it cannot be opened as a workbook, or is made to unpack to an absurd size.
    """
    from python_calamine import CalamineError, CalamineWorkbook, PasswordError  # noqa: PLC0415 - for workbooks alone

    if source.data.startswith(b"PK"):
        Package(source, "workbook")  # enforces the size limits
    builder = Builder(source.output)
    try:
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(source.data))
        warnings = [_add_sheet(builder, workbook, name) for name in workbook.sheet_names]
    except PasswordError as error:
        raise source.locked() from error
    except (CalamineError, ValueError, OSError) as error:
        raise _damaged(source, error) from error
    except BaseException as error:  # panics of the library derive from BaseException
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(source, error) from error
    return builder.build(warnings=[warning for warning in warnings if warning])


def _damaged(source: Source, error: BaseException) -> DamagedDocument:
    return DamagedDocument(
        f"{source} cannot be opened as a workbook: it is damaged, or of an unsupported type ({error}). Open it in "
        "a spreadsheet program and save it as .xlsx."
    )


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


def _add_sheet(builder: Builder, workbook: CalamineWorkbook, name: str) -> str:
    """Adds a sheet as a page; returns a warning if it was not read completely."""
    builder.begin_page(f"sheet {name}")
    sheet = workbook.get_sheet_by_name(name)
    width = max(sheet.width, 1)
    most = max(MOST_CELLS // width, 1)
    size = 0
    rows: list[list[str]] = []
    for values in sheet.to_python(nrows=most):
        rows.append([_cell(value) for value in values])
        size += sum(map(len, rows[-1]))
        builder.output.check(size)
    if any(cell.strip() for row in rows for cell in row):
        builder.add_heading(1, name)
        _add_regions(builder, rows)
    if sheet.height > most:
        return f"Only the first {most:,} of {sheet.height:,} rows of sheet {name} were read: it is too large."
    return ""


def _add_regions(builder: Builder, rows: Sequence[Sequence[str]]) -> None:
    """Adds tables separated by empty rows; a single-cell row above a table, or alone, becomes a line of text."""
    for region in _regions(rows):
        at = 0
        while at < len(region) and sum(bool(cell.strip()) for cell in region[at]) == 1:
            at += 1
        if at == len(region) and at > 1 and _is_column(region):
            at = 0
        for row in region[:at]:
            builder.add("paragraph", next(cell for cell in row if cell.strip()))
        if region[at:]:
            builder.add_table(region[at:])


def _is_column(region: Sequence[Sequence[str]]) -> bool:
    """Returns True if rows of one cell each use the same column, as a list of values does."""
    return len({next(i for i, cell in enumerate(row) if cell.strip()) for row in region}) == 1


def _regions(rows: Sequence[Sequence[str]]) -> Iterator[list[Sequence[str]]]:
    for filled, region in groupby(rows, key=lambda row: any(cell.strip() for cell in row)):
        if filled:
            yield list(region)


def _cell(value: Any) -> str:
    """Formats a cell's value as a spreadsheet program would show it."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case float():
            return str(int(value)) if value.is_integer() and abs(value) < 1e15 else repr(round(value, 10))  # noqa: PLR2004
        case dt.datetime():
            return value.date().isoformat() if value.time() == MIDNIGHT else value.isoformat(" ", "minutes")
        case dt.date():
            return value.isoformat()
        case dt.time():
            return value.isoformat("minutes")
        case _:
            return str(value)
