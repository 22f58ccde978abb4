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
MOST_WORDS = 50_000_000
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
    columns = (_steps(start), end - start, _steps(page), left, _steps(top), right - left, bottom - top)
    data = b"".join(column.astype(kind).tobytes() for column, kind in zip(columns, TYPES, strict=True))
    return zlib.compress(HEADER.pack(len(table)) + data, 6)


def boxes(packed: bytes, start: int, end: int) -> list[Box]:
    """The boxes of the words in characters [start, end) of the text, those side by side on a line joined.

    Raises:
        ValueError: the bytes are not of `pack`'s form.
    """
    rows = _rows(packed)
    first = int(np.searchsorted(rows[:, 1], start, side="right"))
    last = int(np.searchsorted(rows[:, 0], end, side="left"))
    return list(_joined(_box(row) for row in rows[first:last].tolist()))


def unpack(packed: bytes) -> npt.NDArray[np.float64]:
    """The rows that `pack` was given, shape (words, 7). Raises as `boxes` does."""
    rows = _rows(packed).astype(np.float64)
    rows[:, 3:] /= WHOLE
    return rows


def _steps(values: Rows) -> Rows:
    return np.diff(values, prepend=0)


def _rows(packed: bytes) -> Rows:
    if not packed:
        return np.empty((0, COLUMNS), np.int64)
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(packed, MOST_WORDS * BYTES + HEADER.size)
    except zlib.error as error:
        raise ValueError(f"not a list of places: {error}") from error
    n = HEADER.unpack_from(raw)[0] if len(raw) >= HEADER.size else -1
    if not inflater.eof or len(raw) != HEADER.size + n * BYTES:
        raise ValueError("not a list of places: it breaks off, or is too long")
    columns, at = [], HEADER.size
    for kind in TYPES:
        columns.append(np.frombuffer(raw, kind, n, at).astype(np.int64))
        at += n * np.dtype(kind).itemsize
    start, length, page, left, top, width, height = columns
    start, page, top = np.cumsum(start), np.cumsum(page) & 0xFFFFFFFF, np.cumsum(top) & WHOLE
    return np.stack([start, start + length, page, left, top, left + width & WHOLE, top + height & WHOLE], axis=1)


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
