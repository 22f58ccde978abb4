"""Protocol between a worker process and its pool: length-prefixed JSON, which can carry only data.

Pickle is unsuitable: bytes from a process that has read a malicious file must not execute code in this one. Such a
process may send anything, so every field of an answer is validated before use.
"""

from __future__ import annotations

import json
import os
import re
import socket
import struct
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
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
# An answer of length 0: the file is being read, and a slow step begins.
AT_WORK = HEADER.pack(0)
KINDS = frozenset(get_args(BlockKind))
WAYS_OF_READING = frozenset(get_args(HowRead))
DEEPEST_HEADING = 6
# Limit of a frame, in bytes.
MOST_FRAME = 32 * 1024 * 1024
# Limits: characters of an error or a warning, and of a title, heading or label; number of warnings.
MOST_MESSAGE, MOST_TITLE, MOST_WARNINGS = 10_000, 1_000, 1_000
# Longest UTF-8 encoding of a character, in bytes.
LONGEST_CHARACTER = 4
# Upper bounds for offsets and pages.
MOST_CHARACTERS, MOST_PAGES = 1 << 40, 1 << 31
# Strings and separators: JSON has no more values than matches of this. A page has nine; the fields around blocks and
# pages have fewer than 64.
TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{,]')
MOST_TOKENS = 9 * 2 * SEGMENT_SIZE.pieces + 64


@dataclass(frozen=True, slots=True)
class Request:
    """A file to be read.

    Attributes:
        path: path of the file; its extension indicates its type.
        name: its name in messages.
        file: the open file; the worker itself cannot open any.
        seconds: time until the next sign of life.
        ocr: also reads text in pictures.
        most_output: as in `Output.of`.
    """

    path: str
    name: str
    file: BinaryIO
    seconds: float
    ocr: bool = True
    most_output: int = DEFAULT_MOST


def send_request(channel: socket.socket, request: Request) -> None:
    """Sends a request, and the descriptor of its file, to `receive_request`."""
    options = json.dumps([request.name, request.seconds, request.ocr, request.most_output]).encode()
    body = options + b"\n" + os.fsencode(request.path)
    socket.send_fds(channel, [HEADER.pack(len(body))], [request.file.fileno()])
    channel.sendall(body)


def receive_request(channel: socket.socket) -> Request | None:
    """Returns the next request, whose file the caller closes; None if the other end is closed."""
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
    """Encodes a worker's greeting, length first: its sandbox, or why there is none."""
    fields = {"error": str(greeting)} if isinstance(greeting, NotConfined) else asdict(greeting)
    body = json.dumps(fields).encode()
    return HEADER.pack(len(body)) + body


def decode_greeting(body: bytes) -> Confinement:
    """Decodes a greeting without its length. It precedes any file, so it can be trusted.

    Raises:
        NotConfined: the worker reports that it cannot be sandboxed.
    """
    fields = json.loads(body)
    if "error" in fields:
        raise NotConfined(fields["error"])
    return Confinement(**{**fields, "missing": tuple(fields["missing"])})


def encode(result: Document | LoadError, *, unrecognised: bool = False) -> Iterator[bytes]:
    """Encodes a result as frames with their lengths first: the head, then each segment, then the end.

    Args:
        result: the document or error of a file.
        unrecognised: True if text was left unread because OCR is off.
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
    """Encodes a segment for `decode_segment`, length first."""
    text = segment.text.encode()
    fields = {
        "start": segment.start,
        "continues": segment.continues,
        "blocks": [(b.kind, b.start, b.end, b.level, b.title[:MOST_TITLE]) for b in segment.blocks],
        "pages": [(p.number, p.start, p.end, p.label[:MOST_TITLE], p.read, p.confidence) for p in segment.pages],
        "text": len(text),
    }
    return _frame(fields, text, segment.places)


def _first(warnings: Sequence[str]) -> list[str]:
    """Limits the number and length of warnings."""
    left_out = len(warnings) - MOST_WARNINGS
    more = [f"{left_out:,} more warnings were omitted."] if left_out > 0 else []
    return [*(one[:MOST_MESSAGE] for one in warnings[:MOST_WARNINGS]), *more]


def _frame(fields: Mapping[str, Any], *parts: bytes) -> bytes:
    """Joins the total length, the length of the JSON, the JSON and the parts after it."""
    head = json.dumps(fields, separators=(",", ":")).encode()
    length = HEADER.size + len(head) + sum(map(len, parts))
    return b"".join([HEADER.pack(length), HEADER.pack(len(head)), head, *parts])


@dataclass(frozen=True, slots=True)
class Head:
    """The first frame of an answer: a complete error, or the header of a document's segments."""

    unrecognised: bool
    error: LoadError | None = None
    title: str = ""
    warnings: tuple[str, ...] = ()


