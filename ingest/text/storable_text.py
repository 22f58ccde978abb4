"""Makes strings valid for every store, tokenizer and output: no lone surrogates, which UTF-8 cannot encode, no NUL."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ingest.models import Document

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
UNDECODED = range(0xDC80, 0xDD00)
REPLACEMENT = "\ufffd"
# A UTF-16 surrogate pair, as JSON escapes a character.
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
FIRST_HALVES = ("\ud800", "\udbff")


def storable(text: str) -> str:
    """Replaces each character that cannot be stored by U+FFFD, so that offsets stay valid."""
    return UNSTORABLE.sub(REPLACEMENT, text)


def is_storable(text: str) -> bool:
    """Returns True if a text can be stored unchanged."""
    return not UNSTORABLE.search(text)


def storable_values(value: Any) -> Any:
    """Makes every string of a JSON value storable, including field names."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(name): storable_values(one) for name, one in value.items()}
    return [storable_values(one) for one in value] if isinstance(value, list) else value


class StorableStream:
    """Makes streamed text storable; joins surrogate pairs that are split between two pieces."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """Adds a piece and returns the text that is complete."""
        text, self._held = self._held + piece, ""
        if text and FIRST_HALVES[0] <= text[-1] <= FIRST_HALVES[1]:
            text, self._held = text[:-1], text[-1]
        return storable(PAIR.sub(_joined, text))

    def end(self) -> str:
        """Returns the rest after the last piece."""
        return storable(self._held)


def escaped(text: str) -> str:
    """Escapes characters that cannot be stored as hexadecimal, such as bytes of a file name that are not UTF-8."""
    return UNSTORABLE.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    is_byte = code in UNDECODED  # as os.fsdecode represents it
    return f"\\x{code & 0xFF:02x}" if is_byte or not code else f"\\u{code:04x}"


def _joined(pair: re.Match[str]) -> str:
    return pair[0].encode("utf-16", "surrogatepass").decode("utf-16")


def storable_document(document: Document) -> Document:
    """Makes every string of a document storable: its text, title, headings, labels and warnings."""
    return replace(
        document,
        text=storable(document.text),
        title=storable(document.title),
        blocks=tuple(b if is_storable(b.title) else replace(b, title=storable(b.title)) for b in document.blocks),
        pages=tuple(p if is_storable(p.label) else replace(p, label=storable(p.label)) for p in document.pages),
        warnings=tuple(map(storable, document.warnings)),
    )
