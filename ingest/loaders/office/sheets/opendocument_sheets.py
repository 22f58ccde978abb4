"""Reads OpenDocument spreadsheets (.ods), which store how each cell is shown beside its value."""

from __future__ import annotations

import datetime as dt
import io
import re
from collections.abc import Iterator
from decimal import Decimal, InvalidOperation
from typing import Any

from defusedxml import ElementTree

from ingest.errors import DamagedDocument
from ingest.loaders.containers.zip_package import Package
from ingest.loaders.document_builder import Builder
from ingest.loaders.office.odf.words import check_unlocked, number_of, q, text_of
from ingest.loaders.office.sheets.date_formats import with_iso
from ingest.loaders.office.sheets.grid import SheetCells, add_sheet, hidden_sheets
from ingest.loaders.office.sheets.number_formats import MOST_TYPED_DECIMALS, general
from ingest.loaders.source import Source
from ingest.loaders.table_grid import Merge
from ingest.models import Document

# Present in OpenDocument packages alone.
OPENDOCUMENT_SHEETS = "content.xml"
TABLE, ROW, COLUMN, CELL, COVERED = map(
    q,
    (
        "table:table",
        "table:table-row",
        "table:table-column",
        "table:table-cell",
        "table:covered-table-cell",
    ),
)
STYLE, PROPERTIES, NAME, STYLE_NAME = map(
    q, ("style:style", "style:table-properties", "table:name", "table:style-name")
)
COLUMNS_REPEATED, ROWS_REPEATED = q("table:number-columns-repeated"), q("table:number-rows-repeated")
COLUMNS_SPANNED, ROWS_SPANNED = q("table:number-columns-spanned"), q("table:number-rows-spanned")
VISIBILITY, FORMULA, P = q("table:visibility"), q("table:formula"), q("text:p")
VALUE, TYPE, DATE_VALUE = q("office:value"), q("office:value-type"), q("office:date-value")
OTHER_VALUES = tuple(map(q, ("office:string-value", "office:date-value", "office:time-value", "office:boolean-value")))
REFERENCE = re.compile(r"\[([^\]]{0,255})\]")
PREFIX = re.compile(r"^\w{1,16}:(?==)")
NOT_DIGITS = re.compile(r"\D+")
# Cells beyond this limit are reported but not read.
MOST_CELLS = 5_000_000


def load_opendocument_sheets(source: Source, package: Package) -> Document:
    """Reads a spreadsheet; `package` is the opened `source`.

    Raises:
        EncryptedDocument: a password is needed.
        DamagedDocument: it is damaged.
    """
    check_unlocked(package, source)
    builder = Builder(source.output)
    reader = _Reader(builder)
    warnings: list[str] = []
    with package.being_read():
        for name, cells in reader.sheets(package.read(OPENDOCUMENT_SHEETS)):
            warnings.extend(add_sheet(builder, name, cells))
    if not reader.found:
        raise DamagedDocument(f"{source} is damaged: it has no sheets. Open it in its program and save it again.")
    return builder.build(warnings=[*hidden_sheets(reader.hidden), *warnings, *reader.warnings])


