"""Reads Markdown: keeps the file's text, and takes its structure from a CommonMark parser."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markdown_it.utils import EnvType

from ingest.loaders.plain_text import decode, normalise, paragraphs
from ingest.loaders.source import Source
from ingest.models import Block, BlockKind, Document

FRONT_MATTER = re.compile(r"\A---[ \t]*\n(.*?\n)(?:---|\.\.\.)[ \t]*(?:\n|\Z)", re.DOTALL)
FRONT_TITLE = re.compile(r"^title[ \t]*+:[ \t]*+(.+)$", re.MULTILINE | re.IGNORECASE)
KINDS: dict[str, BlockKind] = {
    "bullet_list_open": "list",
    "ordered_list_open": "list",
    "table_open": "table",
    "fence": "code",
    "code_block": "code",
}


def load_markdown(source: Source) -> Document:
    """Reads a Markdown file.

    Raises:
        DamagedDocument: it contains bytes that are not text.
    """
    return read_markdown(normalise(decode(source.data, source)))


def read_markdown(text: str) -> Document:
    """Converts Markdown with line feeds as line ends to a document."""
    front = FRONT_MATTER.match(text)
    blocks = [Block("metadata", 0, len(front.group().rstrip()))] if front else []
    blocks.extend(_blocks(text, front.end() if front else 0))
    return Document(text, _title(front, blocks), tuple(blocks))


def _blocks(text: str, offset: int) -> Iterator[Block]:
    """Yields the blocks from `offset` on; lines that the parser drops (link definitions) become paragraphs."""
    lines = _line_starts(text, offset)
    at = offset
    definitions: EnvType = {}
    tokens = _parser().parse(text[offset:], definitions)
    for i, token in enumerate(tokens):
        if token.level or token.map is None or token.type.endswith("_close"):
            continue
        start, end = lines[token.map[0]], lines[min(token.map[1], len(lines) - 1)]
        yield from _paragraphs(text, at, start)
        for first, last in _trimmed(text, max(start, at), end):
            yield _block(token, tokens[i + 1] if i + 1 < len(tokens) else None, first, last, definitions)
        at = max(at, end)
    yield from _paragraphs(text, at, len(text))


@lru_cache(maxsize=1)
def _parser() -> MarkdownIt:
    """Returns a parser of blocks. It leaves out what is inside them: only that of headings is needed, see `_plain`."""
    return MarkdownIt("commonmark").enable("table").disable("inline")


def _block(token: Token, inline: Token | None, start: int, end: int, definitions: EnvType) -> Block:
    if token.type == "heading_open" and inline is not None:
        return Block("heading", start, end, int(token.tag[1]), _plain(inline.content, definitions))
    return Block(KINDS.get(token.type, "paragraph"), start, end)


def _plain(heading: str, definitions: EnvType) -> str:
    """Returns a heading's text without its markup; `definitions` holds those of the links that it may refer to."""
    words, children = [], list[Token]()
    _parser().inline.parse(heading, _parser(), definitions, children)
    for child in children:
        if child.type in {"text", "code_inline", "text_special"}:
            words.append(child.content)
        elif child.type in {"softbreak", "hardbreak"}:
            words.append(" ")
        elif child.type == "image":
            words.append(child.content)
    return " ".join("".join(words).split())


def _title(front: re.Match[str] | None, blocks: list[Block]) -> str:
    named = FRONT_TITLE.search(front.group(1)) if front else None
    if named:
        return named.group(1).rstrip(" \t").strip("\"'")
    return next((block.title for block in blocks if block.kind == "heading" and block.level == 1), "")


def _line_starts(text: str, offset: int) -> list[int]:
    starts = [offset]
    while (newline := text.find("\n", starts[-1])) != -1:
        starts.append(newline + 1)
    return [*starts, len(text)]


def _paragraphs(text: str, start: int, end: int) -> Iterator[Block]:
    for first, last in paragraphs(text, start, end):
        yield Block("paragraph", first, last)


def _trimmed(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    if piece.strip():
        yield start, start + len(piece.rstrip())
