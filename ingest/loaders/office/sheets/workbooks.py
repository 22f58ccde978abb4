"""Reads workbooks sheet by sheet, as a spreadsheet program shows them."""

from __future__ import annotations

import datetime as dt
import io
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from lxml.etree import XMLSyntaxError

from ingest.errors import DamagedDocument, EncryptedDocument
from ingest.loaders.containers.zip_package import Package
from ingest.loaders.document_builder import Builder
from ingest.loaders.office.sheets.date_formats import iso, shown_date
from ingest.loaders.office.sheets.grid import SheetCells, add_sheet, hidden_sheets
from ingest.loaders.office.sheets.number_formats import general, shown
from ingest.loaders.office.sheets.opendocument_sheets import OPENDOCUMENT_SHEETS, load_opendocument_sheets
from ingest.loaders.office.sheets.xlsx_layout import WORKBOOK, RowLayout, SheetLayout, WorkbookLayout
from ingest.loaders.source import Source
from ingest.loaders.table_grid import Merge
from ingest.models import Document

if TYPE_CHECKING:
    from python_calamine import CalamineSheet

# A sheet may declare the largest possible used range; cells beyond this limit are reported but not read.
MOST_CELLS = 5_000_000
NO_LAYOUT = (
    "Number formats and hidden rows and columns are not known ({}): numbers are read as they are stored. Save the "
    "workbook as .xlsx to have them read as they are shown."
)


def load_sheets(source: Source) -> Document:
    """Reads a workbook (.xlsx, .xlsm, .xlsb, .xls, .ods): each visible sheet a page; formulas as values.

    Raises:
        EncryptedDocument: a password is needed.
        DamagedDocument: it cannot be opened as a workbook, or is made to unpack to an absurd size.
    """
    package = Package(source, "workbook") if source.data.startswith(b"PK") else None  # enforces the size limits
    if package is not None and OPENDOCUMENT_SHEETS in package.names:
        return load_opendocument_sheets(source, package)
    from python_calamine import CalamineWorkbook, SheetVisibleEnum  # noqa: PLC0415 - for workbooks alone

    builder = Builder(source.output)
    with _being_read(source):
        layout, warnings = _layout(package)
        workbook = CalamineWorkbook.from_filelike(io.BytesIO(source.data))
        hidden = []
        for sheet in workbook.sheets_metadata:
            if sheet.visible == SheetVisibleEnum.Visible:
                rows = layout.sheet(sheet.name) if layout is not None else None
                cells, more = _read(builder, workbook.get_sheet_by_name(sheet.name), rows)
                warnings += [*add_sheet(builder, sheet.name, cells), *more]
            else:
                hidden.append(sheet.name)
    return builder.build(warnings=[*hidden_sheets(hidden), *warnings])


@contextmanager
def _being_read(source: Source) -> Iterator[None]:
    """Maps errors of the library to ours."""
    from python_calamine import CalamineError, PasswordError  # noqa: PLC0415 - for workbooks alone

    try:
        yield
    except (DamagedDocument, EncryptedDocument):
        raise
    except PasswordError as error:
        raise source.locked() from error
    except (CalamineError, XMLSyntaxError, ValueError, OSError) as error:
        raise _damaged(source, error) from error
    except BaseException as error:  # panics of the library derive from BaseException
        if type(error).__name__ != "PanicException":
            raise
        raise _damaged(source, error) from error


def _damaged(source: Source, error: BaseException) -> DamagedDocument:
    return DamagedDocument(
        f"{source} cannot be opened as a workbook: it is damaged, or of an unsupported type ({error}). Open it in "
        "a spreadsheet program and save it as .xlsx."
    )


def _layout(package: Package | None) -> tuple[WorkbookLayout | None, list[str]]:
    """Returns the layout of a workbook, and a warning if it cannot be read; None for types that do not have it."""
    if package is None or WORKBOOK not in package.names:
        return None, []
    try:
        return WorkbookLayout(package), []
    except (DamagedDocument, KeyError, ValueError) as error:
        return None, [NO_LAYOUT.format(error)]


def _read(builder: Builder, sheet: CalamineSheet, layout: SheetLayout | None) -> tuple[SheetCells, list[str]]:
    """Returns the cells of a sheet, and a warning if it was not read completely."""
    cells = SheetCells()
    left = sheet.start[1] if sheet.start else 0
    most = max(MOST_CELLS // max(left + sheet.width, 1), 1)
    size = 0
    layouts = _Layouts(layout)
    for number, values in enumerate(sheet.iter_rows()):
        if number >= most:
            break
        row = layouts.row(number)
        texts = [""] * left + [_cell(value, row.formats.get(left + i, "")) for i, value in enumerate(values)]
        size += _keep(cells, row, texts)
        builder.output.check(size)
    for row in layouts.rest(most):
        size += _keep(cells, row, [])
        builder.output.check(size)
    cells.hidden_columns = layout.hidden_columns if layout is not None else []
    cells.merges = [
        Merge(top, start, bottom - top + 1, end - start + 1)
        for (top, start), (bottom, end) in sheet.merged_cell_ranges or []
    ]
    total = sheet.total_height
    if total > most:
        return cells, [f"Only the first {most:,} of {total:,} rows of sheet {sheet.name} were read: it is too large."]
    return cells, []


class _Layouts:
    """The layouts of a sheet's rows, asked for in order."""

    def __init__(self, layout: SheetLayout | None) -> None:
        self._rows = layout.rows() if layout is not None else iter(())
        self._next = next(self._rows, None)

    def row(self, number: int) -> RowLayout:
        while self._next is not None and self._next.number < number:
            self._next = next(self._rows, None)
        found = self._next
        if found is None or found.number != number:
            return RowLayout(number)
        self._next = next(self._rows, None)
        return found

    def rest(self, most: int) -> Iterator[RowLayout]:
        """Yields the rows below those that have values."""
        last = self._next
        while last is not None and last.number < most:
            yield last
            last = next(self._rows, None)


def _keep(cells: SheetCells, row: RowLayout, texts: list[str]) -> int:
    """Adds a row, with formulas in place of their missing results; returns the size of its texts."""
    for column, formula in row.formulas.items():
        texts.extend([""] * (column + 1 - len(texts)))
        texts[column] = formula
    cells.formulas += len(row.formulas)
    if row.hidden:
        cells.hidden_rows.add(row.number)
    if any(text.strip() for text in texts):
        cells.rows[row.number] = texts
    return sum(map(len, texts)) + len(texts)


def _cell(value: Any, code: str) -> str:
    """Formats a cell's value as a spreadsheet program would show it."""
    match value:
        case bool():
            return "TRUE" if value else "FALSE"
        case float() | int():
            text = shown(value, code) if code else None
            return general(value) if text is None else text
        case dt.datetime() | dt.date() | dt.time() | dt.timedelta():
            return shown_date(value, code) if code else iso(value)
        case _:
            return str(value)