class _Reader:
    """Reads sheets from the stream of elements.

    Attributes:
        found: number of sheets.
        hidden: names of hidden sheets.
        warnings: sheets that were not read completely.
    """

    def __init__(self, builder: Builder) -> None:
        self.found = 0
        self.hidden: list[str] = []
        self.warnings: list[str] = []
        self._output = builder.output
        self._hiding: set[str] = set()
        self._cells = SheetCells()
        self._row = self._column = self._size = 0

    def sheets(self, xml: bytes) -> Iterator[tuple[str, SheetCells]]:
        """Yields the name and the cells of each visible sheet."""
        depth = 0
        for event, element in ElementTree.iterparse(io.BytesIO(xml), events=("start", "end")):
            if element.tag == TABLE:
                depth += 1 if event == "start" else -1
                if event == "start" and depth == 1:
                    self._cells, self._row, self._column, self._size = SheetCells(), 0, 0, 0
                elif event == "end" and not depth:
                    self.found += 1
                    name = element.get(NAME) or f"{self.found}"
                    if element.get(STYLE_NAME) in self._hiding:
                        self.hidden.append(name)
                    else:
                        yield name, self._cells
                    element.clear()
            elif event == "end" and depth <= 1:
                self._element(element)

    def _element(self, element: Any) -> None:
        if element.tag == STYLE:
            properties = element.find(PROPERTIES)
            if properties is not None and properties.get(q("table:display")) == "false":
                self._hiding.add(element.get(q("style:name")))
        elif element.tag == COLUMN:
            count = number_of(element, COLUMNS_REPEATED)
            if element.get(VISIBILITY) in {"collapse", "filter"}:
                self._cells.hidden_columns.append((self._column, self._column + count - 1))
            self._column += count
        elif element.tag == ROW:
            self._add_row(element)
            element.clear()

    def _add_row(self, element: Any) -> None:
        count = number_of(element, ROWS_REPEATED)
        row = self._row
        self._row += count
        texts = self._texts(element, row)
        if not texts or self._size > MOST_CELLS:
            return
        self._output.check(self._size + count * sum(len(text) + 1 for text in texts))
        for number in range(row, row + count):
            self._size += len(texts)
            self._cells.rows[number] = texts
            if element.get(VISIBILITY) in {"collapse", "filter"}:
                self._cells.hidden_rows.add(number)
        if self._size > MOST_CELLS:
            self.warnings.append(
                f"Only the first {row + count:,} rows of sheet {self.found + 1} were read: it is too large."
            )

    def _texts(self, element: Any, row: int) -> list[str]:
        """Returns the texts of a row up to its last filled cell."""
        texts: list[str] = []
        column = 0
        for cell in element:
            if cell.tag not in {CELL, COVERED}:
                continue
            count = number_of(cell, COLUMNS_REPEATED)
            if cell.tag == CELL and (text := self._text(cell)):
                self._output.check((column + count) * (len(text) + 1))
                texts.extend([""] * (column - len(texts)))
                texts.extend([text] * count)
                down, right = number_of(cell, ROWS_SPANNED), number_of(cell, COLUMNS_SPANNED)
                if down * right > 1:
                    self._cells.merges.append(Merge(row, column, down, right))
            column += count
        return texts

    def _text(self, cell: Any) -> str:
        text = "\n".join(text_of(p) for p in cell if p.tag == P).strip()
        formula = cell.get(FORMULA)
        if not text and formula and not any(cell.get(name) for name in (VALUE, *OTHER_VALUES)):
            self._cells.formulas += 1
            return REFERENCE.sub(
                lambda found: found[1].replace(":.", ":").lstrip("."), PREFIX.sub("", formula, count=1)
            )
        if not text:
            return _value(cell)
        if cell.get(TYPE) == "date":
            return _dated(text, cell.get(DATE_VALUE) or "")
        return _typed(text, cell)


def _value(cell: Any) -> str:
    """Returns the value of a cell that does not say how it is shown."""
    number = cell.get(VALUE)
    if number:
        try:
            return general(float(number))
        except (ValueError, OverflowError):
            return str(number)
    return next((str(value) for name in OTHER_VALUES if (value := cell.get(name))), "")


def _dated(text: str, value: str) -> str:
    try:
        moment = dt.datetime.fromisoformat(value)
    except ValueError:
        return text
    whole = (moment + dt.timedelta(microseconds=500_000)).replace(microsecond=0)
    return with_iso(text, whole if ":" in text else moment.date())


def _typed(text: str, cell: Any) -> str:
    """Adds to a rounded number the one that was typed; results of calculations have more decimals."""
    try:
        exact = Decimal(cell.get(VALUE) or "")
    except InvalidOperation:
        return text
    is_percent = cell.get(TYPE) == "percentage"
    exact = exact.scaleb(2 if is_percent else 0).normalize()
    digits = f"{abs(exact):f}" if exact.is_finite() and abs(exact.adjusted()) < 30 else ""  # noqa: PLR2004 - digits
    if not digits or NOT_DIGITS.sub("", digits).lstrip("0") in NOT_DIGITS.sub("", text):
        return text
    if -int(exact.as_tuple().exponent) > MOST_TYPED_DECIMALS:
        return text
    return f"{text} ({exact:f}{'%' if is_percent else ''})"
