"""Reads binary PowerPoint presentations (.ppt) according to Microsoft's specification [MS-PPT]."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass, field

from ingest.errors import EmptyDocument
from ingest.loaders.document_builder import Builder
from ingest.loaders.office.ole_file import Compound
from ingest.loaders.source import Source
from ingest.models import Document

DOCUMENT, SLIDE_LIST, SLIDE_PLACE, SLIDE, NOTES = 0x03E8, 0x0FF0, 0x03F3, 0x03EE, 0x03F0
TEXT_KIND, TEXT_WIDE, TEXT_NARROW = 0x0F9F, 0x0FA0, 0x0FA8
NOTES_FACTS, EDIT, DIRECTORY, CRYPT = 0x03F1, 0x0FF5, 0x1772, 0x2F14
SLIDES, NOTES_OF_SLIDES = 0, 2
TITLES = frozenset({0, 6})
DEEPEST = 32
MOST_EDITS = 10_000


@dataclass(frozen=True, slots=True)
class _Record:
    kind: int
    instance: int
    start: int
    end: int
    holds_records: bool


@dataclass(slots=True)
class _Slide:
    """A slide's texts, each with a flag that is True for a title."""

    reference: int
    id: int
    texts: list[tuple[bool, str]] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


def load_ppt(source: Source) -> Document:
    """Reads a presentation of PowerPoint 97 to 2003: slides with their notes.

    Raises:
        EncryptedDocument: a password is needed.
        DamagedDocument: it is damaged.
        EmptyDocument: no slide has text.
    """
    compound = Compound(source, "presentation")
    data = compound.stream("PowerPoint Document")
    with compound.being_read():
        current = compound.stream("Current User") if compound.has("Current User") else b""
        presentation = _Presentation(data, current)
        if presentation.encrypted:
            raise source.locked()
        slides = presentation.slides()
    builder = Builder(source.output)
    for number, slide in enumerate(slides, start=1):
        builder.begin_page(f"slide {number}")
        for is_title, text in slide.texts:
            if is_title:
                builder.add_heading(1, text)
            else:
                builder.add("paragraph", text)
        if slide.notes:
            builder.add("paragraph", "Notes: " + "\n".join(slide.notes))
    document = builder.build(compound.title or builder.first_heading())
    if not document.text:
        raise EmptyDocument(f"{source} has {len(slides)} slides and no text on them.")
    return document


class _Presentation:
    def __init__(self, data: bytes, current: bytes) -> None:
        self._data = data
        self._places: dict[int, int] = {}
        self.encrypted = False
        if len(current) >= 20:  # noqa: PLR2004 - includes the offset of the last edit
            self._read_directory(struct.unpack_from("<I", current, 16)[0])

    def slides(self) -> list[_Slide]:
        """Returns the slides in order."""
        document = next((one for one in self._records(0, len(self._data)) if one.kind == DOCUMENT), None)
        if document is None:
            raise ValueError("it contains no document")
        lists = [one for one in self._records(document.start, document.end) if one.kind == SLIDE_LIST]
        slides = [s for one in lists if one.instance == SLIDES for s in self._listed(one)]
        for slide in slides:
            slide.texts.extend(self._texts_at(slide.reference, SLIDE))
        by_id = {slide.id: slide for slide in slides}
        for one in lists:
            if one.instance == NOTES_OF_SLIDES:
                self._add_notes(one, by_id)
        return slides

    def _read_directory(self, edit_at: int) -> None:
        """Reads the positions of slides; newer edits take precedence."""
        for _ in range(MOST_EDITS):
            edit = next(self._records(edit_at, len(self._data)), None)
            if edit is None or edit.kind != EDIT:
                return
            before, directory_at = struct.unpack_from("<2I", self._data, edit.start + 8)
            self.encrypted |= edit.end - edit.start > 28  # noqa: PLR2004 - a longer record refers to encryption data
            directory = next(self._records(directory_at, len(self._data)), None)
            if directory is not None and directory.kind == DIRECTORY:
                for key, place in self._directory(directory):
                    self._places.setdefault(key, place)
            if not before or before >= edit_at:
                return
            edit_at = before

    def _directory(self, record: _Record) -> Iterator[tuple[int, int]]:
        at = record.start
        while at + 4 <= record.end:
            (head,) = struct.unpack_from("<I", self._data, at)
            first, n = head & 0xFFFFF, head >> 20
            for i, place in enumerate(struct.unpack_from(f"<{n}I", self._data, at + 4)):
                yield first + i, place
            at += 4 + 4 * n

    def _listed(self, record: _Record) -> Iterator[_Slide]:
        slide: _Slide | None = None
        kind = -1
        for one in self._records(record.start, record.end):
            if one.kind == SLIDE_PLACE:
                if slide:
                    yield slide
                reference, _, _, number = struct.unpack_from("<4I", self._data, one.start)
                slide = _Slide(reference, number)
            elif one.kind == TEXT_KIND:
                (kind,) = struct.unpack_from("<I", self._data, one.start)
            elif slide and one.kind in {TEXT_WIDE, TEXT_NARROW}:
                slide.texts.append((kind in TITLES, self._text(one)))
        if slide:
            yield slide

    def _add_notes(self, record: _Record, slides: dict[int, _Slide]) -> None:
        for note in self._listed(record):
            place = self._places.get(note.reference)
            found = next(self._records(place, len(self._data)), None) if place is not None else None
            if found is None or found.kind != NOTES:
                continue
            facts = next((one for one in self._records(found.start, found.end) if one.kind == NOTES_FACTS), None)
            slide = slides.get(struct.unpack_from("<I", self._data, facts.start)[0]) if facts else None
            if slide:
                texts = [*note.texts, *self._texts_at(note.reference, NOTES)]
                slide.notes.extend(text for _, text in texts if len(text.strip()) > 1)

    def _texts_at(self, reference: int, kind: int) -> list[tuple[bool, str]]:
        """Returns the texts of shapes at a directory entry, except those that the slide list holds."""
        place = self._places.get(reference)
        found = next(self._records(place, len(self._data)), None) if place is not None else None
        return list(self._texts_in(found, 0)) if found is not None and found.kind == kind else []

    def _texts_in(self, record: _Record, depth: int) -> Iterator[tuple[bool, str]]:
        kind = -1
        for one in self._records(record.start, record.end):
            if one.kind == TEXT_KIND:
                (kind,) = struct.unpack_from("<I", self._data, one.start)
            elif one.kind in {TEXT_WIDE, TEXT_NARROW}:
                yield kind in TITLES, self._text(one)
            elif (one.holds_records or one.kind == 0xF00D) and depth < DEEPEST:  # noqa: PLR2004 - a shape's text
                yield from self._texts_in(one, depth + 1)

    def _records(self, start: int, end: int) -> Iterator[_Record]:
        end = min(end, len(self._data))
        while start + 8 <= end:
            head, kind, size = struct.unpack_from("<HHI", self._data, start)
            if kind == CRYPT:
                self.encrypted = True
            yield _Record(kind, head >> 4, start + 8, min(start + 8 + size, end), (head & 0xF) == 0xF)  # noqa: PLR2004
            start += 8 + size

    def _text(self, record: _Record) -> str:
        raw = self._data[record.start : record.end]
        text = raw.decode("utf-16-le" if record.kind == TEXT_WIDE else "cp1252", "replace")
        return "" if text == "*" else text.replace("\r", "\n").replace("\x0b", "\n")  # placeholder of a page number
