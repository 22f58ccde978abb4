"""What a worker process and its pool say to each other: length-prefixed JSON, which can carry data and nothing else.

Not pickle: bytes from a process that has read a hostile file must not be able to run code in this one. Such a process
may say anything, so every field of an answer is checked before it is used.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, astuple, dataclass, replace
from itertools import islice
from typing import Any, BinaryIO, NoReturn, get_args

from ingest import errors
from ingest.errors import LoadError, NotConfined
from ingest.loaders.output_limits import DEFAULT_MOST
from ingest.loaders.sandbox.confinement import Confinement
from ingest.models import Block, BlockKind, Document, HowRead, Page
from ingest.segments import SEGMENT_SIZE, Segment, cut
from ingest.text import is_storable, storable, storable_document
from ingest.word_boxes import check

HEADER = struct.Struct(">Q")
# An answer of no length: the file is being read, a slow step of it begins.
AT_WORK = HEADER.pack(0)
KINDS = frozenset(get_args(BlockKind))
WAYS_OF_READING = frozenset(get_args(HowRead))
DEEPEST_HEADING = 6
# Bytes of a frame.
MOST_FRAME = 32 * 1024 * 1024
# Characters of an error or a warning, and of a title, heading or label; and how many warnings are kept.
MOST_MESSAGE, MOST_TITLE, MOST_WARNINGS = 10_000, 1_000, 1_000
# Bytes of a character in UTF-8.
LONGEST_CHARACTER = 4
# Offsets and pages that no document reaches.
MOST_CHARACTERS, MOST_PAGES = 1 << 40, 1 << 31
# Strings, and what values are told apart by: JSON holds no more values than of these. A page is of nine; the fields
# around blocks and pages are of fewer than 64.
TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{,]')
MOST_TOKENS = 9 * 2 * SEGMENT_SIZE.pieces + 64


@dataclass(frozen=True, slots=True)
class Request:
    """A file to be read.

    Attributes:
        path: where the file is; its ending tells its kind.
        name: what messages call it.
        file: it, open for reading; the worker itself can open none.
        seconds: it may take to the next sign of life.
        ocr: whether text in pictures is read.
        most_output: as of `Output.of`.
    """

    path: str
    name: str
    file: BinaryIO
    seconds: float
    ocr: bool = True
    most_output: int = DEFAULT_MOST


def send_request(channel: socket.socket, request: Request) -> None:
    """Sends a request, and the descriptor of its file, for `receive_request`."""
    options = json.dumps([request.name, request.seconds, request.ocr, request.most_output]).encode()
    body = options + b"\n" + os.fsencode(request.path)
    socket.send_fds(channel, [HEADER.pack(len(body))], [request.file.fileno()])
    channel.sendall(body)


def receive_request(channel: socket.socket) -> Request | None:
    """The next request, whose file the caller closes; None where the other end is closed."""
    header, descriptors, _, _ = socket.recv_fds(channel, HEADER.size, 1)
    if len(header) < HEADER.size or not descriptors:
        return None
    file, body = os.fdopen(descriptors[0], "rb"), b""
    while missing := HEADER.unpack(header)[0] - len(body):
        part = os.read(channel.fileno(), missing)
        if not part:
            return None
        body += part
    options, path = body.split(b"\n", 1)
    name, seconds, ocr, most_output = json.loads(options)
    return Request(os.fsdecode(path), str(name), file, float(seconds), bool(ocr), int(most_output))


def encode_greeting(greeting: Confinement | NotConfined) -> bytes:
    """A worker's first words: how it is confined, or why it cannot be; their length first."""
    fields = {"error": str(greeting)} if isinstance(greeting, NotConfined) else asdict(greeting)
    body = json.dumps(fields).encode()
    return HEADER.pack(len(body)) + body


def decode_greeting(body: bytes) -> Confinement:
    """The greeting, without its length. It is made before a file is read, so it can be trusted.

    Raises:
        NotConfined: the worker says that it cannot be confined.
    """
    fields = json.loads(body)
    if "error" in fields:
        raise NotConfined(fields["error"])
    return Confinement(**{**fields, "missing": tuple(fields["missing"])})


def encode(result: Document | LoadError, *, unrecognised: bool = False) -> Iterator[bytes]:
    """Encodes a result as frames, each with its length first: the head, then each segment, then the end.

    Args:
        result: what became of a file.
        unrecognised: whether text was left unread because recognition is turned off.
    """
    head: dict[str, Any] = {"unrecognised": unrecognised}
    if not isinstance(result, Document):
        yield _frame(head | {"kind": type(result).__name__, "error": storable(str(result))[:MOST_MESSAGE]})
        return
    document = storable_document(result)
    yield _frame(head | {"title": document.title[:MOST_TITLE], "warnings": _first(document.warnings)})
    for segment in cut(document):
        yield encode_segment(segment)
    yield _frame({})


def encode_segment(segment: Segment) -> bytes:
    """Encodes a segment as `decode_segment` reads it, its length first."""
    text = segment.text.encode()
    fields = {
        "start": segment.start,
        "continues": segment.continues,
        "blocks": [astuple(replace(block, title=block.title[:MOST_TITLE])) for block in segment.blocks],
        "pages": [astuple(replace(page, label=page.label[:MOST_TITLE])) for page in segment.pages],
        "text": len(text),
    }
    return _frame(fields, text, segment.places)


def _first(warnings: Sequence[str]) -> list[str]:
    """As many warnings as a user may read."""
    left_out = len(warnings) - MOST_WARNINGS
    more = [f"{left_out:,} more warnings are left out."] if left_out > 0 else []
    return [*(one[:MOST_MESSAGE] for one in warnings[:MOST_WARNINGS]), *more]


