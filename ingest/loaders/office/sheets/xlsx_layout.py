"""Reads from the XML of a workbook (.xlsx) what decides how its cells are shown: formats, hidden parts, formulas.

The values themselves are read by a library that does not report these.
"""

from __future__ import annotations

import io
import posixpath
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any

from lxml import etree

from ingest.loaders.containers.zip_package import Package
from ingest.loaders.office.sheets.number_formats import BUILT_IN

WORKBOOK = "xl/workbook.xml"
RELATIONS = "xl/_rels/workbook.xml.rels"
STYLES = "xl/styles.xml"
CELL = re.compile(r"([A-Z]{1,3})(\d{1,7})")
# A reference in a formula, which may be fixed by $, as in A$1.
REFERENCE = re.compile(r"(?<![\w.$!'])(\$?)([A-Z]{1,3})(\$?)(\d+)(?![\w(.!])")
ZEROS = frozenset({"", "0"})
TRUE = frozenset({"1", "true"})


@dataclass(slots=True)
class RowLayout:
    """How a row is shown: number formats and formulas without a result, by column from 0."""

    number: int
    hidden: bool = False
    formats: dict[int, str] = field(default_factory=dict)
    formulas: dict[int, str] = field(default_factory=dict)


class WorkbookLayout:
    """The layout of the sheets of a workbook.

    Args:
        package: the workbook. Errors of its parts are raised as `Package.xml` does, and as `KeyError` or `ValueError`.
    """

    def __init__(self, package: Package) -> None:
        self._package = package
        root = package.xml(WORKBOOK)
        targets = {one.get("Id"): one.get("Target", "") for one in package.xml(RELATIONS)}
        self._paths = {}
        for one in root.iter():
            if _name(one) == "sheet":
                relation = next((value for key, value in one.attrib.items() if key.endswith("}id")), "")
                self._paths[one.get("name")] = posixpath.normpath(posixpath.join("/xl", targets.get(relation, ""))[1:])
        self._formats = _formats(package.xml(STYLES)) if STYLES in package.names else {}
        full = any(_name(one) == "calcPr" and one.get("fullCalcOnLoad") in TRUE for one in root.iter())
        self._zeros_are_missing = full and not any(map(self._has_results, self._paths.values()))

    def sheet(self, name: str) -> SheetLayout | None:
        """Returns the layout of a sheet; None if it has no part of its own."""
        path = self._paths.get(name)
        if path not in self._package.names:
            return None
        return SheetLayout(self._package.read(path), self._formats, self._zeros_are_missing)

    def _has_results(self, path: str) -> bool:
        """Returns True if a formula of a sheet has a result other than zero.

        Programs that do not calculate write zeros, and that the workbook has to be calculated when it is opened.
        """
        if path not in self._package.names:
            return False
        results = (one for one in _elements(self._package.read(path), "v") if _name(one.getprevious()) == "f")
        return any((one.text or "") not in ZEROS for one in results)


class SheetLayout:
    """The layout of a sheet.

    Attributes:
        hidden_columns: the first and last of hidden columns, from 0. Known when the rows are read.
    """

    def __init__(self, xml: bytes, formats: dict[str, str], zeros_are_missing: bool) -> None:
        self.hidden_columns: list[tuple[int, int]] = []
        self._xml = xml
        self._formats = formats
        self._zeros_are_missing = zeros_are_missing
        self._shared: dict[str, tuple[int, int, str]] = {}

    def rows(self) -> Iterator[RowLayout]:
        """Yields the rows that have cells or are hidden, from top to bottom."""
        number = -1
        for element in _elements(self._xml, "col", "row"):
            if element.tag.endswith("col"):
                if element.get("hidden") in TRUE:
                    self.hidden_columns.append((int(element.get("min", "1")) - 1, int(element.get("max", "1")) - 1))
                continue
            number = int(element.get("r", number + 2)) - 1
            yield self._row(number, element)

    def _row(self, number: int, element: Any) -> RowLayout:
        row = RowLayout(number, element.get("hidden") in TRUE)
        column = -1
        for cell in element:
            found = CELL.fullmatch(cell.get("r", ""))
            column = column_number(found[1]) if found else column + 1
            if code := self._formats.get(cell.get("s", "0")):
                row.formats[column] = code
            if len(cell) > 1 or (len(cell) and not cell[0].tag.endswith("}v")):
                formula = self._formula_without_result(number, column, cell)
                if formula:
                    row.formulas[column] = formula
        return row

    def _formula_without_result(self, row: int, column: int, cell: Any) -> str:
        formula = next((one for one in cell if _name(one) == "f"), None)
        if formula is None:
            return ""
        text = formula.text or ""
        if formula.get("t") == "shared":
            key = formula.get("si", "")
            if text:
                self._shared[key] = row, column, text
            elif key in self._shared:
                first_row, first_column, shared = self._shared[key]
                text = moved(shared, row - first_row, column - first_column)
        result = next((one.text or "" for one in cell if _name(one) == "v"), None)
        if cell.get("t") == "str" and result is not None:
            return ""
        is_missing = not result or (self._zeros_are_missing and result == "0")
        return f"={text}" if is_missing and text else ""


def _elements(xml: bytes, *names: str) -> Iterator[Any]:
    """Yields the elements of these names, and forgets each row; entities are not expanded, and nothing is fetched."""
    tags = [f"{{*}}{name}" for name in {*names, "row"}]
    for _, element in etree.iterparse(io.BytesIO(xml), tag=tags, resolve_entities=False, huge_tree=True):
        name = _name(element)
        if name in names:
            yield element
        if name == "row":
            element.clear()
            while element.getprevious() is not None:
                del element.getparent()[0]


@lru_cache(maxsize=1024)
def column_number(letters: str) -> int:
    """Returns the number of a column, from 0, by its letters."""
    number = 0
    for letter in letters:
        number = number * 26 + ord(letter) - ord("A") + 1
    return number - 1


def column_letters(number: int) -> str:
    """Returns the letters of a column by its number from 0."""
    letters = ""
    number += 1
    while number > 0:
        number, rest = divmod(number - 1, 26)
        letters = chr(ord("A") + rest) + letters
    return letters


def moved(formula: str, rows: int, columns: int) -> str:
    """Returns a formula copied to a cell so many rows below and columns to the right."""

    def reference(found: re.Match[str]) -> str:
        column = found[2] if found[1] else column_letters(column_number(found[2]) + columns)
        row = found[4] if found[3] else str(int(found[4]) + rows)
        return f"{found[1]}{column}{found[3]}{row}"

    parts = formula.split('"')  # every second part is a text
    return '"'.join(part if i % 2 else REFERENCE.sub(reference, part) for i, part in enumerate(parts))


def _formats(styles: Any) -> dict[str, str]:
    """Returns the number formats by the number of their style; none for the general one."""
    own = {one.get("numFmtId"): one.get("formatCode", "") for one in styles.iter() if _name(one) == "numFmt"}
    cells = next((one for one in styles if _name(one) == "cellXfs"), ())
    found = {}
    for i, style in enumerate(cells):
        number = style.get("numFmtId", "0")
        code = own.get(number) or BUILT_IN.get(int(number) if number.isdecimal() else 0, "")
        if code and code.casefold() != "general" and code != "@":
            found[str(i)] = code
    return found


def _name(element: Any) -> str:
    tag = getattr(element, "tag", "")
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""
