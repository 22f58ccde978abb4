"""What a worker process and its pool say to each other: length-prefixed JSON, which can carry data and nothing else.

Not pickle: bytes from a process that has read a hostile file must not be able to run code in this one.
"""

from __future__ import annotations

import base64
import json
import os
import struct
from dataclasses import asdict, dataclass
from typing import Any, BinaryIO

from ingest import errors
from ingest.errors import LoadError
from ingest.models import Block, Document, Page
from ingest.places import unpack
from ingest.storable import storable_document

HEADER = struct.Struct(">Q")
# An answer of no length: the file is being read, a slow step of it begins.
AT_WORK = HEADER.pack(0)


@dataclass(frozen=True, slots=True)
class Request:
    """A file to be read.

    Attributes:
        path: of the file.
        seconds: it may take to the next sign of life.
        ocr: whether text in pictures is read.
    """

    path: str
    seconds: float
    ocr: bool = True


def encode_request(request: Request) -> bytes:
    """A request as the bytes that `read_request` reads."""
    body = json.dumps([request.seconds, request.ocr]).encode() + b"\n" + os.fsencode(request.path)
    return HEADER.pack(len(body)) + body


def read_request(stream: BinaryIO) -> Request | None:
    """The next request; None where the stream ends."""
    header = stream.read(HEADER.size)
    if len(header) < HEADER.size:
        return None
    options, path = stream.read(HEADER.unpack(header)[0]).split(b"\n", 1)
    seconds, ocr = json.loads(options)
    return Request(os.fsdecode(path), float(seconds), bool(ocr))


def encode(result: Document | LoadError) -> bytes:
    """A result as the bytes that `decode` reads, their length first."""
    if isinstance(result, Document):
        places = base64.b64encode(result.places).decode()
        message = {"document": {**asdict(result), "places": places}}
    else:
        message = {"error": {"kind": type(result).__name__, "message": str(result)}}
    body = json.dumps(message, separators=(",", ":")).encode()
    return HEADER.pack(len(body)) + body


def decode(body: bytes) -> Document | LoadError:
    """The result that `encode` wrote, without its length.

    Raises:
        ValueError: the bytes are not of that form.
    """
    try:
        message = json.loads(body)
        if "error" in message:
            return _error(message["error"])
        return _document(message["document"])
    except (KeyError, TypeError, RecursionError) as error:
        raise ValueError(f"not a loader's answer: {error}") from error


def _document(fields: dict[str, Any]) -> Document:
    text = str(fields["text"])
    blocks = tuple(Block(**block) for block in fields["blocks"])
    pages = tuple(Page(**page) for page in fields["pages"])
    spans = [(block.start, block.end) for block in blocks] + [(page.start, page.end) for page in pages]
    if any(not 0 <= start <= end <= len(text) for start, end in spans):
        raise ValueError("not a loader's answer: a span lies outside the text")
    places = base64.b64decode(fields.get("places", ""), validate=True)
    unpack(places)  # ValueError where it is of another form
    document = Document(text, str(fields["title"]), blocks, pages, tuple(map(str, fields["warnings"])), places)
    return storable_document(document)


def _error(fields: dict[str, str]) -> LoadError:
    kind = getattr(errors, fields["kind"], LoadError)
    is_load_error = isinstance(kind, type) and issubclass(kind, LoadError)
    return (kind if is_load_error else LoadError)(fields["message"])
