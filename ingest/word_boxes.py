"""Stores the position of each word on its page in a compact form.

A word is a row of seven numbers: start and end in characters of the text, page, and the left, top, right and bottom of
its box in fractions of the page. They are stored by column, delta-encoded where neighbours are similar, and deflated.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Iterable, Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ingest.models import Box

COLUMNS = 7
WHOLE = 0xFFFF
HEADER = struct.Struct("<I")
# In column order: start (delta-encoded), length, page (delta-encoded), left, top (delta-encoded), width and height.
TYPES = ("<u4", "<u4", "<u4", "<u2", "<u2", "<u2", "<u2")
BYTES = sum(np.dtype(kind).itemsize for kind in TYPES)
# Upper bound on the words of a document; data that unpacks to more is invalid.
MOST_WORDS = 10_000_000
# Largest overhead of deflating incompressible bytes: a proportion of their size plus a constant. zlib's own bound is
# slightly lower.
SPARE_SHARE, SPARE_BYTES = 1_000, 64
# Words processed together.
PART = 65_536
# Words of a line join into one box if their gap is less than this multiple of the line's height.
JOINING_GAP = 1.5

Rows = npt.NDArray[np.int64]


def pack(places: Sequence[float] | npt.NDArray[np.float64]) -> bytes:
    """Packs word positions into the form that `boxes` and `unpack` read.

    Args:
        places: seven numbers per word, concatenated, in order of start.
    """
    table = np.asarray(places, np.float64).reshape(-1, COLUMNS)
    if not len(table):
        return b""
    start, end, page = (table[:, i].astype(np.int64) for i in range(3))
    left, top, right, bottom = (np.rint(table[:, i].clip(0, 1) * WHOLE).astype(np.int64) for i in range(3, COLUMNS))
    return _packed(np.stack([start, end, page, left, top, right, bottom], axis=1))


def divided(packed: bytes, ends: Sequence[int]) -> Iterator[bytes]:
    """Divides the words of a text among stretches of it; a word belongs to the stretch in which it begins.

    Args:
        packed: the words of the whole text.
        ends: end offsets of the stretches in characters, in order; the last is the end of the text.

    Yields:
        The words of each stretch, with offsets from its start.
    """
    if len(ends) == 1:
        yield packed
        return
    parts, start = _parts(packed), 0
    held = np.empty((0, COLUMNS), np.int64)
    for number, end in enumerate(ends):
        taken = []
        is_last = number == len(ends) - 1
        while True:
            n = len(held) if is_last else int(np.searchsorted(held[:, 0], end, side="left"))
            taken.append(held[:n])
            held = held[n:]
            more = None if len(held) else next(parts, None)
            if more is None:
                break
            held = more
        rows = np.concatenate(taken)
        rows[:, 1] = np.minimum(rows[:, 1], end)
        rows[:, :2] -= start
        yield _packed(rows)
        start = end


def joined(stretches: Iterable[tuple[int, bytes]]) -> bytes:
    """Joins the words of stretches, each given with its start offset."""
    found = []
    for start, packed in stretches:
        rows = _rows(packed)
        rows[:, :2] += start
        found.append(rows)
    return _packed(np.concatenate(found)) if found else b""


def _packed(rows: Rows) -> bytes:
    """Packs rows whose boxes are in integer units of 1/65535 of the page."""
    if not len(rows):
        return b""
    start, end, page, left, top, right, bottom = rows.T
    columns = (_steps(start), end - start, _steps(page), left, _steps(top), right - left, bottom - top)
    data = b"".join(column.astype(kind).tobytes() for column, kind in zip(columns, TYPES, strict=True))
    return zlib.compress(HEADER.pack(len(rows)) + data, 6)


def boxes(packed: bytes, start: int, end: int) -> list[Box]:
    """Returns the boxes of the words in characters [start, end); adjacent words on a line share one box.

    Raises:
        ValueError: the bytes were not made by `pack`.
    """
    return list(_joined(_box(row) for row in _between(packed, start, end)))


def check(packed: bytes, characters: int, pages: int) -> None:
    """Checks that word positions can belong to a text with this many characters and pages.

    Raises:
        ValueError: they are malformed, have more words than the text has characters, or lie outside it.
    """
    if count_words(packed) > characters:
        raise ValueError("invalid word positions: there are more words than characters in the text")
    at = 0
    for rows in _parts(packed):
        start, end, page = rows[:, 0], rows[:, 1], rows[:, 2]
        in_order = start[0] >= at and np.all(start[1:] >= start[:-1])
        if not in_order or start[-1] > characters or end.max() > characters:
            raise ValueError("invalid word positions: a word is outside the text, or out of order")
        if page.min() < 1 or page.max() > max(pages, 1):
            raise ValueError("invalid word positions: a word is on a page that does not exist")
        at = start[-1]


def unpack(packed: bytes) -> npt.NDArray[np.float64]:
    """Returns the rows passed to `pack`, shape (words, 7). Raises as `boxes` does."""
    rows = _rows(packed).astype(np.float64)
    rows[:, 3:] /= WHOLE
    return rows


def count_words(packed: bytes) -> int:
    """Returns the number of words that the header of `packed` declares. Raises as `boxes` does."""
    if not packed:
        return 0
    try:
        head = zlib.decompressobj().decompress(packed, HEADER.size)
    except zlib.error as error:
        raise ValueError(f"invalid word positions: {error}") from error
    if len(head) < HEADER.size:
        raise ValueError("invalid word positions: the data is truncated")
    return int(HEADER.unpack(head)[0])


def _steps(values: Rows) -> Rows:
    return np.diff(values, prepend=0)


def _between(packed: bytes, start: int, end: int) -> Iterator[Sequence[int]]:
    for rows in _parts(packed):
        if rows[0, 0] >= end:
            return
        first = int(np.searchsorted(rows[:, 1], start, side="right"))
        last = int(np.searchsorted(rows[:, 0], end, side="left"))
        yield from rows[first:last].tolist()


def _rows(packed: bytes) -> Rows:
    parts = list(_parts(packed))
    return np.concatenate(parts) if parts else np.empty((0, COLUMNS), np.int64)


def _parts(packed: bytes) -> Iterator[Rows]:
    """Yields the rows in parts, so that memory use stays close to the compact size."""
    raw = _unpacked(packed)
    n = (len(raw) - HEADER.size) // BYTES
    columns, at = [], HEADER.size
    for kind in TYPES:
        columns.append(np.frombuffer(raw, kind, n, at))
        at += n * np.dtype(kind).itemsize
    sums = [0, 0, 0]  # of the delta-encoded columns
    for first in range(0, n, PART):
        start, length, page, left, top, width, height = (c[first : first + PART].astype(np.int64) for c in columns)
        start, page, top = (np.cumsum(c) + before for c, before in zip((start, page, top), sums, strict=True))
        sums = [int(start[-1]), int(page[-1]), int(top[-1])]
        page, top = page & 0xFFFFFFFF, top & WHOLE
        yield np.stack([start, start + length, page, left, top, left + width & WHOLE, top + height & WHOLE], axis=1)


def _unpacked(packed: bytes) -> bytes:
    """Inflates the header and columns, up to the number of words that the header declares."""
    n = count_words(packed)
    size = HEADER.size + n * BYTES
    if len(packed) > size + size // SPARE_SHARE + SPARE_BYTES:
        raise ValueError("invalid word positions: the data is longer than its words")
    if not n:
        return HEADER.pack(0)
    if n > MOST_WORDS:
        raise ValueError(f"invalid word positions: {n:,} words; the limit is {MOST_WORDS:,}")
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(packed, size + 1)
    except zlib.error as error:
        raise ValueError(f"invalid word positions: {error}") from error
    if not inflater.eof or inflater.unused_data or len(raw) != size:
        raise ValueError("invalid word positions: the data is truncated or too long")
    return raw


def _box(row: Sequence[int]) -> Box:
    left, top, right, bottom = (round(value / WHOLE, 5) for value in row[3:])
    return Box(row[2], left, top, right, bottom)


def _joined(found: Iterable[Box]) -> Iterator[Box]:
    run: Box | None = None
    for box in found:
        if run and _follows(run, box):
            run = Box(run.page, run.left, min(run.top, box.top), box.right, max(run.bottom, box.bottom))
            continue
        if run:
            yield run
        run = box
    if run:
        yield run


def _follows(run: Box, box: Box) -> bool:
    height = run.bottom - run.top
    overlap = min(run.bottom, box.bottom) - max(run.top, box.top)
    near = box.left - run.right < JOINING_GAP * height
    return run.page == box.page and overlap > height / 2 and run.left <= box.left and near