def decode_head(frame: bytes) -> Head:
    """Decodes the first frame of an answer, without its length.

    Raises:
        ValueError: the bytes are malformed.
    """
    with _checking():
        fields, _ = _parsed(frame)
        unrecognised = _truth(fields["unrecognised"])
        if "error" in fields:
            return Head(unrecognised, _error(fields))
        warnings = _list(fields["warnings"])
        if len(warnings) > MOST_WARNINGS + 1:
            _refuse("it has too many warnings")
        return Head(unrecognised, None, _short(fields["title"]), tuple(map(_string, warnings)))


def decode_segment(frame: bytes) -> Segment | None:
    """Decodes a later frame of an answer, without its length; None for the end.

    Raises:
        ValueError: the bytes are malformed or inconsistent.
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
    """Returns the fields of a frame, and the bytes after them. A JSON value takes many times its text's memory."""
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
        _refuse("it continues a block that does not exist")
    return Segment(_whole(fields["start"], MOST_CHARACTERS), text, blocks, pages, places, continues)


def _blocks(rows: object, text: str) -> Iterator[Block]:
    """Yields blocks in order within the text."""
    at = 0
    for kind, first, last, level, title in _list(rows):
        start, end = _span(first, last, len(text))
        if kind not in KINDS or start < at:
            _refuse("its blocks are of unknown kinds, or overlap")
        at = end
        yield Block(kind, start, end, _whole(level, DEEPEST_HEADING), _short(title))


def _pages(rows: object, text: str) -> Iterator[Page]:
    """Yields pages in order within the text, numbered without gaps."""
    at, before = 0, 0
    for number, first, last, label, read, confidence in _list(rows):
        start, end = _span(first, last, len(text))
        page = _whole(number, MOST_PAGES)
        if page != (before or page - 1) + 1 or start < at or read not in WAYS_OF_READING:
            _refuse("its pages are out of order")
        at, before = start, page
        yield Page(page, start, end, _short(label), read, _share(confidence))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else _refuse("a value is not a list")


def _string(value: object) -> str:
    return value if isinstance(value, str) and is_storable(value) else _refuse("a value is not storable text")


def _short(value: object) -> str:
    """Validates a title, heading or label."""
    text = _string(value)
    return text if len(text) <= MOST_TITLE else _refuse("a title is too long")


def _truth(value: object) -> bool:
    return value if isinstance(value, bool) else _refuse("a value is neither true nor false")


def _whole(value: object, most: int) -> int:
    """Validates a whole number from 0 to `most`."""
    return value if type(value) is int and 0 <= value <= most else _refuse("a number is out of range")


def _span(start: object, end: object, length: int) -> tuple[int, int]:
    stop = _whole(end, length)
    return _whole(start, stop), stop


def _share(value: Any) -> float | None:
    if value is None:
        return None
    if type(value) not in {int, float} or not 0 <= value <= 1:  # bool is a subclass of int
        _refuse("a fraction is out of range")
    return float(value)


def _error(fields: dict[str, Any]) -> LoadError:
    kind = getattr(errors, _string(fields["kind"]), LoadError)
    is_load_error = isinstance(kind, type) and issubclass(kind, LoadError)
    return (kind if is_load_error else LoadError)(_string(fields["error"])[:MOST_MESSAGE])


def _refuse(reason: str) -> NoReturn:
    raise ValueError(f"not a loader's answer: {reason}")
