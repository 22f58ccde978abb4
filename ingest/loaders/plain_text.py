"""Reads plain text in any common encoding."""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator

from ingest.errors import DamagedDocument
from ingest.loaders.document_builder import Builder
from ingest.loaders.source import Source
from ingest.models import Block, Document

BOMS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),  # before UTF-16, whose mark is a prefix of this one
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
SAMPLE_BYTES = 64 * 1024
# Data with at least this fraction of control characters is not text.
MOST_CONTROL = 0.02
# Non-ASCII bytes needed to guess the encoding; with fewer, Western European is more likely than the guess.
ENOUGH_TO_GUESS = 40
LAST_OF_ASCII = 0x7F
# In short text of other scripts such bytes follow each other; Western European letters stand alone.
RUNS = re.compile(rb"[\x80-\xff]{2,}")
MOSTLY = 0.5
FEWEST_TO_GUESS = 6
NOT_WESTERN = ["cp932", "gb18030", "big5", "cp949", "euc_jp", "cp1251", "cp1250", "cp1253", "cp1255", "cp1256"]
BLANK_LINES = re.compile(r"\n[^\S\n]*\n\s*")
# Control characters that text does not contain: all but white space and escape.
CONTROL = re.compile("[\0-\x08\x0e-\x1a\x1c-\x1f\x7f-\x84\x86-\x9f]")


def load_text(source: Source) -> Document:
    """Reads a text file, with paragraphs separated by blank lines.

    Raises:
        DamagedDocument: it contains bytes that are not text.
    """
    text = normalise(decode(source.data, source))
    return Document(text, "", tuple(Block("paragraph", start, end) for start, end in paragraphs(text)))


def load_code(source: Source) -> Document:
    """Reads source code, configuration and similar files unchanged, divided at blank lines.

    Raises:
        DamagedDocument: it contains bytes that are not text.
    """
    text = normalise(decode(source.data, source))
    spans = [(text.rfind("\n", 0, start) + 1, end) for start, end in paragraphs(text)]  # the indent is kept
    return Document(text, "", tuple(Block("code", start, end) for start, end in spans))


def decode(data: bytes, source: Source) -> str:
    """Decodes text by its byte order mark, as UTF-16 or UTF-8, or in an older encoding.

    Raises:
        DamagedDocument: it is not text. The message names `source`.
    """
    text = _decoded(data)
    if _is_binary(text[:SAMPLE_BYTES]):
        raise DamagedDocument(f"{source} is not text: its content is of another type. Correct its file extension.")
    return text


def text_head(data: bytes) -> str:
    """Decodes the first bytes of a file, which may end within a character; "" if they are not text."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        whole = error.reason == "unexpected end of data" and error.start >= len(data) - 3
        text = data[: error.start].decode("utf-8") if whole else _decoded(data)
    if data.startswith(tuple(bom for bom, _ in BOMS)) or "\0" in text:
        text = _decoded(data[: len(data) & ~3])
    return "" if _is_binary(text) else text.lstrip("\ufeff")


def normalise(text: str) -> str:
    """Converts all line ends to line feeds."""
    return text.replace("\r\n", "\n").replace("\r", "\n")


def paragraphs(text: str, start: int = 0, end: int | None = None) -> Iterator[tuple[int, int]]:
    """Yields the spans between blank lines, without surrounding white space."""
    end = len(text) if end is None else end
    at = start
    for gap in BLANK_LINES.finditer(text, start, end):
        yield from _stripped(text, at, gap.start())
        at = gap.end()
    yield from _stripped(text, at, end)


def add_paragraphs(builder: Builder, text: str) -> None:
    """Adds the paragraphs between blank lines of a text with any line ends."""
    text = normalise(text)
    for start, end in paragraphs(text):
        builder.add("paragraph", text[start:end])


def _decoded(data: bytes) -> str:
    for bom, encoding in BOMS:
        if data.startswith(bom):
            return data.decode(encoding, errors="replace")
    if encoding := _utf16_without_mark(data[:SAMPLE_BYTES]):
        return data.decode(encoding, errors="replace")
    try:
        return data.decode("utf-8")
    except UnicodeDecodeError:
        return data.decode(_guess(data), errors="replace")


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    if piece.strip():
        yield start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def _utf16_without_mark(sample: bytes) -> str:
    """Decodes UTF-16 without a mark, detected by zeros in every second byte; "" if it does not look like that."""
    even, odd = sample[0::2], sample[1::2]
    if len(sample) < 4 or b"\0" not in sample:  # noqa: PLR2004 - two characters
        return ""
    zeros_even, zeros_odd = even.count(0) / len(even), odd.count(0) / len(odd)
    most, few = 0.4, 0.05
    if zeros_odd > most and zeros_even < few:
        return "utf-16-le"
    if zeros_even > most and zeros_odd < few:
        return "utf-16-be"
    return ""


def _guess(data: bytes) -> str:
    """Returns the name of the likeliest encoding of text that is not UTF-8."""
    from charset_normalizer import from_bytes  # noqa: PLC0415 - needed for few files

    sample = data[:SAMPLE_BYTES]
    high = sum(byte > LAST_OF_ASCII for byte in sample)
    undefined_in_cp1252 = {0x81, 0x8D, 0x8F, 0x90, 0x9D}
    in_runs = sum(len(run) for run in RUNS.findall(sample)) > MOSTLY * high
    if high >= ENOUGH_TO_GUESS:
        found = from_bytes(sample).best()
        if found and found.encoding not in {"ascii", "utf_8"}:
            return found.encoding
    elif high >= FEWEST_TO_GUESS and (in_runs or undefined_in_cp1252 & set(data)):
        found = from_bytes(sample, cp_isolation=NOT_WESTERN).best()
        if found:
            return found.encoding
    return "latin-1" if undefined_in_cp1252 & set(data) else "cp1252"


def _is_binary(sample: str) -> bool:
    return "\0" in sample or len(CONTROL.findall(sample)) > MOST_CONTROL * max(len(sample), 1)
