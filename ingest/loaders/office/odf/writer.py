"""Adds the elements of OpenDocument texts and presentations to a document."""

from __future__ import annotations

from typing import Any

from ingest.loaders.document_builder import Builder
from ingest.loaders.office.odf.lists import BULLET, ListCounter, ListStyles
from ingest.loaders.office.odf.tables import frame, read_table
from ingest.loaders.office.odf.words import BOX, DEEPEST, LEFT_OUT, NOTE, TABLE, H, P, Words, number_of, q
from ingest.loaders.table_grid import add_grid

DEEPEST_HEADING = 6
LIST, ITEM, NOTE_BODY, LEVEL = map(q, ("text:list", "text:list-item", "text:note-body", "text:outline-level"))


class Writer:
    """Adds elements in document order; collects notes until the end."""

    def __init__(self, builder: Builder, lists: ListStyles, words: Words) -> None:
        self.builder = builder
        self.words = words
        self._lists = lists
        self._notes: list[str] = []
        self._items: list[str] = []

    def notes(self) -> None:
        """Adds the collected footnotes."""
        for number, note in enumerate(self._notes, start=1):
            self.builder.add("paragraph", f"Note {number}: {note}")
        self._notes = []

    def children(self, parent: Any, depth: int) -> None:
        for child in parent:
            self.element(child, depth + 1)

    def element(self, element: Any, depth: int) -> None:
        if element.tag in LEFT_OUT or depth > DEEPEST:
            return
        if element.tag == H:
            self._heading(element, self._lists.heading_mark(element))
        elif element.tag == P:
            self.builder.add("paragraph", "\n".join(line.strip() for line in self.words.of(element).split("\n")))
            self._inside(element, depth)
        elif element.tag == LIST:
            self._list(element, self._lists.begin(element, ""), 1)
            self._end_list()
        elif element.tag == TABLE:
            self._table(element, depth)
        elif self.words.is_hidden(element):
            self.words.of(element)  # counts it
        else:
            self.children(element, depth)

    def _heading(self, heading: Any, mark: str) -> None:
        text = self.words.of(heading)
        if text.strip():
            self.builder.add_heading(min(max(number_of(heading, LEVEL), 1), DEEPEST_HEADING), f"{mark} {text}")
        self._inside(heading, 0)

    def _inside(self, paragraph: Any, depth: int) -> None:
        """Handles notes and text boxes inside a paragraph, which are not part of its words."""
        for inner in paragraph.iter():
            if inner.tag == NOTE:
                body = inner.find(NOTE_BODY)
                words = " ".join(self.words.of(body).split()) if body is not None else ""
                self._notes.extend([words] if words else [])
            elif inner.tag == BOX:
                self.children(inner, depth + 1)

    def _list(self, items: Any, counter: ListCounter, depth: int) -> None:
        for item in items:
            mark = ""
            for child in item:
                if child.tag == LIST and depth < DEEPEST:
                    style = child.get(q("text:style-name"))
                    inner = counter if style in {None, counter.style} else self._lists.begin(child, counter.style)
                    self._list(child, inner, depth + 1)
                elif child.tag == TABLE:
                    self._end_list()
                    self._table(child, depth)
                elif child.tag in {P, H}:
                    is_first = not mark and item.tag == ITEM
                    mark = counter.mark(item, depth) if is_first else mark or " "
                    self._item(child, mark if is_first else "", depth)

    def _item(self, paragraph: Any, mark: str, depth: int) -> None:
        """Adds a paragraph of a list item; only the first has the mark."""
        if paragraph.tag == H:
            self._end_list()
            self._heading(paragraph, "" if mark == BULLET else mark)
        elif text := " ".join(self.words.of(paragraph).split()):
            self._items.append(f"{'  ' * (depth - 1)}{mark or ' '} {text}")
            self._inside(paragraph, depth)

    def _end_list(self) -> None:
        self.builder.add("list", "\n".join(self._items))
        self._items = []

    def _table(self, table: Any, depth: int) -> None:
        if cells := frame(table):
            for cell in cells:
                self.children(cell, depth + 1)
            return
        read = read_table(table, self._cell)
        add_grid(self.builder, read.rows, read.merges, read.headers)
        for name, inner in read.inner if depth < DEEPEST else ():
            self.builder.add("paragraph", name)
            self._table(inner, depth + 1)

    def _cell(self, cell: Any) -> str:
        return " ".join(self.words.of(cell).split())
