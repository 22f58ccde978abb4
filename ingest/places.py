"""Where on its page each word of a text stands, in a compact form: about eight bytes a word when stored."""

from __future__ import annotations

import zlib
from collections.abc import Iterable, Iterator
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from ingest.models import Box

Place: TypeAlias = tuple[int, int, Box]
WHOLE = 0xFFFF
ROW = np.dtype(
    [
        ("start", "<u4"),
        ("end", "<u4"),
        ("page", "<u4"),
        ("left", "<u2"),
        ("top", "<u2"),
        ("right", "<u2"),
        ("bottom", "<u2"),
    ]
)
# More words than any text that is read has; what unpacks to more is no such list.
MOST_WORDS = 50_000_000
# Words of a line whose gap is less than this share of the line's height make one box.
JOINING_GAP = 1.5


def pack(places: Iterable[Place]) -> bytes:
    """The form that `boxes` and `shifted` read.

    Args:
        places: (start, end, box) of each word, in order of start; offsets in characters of the text.
    """
    rows = [
        (start, end, box.page, _short(box.left), _short(box.top), _short(box.right), _short(box.bottom))
        for start, end, box in places
    ]
    return zlib.compress(np.array(rows, ROW).tobytes(), 6) if rows else b""


def boxes(packed: bytes, start: int, end: int) -> list[Box]:
    """The boxes of the words in characters [start, end) of the text, those side by side on a line joined.

    Raises:
        ValueError: the bytes are not of `pack`'s form.
    """
    rows = _rows(packed)
    first = int(np.searchsorted(rows["end"], start, side="right"))
    last = int(np.searchsorted(rows["start"], end, side="left"))
    return list(_joined(_box(row) for row in rows[first:last]))


def shifted(packed: bytes, characters: int, pages: int) -> list[Place]:
    """The places of a text that stands `characters` further on, after `pages` more pages."""
    rows = _rows(packed)
    return [(int(row["start"]) + characters, int(row["end"]) + characters, _box(row, pages)) for row in rows]


def check(packed: bytes) -> None:
    """ValueError where the bytes are not of `pack`'s form."""
    _rows(packed)


def _rows(packed: bytes) -> npt.NDArray[np.void]:
    if not packed:
        return np.empty(0, ROW)
    inflater = zlib.decompressobj()
    try:
        raw = inflater.decompress(packed, MOST_WORDS * ROW.itemsize)
    except zlib.error as error:
        raise ValueError(f"not a list of places: {error}") from error
    if not inflater.eof or len(raw) % ROW.itemsize:
        raise ValueError("not a list of places: it breaks off, or is too long")
    return np.frombuffer(raw, ROW)


def _box(row: np.void, pages: int = 0) -> Box:
    left, top, right, bottom = (round(int(row[name]) / WHOLE, 5) for name in ("left", "top", "right", "bottom"))
    return Box(int(row["page"]) + pages, left, top, right, bottom)


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


def _short(share: float) -> int:
    return round(min(max(share, 0.0), 1.0) * WHOLE)
