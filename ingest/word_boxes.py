"""Where on its page each word of a text stands, in a compact form.

A word is a row of seven numbers: start and end in characters of the text, page, and the left, top, right and bottom of
its box in shares of the page. They are kept column by column, as differences where neighbours are alike, and deflated.
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
# start and page as differences, length; left, top as difference, width, height
TYPES = ("<u4", "<u4", "<u4", "<u2", "<u2", "<u2", "<u2")
BYTES = sum(np.dtype(kind).itemsize for kind in TYPES)
# More words than any text that is read has; what unpacks to more is no such list.
MOST_WORDS = 10_000_000
# What deflating adds at most to bytes that cannot be made shorter: a share of them, and some bytes. zlib's own bound is
# a little lower.
SPARE_SHARE, SPARE_BYTES = 1_000, 64
# Words that are looked at together.
PART = 65_536
# Words of a line whose gap is less than this share of the line's height make one box.
JOINING_GAP = 1.5

Rows = npt.NDArray[np.int64]


def pack(places: Sequence[float] | npt.NDArray[np.float64]) -> bytes:
    """The form that `boxes` and `shifted` read.

    Args:
        places: seven numbers for each word, one after the other, in order of start.
    """
    table = np.asarray(places, np.float64).reshape(-1, COLUMNS)
    if not len(table):
        return b""
    start, end, page = (table[:, i].astype(np.int64) for i in range(3))
    left, top, right, bottom = (np.rint(table[:, i].clip(0, 1) * WHOLE).astype(np.int64) for i in range(3, COLUMNS))
    return _packed(np.stack([start, end, page, left, top, right, bottom], axis=1))


def divided(packed: bytes, ends: Sequence[int]) -> Iterator[bytes]:
    """Divides the words of a text among stretches of it; a word belongs to the one in which it begins.

    Args:
        packed: the words of the whole text.
        ends: offsets in characters where stretches end, in order, the last one at the end of the text.

    Yields:
        The words of each stretch, in offsets from its start.
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
    """Puts the words of stretches together again, each given with the offset at which it begins."""
    found = []
    for start, packed in stretches:
        rows = _rows(packed)
        rows[:, :2] += start
        found.append(rows)
    return _packed(np.concatenate(found)) if found else b""


def _packed(rows: Rows) -> bytes:
    """Packs rows whose boxes are in whole shares of the page."""
    if not len(rows):
        return b""
    start, end, page, left, top, right, bottom = rows.T
    columns = (_steps(start), end - start, _steps(page), left, _steps(top), right - left, bottom - top)
    data = b"".join(column.astype(kind).tobytes() for column, kind in zip(columns, TYPES, strict=True))
    return zlib.compress(HEADER.pack(len(rows)) + data, 6)


def boxes(packed: bytes, start: int, end: int) -> list[Box]:
    """The boxes of the words in characters [start, end) of the text, those side by side on a line joined.

    Raises:
        ValueError: the bytes are not of `pack`'s form.
    """
    return list(_joined(_box(row) for row in _between(packed, start, end)))


def check(packed: bytes, characters: int, pages: int) -> None:
    """Makes sure that places can belong to a text of so many characters on so many pages.

    Raises:
        ValueError: they are not of `pack`'s form, are more words than the text has characters, or lie outside of it.
    """
    if count_words(packed) > characters:
        raise ValueError("not a list of places: it has more words than the text has characters")
    at = 0
    for rows in _parts(packed):
        start, end, page = rows[:, 0], rows[:, 1], rows[:, 2]
        in_order = start[0] >= at and np.all(start[1:] >= start[:-1])
        if not in_order or start[-1] > characters or end.max() > characters:
            raise ValueError("not a list of places: a word lies outside the text, or out of order")
        if page.min() < 1 or page.max() > max(pages, 1):
            raise ValueError("not a list of places: a word is on a page that is not there")
        at = start[-1]


def unpack(packed: bytes) -> npt.NDArray[np.float64]:
    """The rows that `pack` was given, shape (words, 7). Raises as `boxes` does."""
    rows = _rows(packed).astype(np.float64)
    rows[:, 3:] /= WHOLE
    return rows


def count_words(packed: bytes) -> int:
    """How many words `packed` says that it holds. Raises as `boxes` does."""
    if not packed:
        return 0
    try:
        head = zlib.decompressobj().decompress(packed, HEADER.size)
    except zlib.error as error:
        raise ValueError(f"not a list of places: {error}") from error
    if len(head) < HEADER.size:
        raise ValueError("not a list of places: it breaks off")
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
    """The rows, so many at a time that memory holds little more than their compact form."""
    raw = _unpacked(packed)
    n = (len(raw) - HEADER.size) // BYTES
    columns, at = [], HEADER.size
    for kind in TYPES:
        columns.append(np.frombuffer(raw, kind, n, at))
        at += n * np.dtype(kind).itemsize
    sums = [0, 0, 0]  # of the columns that are kept as differences
    for first in range(0, n, PART):
        start, length, page, left, top, width, height = (c[first : first + PART].astype(np.int64) for c in columns)
        start, page, top = (np.cumsum(c) + before for c, before in zip((start, page, top), sums, strict=True))
        sums = [int(start[-1]), int(page[-1]), int(top[-1])]
        page, top = page & 0xFFFFFFFF, top & WHOLE
        yield np.stack([start, start + length, page, left, top, left + width & WHOLE, top + height & WHOLE], axis=1)


def _unpacked(packed: bytes) -> bytes:
    """The columns behind their header, of as many words as it says and no more."""
    n = count_words(packed)
    size = HEADER.size + n * BYTES
    if len(packed) > size + size // SPARE_SHARE + SPARE_BYTES:
        raise ValueError("not a list of places: it is longer than its words")
    if not n:
        return HEADER.pack(0)
    if n > MOST_WORDS:
        raise ValueError(f"not a list of places: it has {n:,} words, and {MOST_WORDS:,} are the most")
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(packed, size + 1)
    except zlib.error as error:
        raise ValueError(f"not a list of places: {error}") from error
    if not inflater.eof or inflater.unused_data or len(raw) != size:
        raise ValueError("not a list of places: it breaks off, or is too long")
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
