"""Takes a document over from a worker segment by segment, each checked, and keeps it out of memory."""

from __future__ import annotations

import weakref
from collections.abc import Iterable, Iterator
from contextlib import suppress
from pathlib import Path
from tempfile import SpooledTemporaryFile
from typing import NamedTuple

from ingest.errors import LoadError, NoRoom
from ingest.loaders.sandbox.protocol import HEADER, decode_head, decode_segment, encode_segment
from ingest.segments import Segment, SegmentedDocument, Tally

# Bytes of a document that are kept in memory; a longer one goes to a file without a name.
IN_MEMORY = 2 * 1024 * 1024


class SegmentSpool:
    """Keeps segments to be gone through again; its file is gone with it.

    Args:
        folder: where that file lies; None for the system's folder of temporary files.
    """

    def __init__(self, folder: Path | None) -> None:
        self._file = SpooledTemporaryFile(max_size=IN_MEMORY, dir=str(folder) if folder else None)  # noqa: SIM115 - lives as long as this
        self._end = 0
        weakref.finalize(self, _close, self._file)

    def add(self, segment: Segment) -> None:
        """Keeps one more segment.

        Raises:
            NoRoom: the file cannot be written; the message says why.
        """
        try:
            self._file.seek(self._end)
            self._end += self._file.write(encode_segment(segment))
            self._file.flush()  # a full disk shows here, not when it is read again
        except OSError as error:
            raise NoRoom(str(error.strerror)) from error

    def __iter__(self) -> Iterator[Segment]:
        at = 0
        while at < self._end:
            self._file.seek(at)
            (length,) = HEADER.unpack(self._file.read(HEADER.size))
            segment = decode_segment(self._file.read(length))
            assert segment is not None
            yield segment
            at += HEADER.size + length


def _close(file: SpooledTemporaryFile[bytes]) -> None:
    with suppress(OSError):  # what a full disk did not take is of no use any more
        file.close()


class Received(NamedTuple):
    """A worker's answer about a file: its document or why there is none, and whether text was left unrecognised."""

    result: SegmentedDocument | LoadError
    unrecognised: bool


def receive(frames: Iterable[bytes], most: int, folder: Path | None = None) -> Received:
    """Takes the frames of one answer, and no more of them.

    Args:
        frames: as `ingest.loaders.sandbox.protocol.encode` writes them, without their lengths.
        most: characters that the file may give.
        folder: as of `SegmentSpool`.

    Raises:
        ValueError: the frames are not of that form, are inconsistent, or hold more than the file may give.
        NoRoom: as of `SegmentSpool.add`.
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
            raise ValueError("not a loader's answer: it holds more than a file may give")
        spool.add(segment)
    return Received(SegmentedDocument(head.title, head.warnings, spool, tally), head.unrecognised)
