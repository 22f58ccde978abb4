"""Builds small files of many formats, and lists what was read from them."""

from __future__ import annotations

import io
import zipfile

import xlsxwriter

from ingest.models import Document


def labels(document: Document) -> list[str]:
    return [page.label for page in document.pages]


def headings(document: Document) -> list[tuple[int, str]]:
    return [(block.level, block.title) for block in document.blocks if block.kind == "heading"]


def of_kind(document: Document, kind: str) -> list[str]:
    return [document.text[block.start : block.end] for block in document.blocks if block.kind == kind]


def zipped(members: dict[str, str | bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as package:
        for name, content in members.items():
            package.writestr(name, content)
    return buffer.getvalue()


def workbook(sheets: dict[str, list[list]]) -> bytes:
    buffer = io.BytesIO()
    book = xlsxwriter.Workbook(buffer, {"in_memory": True})
    for name, rows in sheets.items():
        sheet = book.add_worksheet(name)
        for i, row in enumerate(rows):
            sheet.write_row(i, 0, row)
    book.close()
    return buffer.getvalue()


def kinds(document: Document) -> list[str]:
    return [block.kind for block in document.blocks]


def texts(document: Document) -> list[str]:
    return [document.text[block.start : block.end] for block in document.blocks]
