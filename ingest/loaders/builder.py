"""Puts the text of a document together from its pieces, and notes where each one stands."""

from __future__ import annotations

from collections.abc import Sequence

from ingest.models import Block, BlockKind, Document, Page

GAP = "\n\n"


class Builder:
    """Pieces are added in reading order; a blank line stands between two of them."""

    def __init__(self) -> None:
        self._parts: list[str] = []
        self._length = 0
        self._blocks: list[Block] = []
        self._pages: list[Page] = []
        self._page: tuple[str, str] | None = None
        self._page_start: int | None = None

    def add(self, kind: BlockKind, text: str) -> None:
        """Adds a piece, white space around it taken off; one that is only white space is left out."""
        self._add(kind, text.strip(), 0, "")

    def add_heading(self, level: int, title: str) -> None:
        """Adds a heading of `level` 1 to 6 in Markdown's form."""
        title = " ".join(title.split())
        if title:
            self._add("heading", f"{'#' * level} {title}", level, title)

    def begin_page(self, unit: str = "page", name: str = "") -> None:
        """Whatever is added from here on stands on the next page."""
        self._end_page()
        self._page = (unit, name)

    def first_heading(self) -> str:
        """The first heading of the highest level that is there; "" where there is none."""
        headings = [block for block in self._blocks if block.kind == "heading"]
        return min(headings, key=lambda block: block.level).title if headings else ""

    def build(self, title: str = "", warnings: Sequence[str] = ()) -> Document:
        """The document."""
        self._end_page()
        return Document("".join(self._parts), title, tuple(self._blocks), tuple(self._pages), tuple(warnings))

    def _add(self, kind: BlockKind, text: str, level: int, title: str) -> None:
        if not text:
            return
        if self._length:
            self._append(GAP)
        start = self._length
        self._append(text)
        self._blocks.append(Block(kind, start, self._length, level, title))
        if self._page_start is None:
            self._page_start = start

    def _append(self, text: str) -> None:
        self._parts.append(text)
        self._length += len(text)

    def _end_page(self) -> None:
        if self._page:
            start = self._length if self._page_start is None else self._page_start
            self._pages.append(Page(len(self._pages) + 1, start, self._length, *self._page))
        self._page = self._page_start = None


def markdown_table(rows: Sequence[Sequence[str]]) -> str:
    """Rows of cells as a Markdown table, the first row its header; "" where no cell has text.

    Columns that are empty throughout are left out, short rows are filled up.
    """
    cleaned = [[" ".join(cell.split()).replace("|", "\\|") for cell in row] for row in rows]
    cleaned = [row for row in cleaned if any(row)]
    width = max((len(row) for row in cleaned), default=0)
    filled = [row + [""] * (width - len(row)) for row in cleaned]
    used = [i for i in range(width) if any(row[i] for row in filled)]
    lines = ["| " + " | ".join(row[i] for i in used) + " |" for row in filled]
    if not lines:
        return ""
    return "\n".join([lines[0], "|" + " --- |" * len(used), *lines[1:]])
