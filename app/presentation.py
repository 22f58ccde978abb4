"""Formats `footnote report`: how each document was read, page by page."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import asdict
from datetime import datetime
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ingest.cli import one_line
from ingest.reports import DocumentRow, Reading


def report_json(rows: Sequence[DocumentRow]) -> dict[str, Any]:
    """Returns the JSON of `footnote report --json`. Seconds are reading time; null pages: a format without pages."""
    return {
        "documents": [
            {
                "document": row.source,
                "status": row.status,
                "title": row.title or None,
                "pages": row.pages,
                **asdict(row.reading),
                "chunks": row.chunks,
                "indexed": _day(row),
                "tags": list(row.tags),
                "periods": list(row.periods),
                "warnings": list(row.warnings),
                "error": row.error or None,
            }
            for row in rows
        ]
    }


def print_readings(rows: Sequence[DocumentRow], console: Console) -> None:
    """Prints one line per document, and below the table what could not be read and why."""
    if not rows:
        console.print("No documents yet. Add some: footnote ingest PATH")
        return
    folder = _common_folder([row.source for row in rows])
    if folder:
        console.print(escape(one_line(folder)), style="dim", highlight=False, soft_wrap=True)
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("text", "OCR", "empty", "tables", "characters", "chunks", "seconds"):
        table.add_column(name, justify="right")
    table.add_column("indexed")
    lists = {"periods": [row.periods for row in rows], "tags": [row.tags for row in rows]}
    lists = {name: column for name, column in lists.items() if any(column)}
    for name in lists:
        table.add_column(name, overflow="fold")
    table.add_column("document", overflow="fold")
    for i, row in enumerate(rows):
        listed = [escape(", ".join(column[i])) for column in lists.values()]
        table.add_row(*_counts(row), _day(row) or "", *listed, escape(one_line(row.source.removeprefix(folder))))
    console.print(table)
    for row in rows:
        for warning in row.warnings:
            line = escape(f"{one_line(row.source)}: {one_line(warning)}")
            console.print(f"[yellow]note[/yellow]    {line}", highlight=False, soft_wrap=True)
        if row.error:
            console.print(f"[red]failed[/red]  {escape(one_line(row.error))}", highlight=False, soft_wrap=True)


def reading_words(pages: int | None, reading: Reading) -> str:
    """Describes how a document was read, such as "12 pages: 10 text, 2 OCR (94% sure) · 3 tables"."""
    kinds = ((reading.pages_text, "text"), (reading.pages_ocr, "OCR"), (reading.pages_empty, "empty"))
    parts = []
    if pages:
        how = ", ".join(f"{n:,} {name}" for n, name in kinds if n)
        sure = f" ({reading.confidence:.0%} sure)" if reading.confidence is not None else ""
        only_text = reading.pages_text == pages or not how
        parts.append(f"{pages:,} page{'' if pages == 1 else 's'}" + ("" if only_text else f": {how}{sure}"))
    if reading.tables:
        parts.append(f"{reading.tables:,} table{'' if reading.tables == 1 else 's'}")
    return " · ".join(parts)


def _common_folder(sources: Sequence[str]) -> str:
    """Returns the folder that all sources share, with a trailing slash; "" if there is only one source."""
    shared = os.path.commonprefix(sources)  # noqa: RUF071 - by character, since some sources are URLs
    return shared[: shared.rfind("/") + 1] if len(sources) > 1 else ""


def _day(row: DocumentRow) -> str | None:
    """Returns the local date on which a document was last indexed; None if it never was."""
    if row.status == "failed":
        return None
    return datetime.fromtimestamp(row.updated).astimezone().date().isoformat()


def _counts(row: DocumentRow) -> list[str]:
    reading = row.reading
    if row.status == "failed":
        return ["", "", "", "", "", "[red]failed[/red]", f"{reading.seconds:.1f}"]
    pages = [reading.pages_text, reading.pages_ocr, reading.pages_empty] if row.pages else [None, None, None]
    shown = ["" if n is None else f"{n:,}" for n in pages]
    return [*shown, *(f"{n:,}" for n in (reading.tables, reading.characters, row.chunks)), f"{reading.seconds:.1f}"]
