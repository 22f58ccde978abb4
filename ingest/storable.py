"""Makes strings fit for every store, tokenizer and output: no lone surrogates, which UTF-8 cannot write, and no NUL."""

from __future__ import annotations

import re
from dataclasses import replace

from ingest.models import Document

UNSTORABLE = re.compile("[\0\ud800-\udfff]")
UNDECODED = range(0xDC80, 0xDD00)
REPLACEMENT = "\ufffd"


def storable(text: str) -> str:
    """Replaces what cannot be stored by U+FFFD, character by character, so that offsets stay right."""
    return UNSTORABLE.sub(REPLACEMENT, text)


def is_storable(text: str) -> bool:
    """Tells whether a text can be stored as it is."""
    return not UNSTORABLE.search(text)


def escaped(text: str) -> str:
    """Spells out in hexadecimal what cannot be stored, such as the bytes of a file name that are not UTF-8."""
    return UNSTORABLE.sub(lambda found: _escape(found[0]), text)


def _escape(character: str) -> str:
    code = ord(character)
    is_byte = code in UNDECODED  # as os.fsdecode writes it
    return f"\\x{code & 0xFF:02x}" if is_byte or not code else f"\\u{code:04x}"


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
