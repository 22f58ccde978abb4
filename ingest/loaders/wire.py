"""What a worker process and its pool say to each other: length-prefixed JSON, which can carry data and nothing else.

Not pickle: bytes from a process that has read a hostile file must not be able to run code in this one.
"""

from __future__ import annotations

import json
import struct
from dataclasses import asdict
from typing import Any

from ingest import errors
from ingest.errors import LoadError
from ingest.models import Block, Document, Page

HEADER = struct.Struct(">Q")


def encode(result: Document | LoadError) -> bytes:
    """A result as the bytes that `decode` reads, their length first."""
    if isinstance(result, Document):
        message = {"document": asdict(result)}
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
    return Document(text, str(fields["title"]), blocks, pages, tuple(map(str, fields["warnings"])))


def _error(fields: dict[str, str]) -> LoadError:
    kind = getattr(errors, fields["kind"], LoadError)
    is_load_error = isinstance(kind, type) and issubclass(kind, LoadError)
    return (kind if is_load_error else LoadError)(fields["message"])
