"""Makes strings fit for every store, tokenizer and output: no lone surrogates, which UTF-8 cannot write, and no NUL."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

from ingest.models import Document

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
UNDECODED = range(0xDC80, 0xDD00)
REPLACEMENT = "\ufffd"
# Two code units of UTF-16 that are one character, as JSON escapes it.
PAIR = re.compile("[\ud800-\udbff][\udc00-\udfff]")
FIRST_HALVES = ("\ud800", "\udbff")


def storable(text: str) -> str:
    """Replaces what cannot be stored by U+FFFD, character by character, so that offsets stay right."""
    return UNSTORABLE.sub(REPLACEMENT, text)


def is_storable(text: str) -> bool:
    """Tells whether a text can be stored as it is."""
    return not UNSTORABLE.search(text)


def storable_values(value: Any) -> Any:
    """Makes every string in a value as JSON has it storable, names of fields included."""
    if isinstance(value, str):
        return storable(value)
    if isinstance(value, dict):
        return {storable(name): storable_values(one) for name, one in value.items()}
    return [storable_values(one) for one in value] if isinstance(value, list) else value


class StorableStream:
    """Makes a text storable that comes in pieces; a character whose halves come in two pieces stays whole."""

    def __init__(self) -> None:
        self._held = ""

    def feed(self, piece: str) -> str:
        """What can be passed on after a piece came."""
        text, self._held = self._held + piece, ""
        if text and FIRST_HALVES[0] <= text[-1] <= FIRST_HALVES[1]:
            text, self._held = text[:-1], text[-1]
        return storable(PAIR.sub(_joined, text))

    def end(self) -> str:
        """What is left when all pieces came."""
        return storable(self._held)


def escaped(text: str) -> str:
    """Spells out in hexadecimal what cannot be stored, such as the bytes of a file name that are not UTF-8."""
    return UNSTORABLE.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    is_byte = code in UNDECODED  # as os.fsdecode writes it
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