def _frame(fields: Mapping[str, Any], *parts: bytes) -> bytes:
    """Puts the length of all, the length of the JSON, the JSON and what follows it together."""
    head = json.dumps(fields, separators=(",", ":")).encode()
    length = HEADER.size + len(head) + sum(map(len, parts))
    return b"".join([HEADER.pack(length), HEADER.pack(len(head)), head, *parts])


@dataclass(frozen=True, slots=True)
class Head:
    """The first frame of an answer: an error, which is all of it, or what comes before the segments of a document."""

    unrecognised: bool
    error: LoadError | None = None
    title: str = ""
    warnings: tuple[str, ...] = ()


def decode_head(frame: bytes) -> Head:
    """Decodes the first frame of an answer, given without its length.

    Raises:
        ValueError: the bytes are not of that form.
    """
    with _checking():
        fields, _ = _parsed(frame)
        unrecognised = _truth(fields["unrecognised"])
        if "error" in fields:
            return Head(unrecognised, _error(fields))
        warnings = _list(fields["warnings"])
        if len(warnings) > MOST_WARNINGS + 1:
            _refuse("it has more warnings than are read")
        return Head(unrecognised, None, _short(fields["title"]), tuple(map(_string, warnings)))


def decode_segment(frame: bytes) -> Segment | None:
    """Decodes a later frame of an answer, given without its length; None for the end.

    Raises:
        ValueError: the bytes are not of that form, or are inconsistent.
    """
    with _checking():
        fields, rest = _parsed(frame)
        return _segment(fields, rest) if fields else None


@contextmanager
def _checking() -> Iterator[None]:
    try:
        yield
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError, struct.error) as error:
        raise ValueError(f"not a loader's answer: {error}") from error


def _parsed(frame: bytes) -> tuple[dict[str, Any], memoryview]:
    """The fields of a frame, and what follows them. Of JSON, each value takes many times the memory of its text."""
    (length,) = HEADER.unpack_from(frame)
    whole, end = memoryview(frame), HEADER.size + length
    head = str(whole[HEADER.size : end], "ascii")
    if next(islice(TOKEN.finditer(head), MOST_TOKENS, None), None):
        _refuse("it has more blocks, pages and warnings than a segment may have")
    fields = json.loads(head)
    return fields if isinstance(fields, dict) else _refuse("it has no fields"), whole[end:]


def _segment(fields: Mapping[str, Any], rest: memoryview) -> Segment:
    length = _whole(fields["text"], min(len(rest), LONGEST_CHARACTER * SEGMENT_SIZE.characters))
    text = str(rest[:length], "utf-8")
    if len(text) > SEGMENT_SIZE.characters or not is_storable(text):
        _refuse("its text cannot be stored")
    blocks, pages = tuple(_blocks(fields["blocks"], text)), tuple(_pages(fields["pages"], text))
    places = bytes(rest[length:])
    check(places, len(text), pages[-1].number if pages else 0)
    continues = _truth(fields["continues"])
    if continues and not blocks:
        _refuse("something continues that is not there")
    return Segment(_whole(fields["start"], MOST_CHARACTERS), text, blocks, pages, places, continues)


def _blocks(rows: object, text: str) -> Iterator[Block]:
    """Blocks that follow each other within the text."""
    at = 0
    for kind, first, last, level, title in _list(rows):
        start, end = _span(first, last, len(text))
        if kind not in KINDS or start < at:
            _refuse("its blocks are of no kind, or overlap")
        at = end
        yield Block(kind, start, end, _whole(level, DEEPEST_HEADING), _short(title))


def _pages(rows: object, text: str) -> Iterator[Page]:
    """Pages that follow each other within the text, numbered without a gap."""
    at, before = 0, 0
    for number, first, last, label, read, confidence in _list(rows):
        start, end = _span(first, last, len(text))
        page = _whole(number, MOST_PAGES)
        if page != (before or page - 1) + 1 or start < at or read not in WAYS_OF_READING:
            _refuse("its pages are out of order")
        at, before = start, page
        yield Page(page, start, end, _short(label), read, _share(confidence))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else _refuse("something is not the list that it should be")


def _string(value: object) -> str:
    return value if isinstance(value, str) and is_storable(value) else _refuse("something is no text to be stored")


def _short(value: object) -> str:
    """A title, heading or label."""
    text = _string(value)
    return text if len(text) <= MOST_TITLE else _refuse("a title is longer than titles are")


def _truth(value: object) -> bool:
    return value if isinstance(value, bool) else _refuse("something is neither true nor false")


def _whole(value: object, most: int) -> int:
    """A whole number from 0 to `most`."""
    return value if type(value) is int and 0 <= value <= most else _refuse("a number is out of its range")


def _span(start: object, end: object, length: int) -> tuple[int, int]:
    stop = _whole(end, length)
    return _whole(start, stop), stop


def _share(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in {int, float} or not 0 <= value <= 1:  # True is a whole number too, but not in JSON
        _refuse("a share is out of its range")
    return float(value)


def _error(fields: dict[str, Any]) -> LoadError:
    kind = getattr(errors, _string(fields["kind"]), LoadError)
    is_load_error = isinstance(kind, type) and issubclass(kind, LoadError)
    return (kind if is_load_error else LoadError)(_string(fields["error"])[:MOST_MESSAGE])


def _refuse(reason: str) -> NoReturn:
    raise ValueError(f"not a loader's answer: {reason}")
