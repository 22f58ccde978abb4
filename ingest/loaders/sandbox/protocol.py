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
from collections.abc import Iterator
from dataclasses import asdict, astuple, dataclass
from itertools import islice
from typing import Any, BinaryIO, NoReturn, get_args

from ingest import errors
from ingest.errors import LoadError, NotConfined
from ingest.loaders.output_limits import BLOCK, DEFAULT_MOST, size_of
from ingest.loaders.sandbox.confinement import Confinement
from ingest.models import Block, BlockKind, Document, HowRead, Page
from ingest.text import is_storable, storable, storable_document
from ingest.word_boxes import check

HEADER = struct.Struct(">Q")
# An answer of no length: the file is being read, a slow step of it begins.
AT_WORK = HEADER.pack(0)
KINDS = frozenset(get_args(BlockKind))
WAYS_OF_READING = frozenset(get_args(HowRead))
DEEPEST_HEADING = 6
# Bytes that a character's worth of output takes at most in an answer: JSON escapes some in six, UTF-8 none in more.
BYTES_FOR_EACH = 6
MOST_MESSAGE = 10_000
# Bytes of a character in UTF-8.
LONGEST_CHARACTER = 4
# Strings, and what values are told apart by: JSON holds no more values than of these. A page is of nine; the fields
# around blocks, pages and warnings are of fewer than 64.
TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{,]')
TOKENS_OF_A_PIECE, TOKENS_AROUND = 9, 64


@dataclass(frozen=True, slots=True)
class Request:
    """A file to be read.

    Attributes:
        path: what the file is called.
        file: it, open for reading; the worker itself can open none.
        seconds: it may take to the next sign of life.
        ocr: whether text in pictures is read.
        most_output: as of `Output.of`.
    """

    path: str
    file: BinaryIO
    seconds: float
    ocr: bool = True
    most_output: int = DEFAULT_MOST


def send_request(channel: socket.socket, request: Request) -> None:
    """Sends a request, and the descriptor of its file, for `receive_request`."""
    options = json.dumps([request.seconds, request.ocr, request.most_output]).encode()
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
    seconds, ocr, most_output = json.loads(options)
    return Request(os.fsdecode(path), file, float(seconds), bool(ocr), int(most_output))


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


def encode(result: Document | LoadError) -> bytes:
    """A result as the bytes that `decode` reads, their length first.

    JSON, its own length first, then of a document the text in UTF-8 and the places of its words.
    """
    if isinstance(result, Document):
        document = storable_document(result)
        text = document.text.encode()
        message: dict[str, Any] = {
            "title": document.title,
            "blocks": [astuple(block) for block in document.blocks],
            "pages": [astuple(page) for page in document.pages],
            "warnings": document.warnings,
            "text": len(text),
        }
        parts = [text, document.places]
    else:
        message = {"kind": type(result).__name__, "error": storable(str(result))[:MOST_MESSAGE]}
        parts = []
    head = json.dumps(message, separators=(",", ":")).encode()
    length = HEADER.size + len(head) + sum(map(len, parts))
    return b"".join([HEADER.pack(length), HEADER.pack(len(head)), head, *parts])


def longest_answer(most_output: int) -> int:
    """How many bytes the answer about a file may have that may give `most_output` characters."""
    return BYTES_FOR_EACH * (most_output + MOST_MESSAGE)


def decode(body: bytes, most_output: int = DEFAULT_MOST) -> Document | LoadError:
    """The result that `encode` wrote, without its length.

    Raises:
        ValueError: the bytes are not of that form, are inconsistent, or hold more than the file may give.
    """
    try:
        (length,) = HEADER.unpack_from(body)
        whole, end = memoryview(body), HEADER.size + length
        message = _parsed(str(whole[HEADER.size : end], "ascii"), most_output)
        if "error" in message:
            return _error(message)
        document = _document(message, whole[end:], most_output)
        if size_of(document) > most_output:
            _refuse("it holds more than a file may give")
    except (KeyError, TypeError, AttributeError, OverflowError, RecursionError, struct.error) as error:
        raise ValueError(f"not a loader's answer: {error}") from error
    return document


def _parsed(head: str, most_output: int) -> Any:
    """The values of JSON, which are no more than a file may give: each takes many times the memory of its text."""
    most = TOKENS_OF_A_PIECE * most_output // BLOCK + TOKENS_AROUND
    if next(islice(TOKEN.finditer(head), most, None), None):
        _refuse("it has more blocks, pages and warnings than a file may give")
    return json.loads(head)


def _document(fields: dict[str, Any], rest: memoryview, most_output: int) -> Document:
    length = _whole(fields["text"], min(len(rest), LONGEST_CHARACTER * most_output))
    text = str(rest[:length], "utf-8")
    if not is_storable(text):
        _refuse("its text cannot be stored")
    blocks, pages = tuple(_blocks(fields["blocks"], text)), tuple(_pages(fields["pages"], text))
    places = bytes(rest[length:])
    check(places, len(text), len(pages))
    warnings = tuple(_string(one) for one in _list(fields["warnings"]))
    return Document(text, _string(fields["title"]), blocks, pages, warnings, places)


def _blocks(rows: object, text: str) -> Iterator[Block]:
    """Blocks that follow each other within the text."""
    at = 0
    for kind, first, last, level, title in _list(rows):
        start, end = _span(first, last, len(text))
        if kind not in KINDS or start < at:
            _refuse("its blocks are of no kind, or overlap")
        at = end
        yield Block(kind, start, end, _whole(level, DEEPEST_HEADING), _string(title))


def _pages(rows: object, text: str) -> Iterator[Page]:
    """Pages that follow each other within the text, numbered from 1."""
    at = 0
    for expected, (number, first, last, label, read, confidence) in enumerate(_list(rows), start=1):
        start, end = _span(first, last, len(text))
        if number != expected or start < at or read not in WAYS_OF_READING:
            _refuse("its pages are out of order")
        at = start
        yield Page(expected, start, end, _string(label), read, _share(confidence))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else _refuse("something is not the list that it should be")


def _string(value: object) -> str:
    return value if isinstance(value, str) and is_storable(value) else _refuse("something is no text to be stored")


def _whole(value: object, most: int) -> int:
    """A whole number from 0 to `most`."""
    return value if type(value) is int and 0 <= value <= most else _refuse("a number is out of its range")


def _span(start: object, end: object, length: int) -> tuple[int, int]:
    stop = _whole(end, length)
    return _whole(start, stop), stop


def _share(value: object) -> float | None:
    if value is None:
        return None
    number = value if isinstance(value, int | float) else -1
    return number if 0 <= number <= 1 else _refuse("a share is out of its range")


def _error(fields: dict[str, Any]) -> LoadError:
    kind = getattr(errors, _string(fields["kind"]), LoadError)
    is_load_error = isinstance(kind, type) and issubclass(kind, LoadError)
    return (kind if is_load_error else LoadError)(_string(fields["error"])[:MOST_MESSAGE])


def _refuse(reason: str) -> NoReturn:
    raise ValueError(f"not a loader's answer: {reason}")
