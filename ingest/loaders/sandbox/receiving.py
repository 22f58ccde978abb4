"""Receives a document from a worker segment by segment, validates each, and stores long documents on disk."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import NamedTuple

from ingest.errors import LoadError, NoRoom
from ingest.loaders.sandbox.protocol import HEADER, decode_head, decode_segment, encode_segment
from ingest.segments import BLOCK, PAGE, Segment, SegmentedDocument, Tally

# The first segments of a document are kept as they are, up to this size in characters: decoding and validating them
# again takes as long as the first time, and most documents are not longer.
KEPT = 256 * 1024
# Other segments are encoded, and stay in memory up to this many bytes; beyond that they go to an anonymous file. Both
# are small, because some hundred documents may wait (READ_AHEAD, and a batch).
IN_MEMORY = 256 * 1024


class SegmentSpool:
    """Stores segments for repeated iteration; its file is deleted with it.

    Args:
        folder: folder of the file; None for the system's temporary folder.
    """

    def __init__(self, folder: Path | None) -> None:
        self._kept: list[Segment] = []
        self._room = KEPT
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(folder) if folder else None)  # noqa: SIM115 - lives as long as this object
        self._end = 0
        weakref.finalize(self, _close, self._file)

    def add(self, segment: Segment) -> None:
        """Stores a segment.

        Raises:
            NoRoom: the file cannot be written; the message gives the reason.
        """
        self._room -= _size(segment)
        if self._room >= 0:
            self._kept.append(segment)
            return
        try:
            self._file.seek(self._end)
            self._end += self._file.write(encode_segment(segment))
            self._file.flush()  # reveals a full disk now, not on a later read
        except OSError as error:
            raise NoRoom(str(error.strerror)) from error

    def __iter__(self) -> Iterator[Segment]:
        yield from self._kept
        at = 0
        while at < self._end:
            self._file.seek(at)
            (length,) = HEADER.unpack(self._file.read(HEADER.size))
            segment = decode_segment(self._file.read(length))
            assert segment is not None
            yield segment
            at += HEADER.size + length


def _size(segment: Segment) -> int:
    """Returns the memory that a segment takes, in characters."""
    blocks = sum(BLOCK + len(block.title) for block in segment.blocks)
    pages = sum(PAGE + len(page.label) for page in segment.pages)
    return len(segment.text) + blocks + pages + len(segment.places)


def _close(file: SpooledTemporaryFile[bytes]) -> None:
    with suppress(OSError):  # data not written to a full disk is no longer needed
        file.close()


class Received(NamedTuple):
    """A worker's answer: a document or an error, and True if text was left unread because OCR is off."""

    result: SegmentedDocument | LoadError
    unrecognised: bool


def receive(frames: Iterable[bytes], most: int, folder: Path | None = None) -> Received:
    """Receives the frames of exactly one answer.

    Args:
        frames: frames from `ingest.loaders.sandbox.protocol.encode`, without their lengths.
        most: limit in characters for the file.
        folder: as in `SegmentSpool`.

    Raises:
        ValueError: the frames are malformed or inconsistent, or exceed the limit.
        NoRoom: as in `SegmentSpool.add`.
    """
    rest = iter(frames)
    head = decode_head(next(rest))
    if head.error:
        return Received(head.error, head.unrecognised)
    spool, tally = SegmentSpool(folder), Tally(head.warnings)
    for frame in rest:
        segment = decode_segment(frame)
        if segment is None:
            break
        tally.add(segment)
        if tally.size > most:
            raise ValueError("not a loader's answer: it exceeds the limit of its file")
        spool.add(segment)
    return Received(SegmentedDocument(head.title, head.warnings, spool, tally), head.unrecognised)
