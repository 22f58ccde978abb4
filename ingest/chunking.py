"""Document -> Chunks that follow its structure and fit the embedder whole.

A chunk is a block of a section (under one heading), or a run of small ones, so that it is about one thing. A block
that is too long alone is split where its kind allows: a table between rows, a list between items, text between
sentences, then between words. What the embedder reads is the chunk's context (title and headings, a split table's
header row) and its text; both are counted with the embedder's own tokenizer, so that nothing is ever cut off.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Protocol

from ingest.models import Block, Chunk, Document

# Changes whenever chunks come out differently; part of every version's id.
CHUNKER_FINGERPRINT = "structure-2"
# A chunk of at least so many tokens takes no further block. On eval/chunking, whose answers were marked by character,
# 5 chunks of "as many blocks as fit" were 5.1 % answer; of these, 6.3 %, for one point of recall, and 0.008 nDCG@10 on
# eval/conversations.
ENOUGH_TOKENS = 64
# Share of a chunk's tokens that its context may take; longer contexts lose their middle headings.
CONTEXT_SHARE = 0.25
# Characters a token can stand for at most. BERT reads a word of over 100 characters as one unknown token: its
# letters are lost to the model, so text without spaces counts as at least one token per this many characters.
CHARACTERS_PER_TOKEN = 16
SEPARATORS = {
    "table": (r"\n",),
    "code": (r"\n\s*\n", r"\n"),
    "list": (r"\n(?=\S)", r"\n", r"(?<=[.!?;])\s+"),
}
SENTENCE_END = r"(?<=[.!?…])[\"'”\u2019)\]]*\s+|(?<=[。\uff01\uff1f])"
TEXT_SEPARATORS = (r"\n\s*\n", SENTENCE_END, r"\n", r"(?<=[;:,])\s+", r"\s+")


class Tokenizer(Protocol):
    """What chunking needs of an embedder."""

    @property
    def max_tokens(self) -> int:
        """Most tokens a text may have, special tokens included."""

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, special tokens included."""

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Character offsets of the tokens of `text`, without special tokens."""


@dataclass(frozen=True, slots=True)
class _Section:
    """A heading with the blocks up to the next heading or page."""

    heading: tuple[str, ...]
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class _Piece:
    """A span of the text that becomes a chunk under `context`. `opens`: it ends in a heading, of what follows it."""

    start: int
    end: int
    context: str
    opens: bool = False


class Chunker:
    """Splits documents for one embedder.

    Args:
        tokenizer: counts tokens as the embedder will.
        chunk_tokens: largest chunk in tokens, context and special tokens included; the embedder's own limit
            holds where it is smaller.
    """

    def __init__(self, tokenizer: Tokenizer, chunk_tokens: int = 256) -> None:
        self._tokenizer = tokenizer
        self.limit = min(chunk_tokens, tokenizer.max_tokens)
        self._special = tokenizer.count_tokens("")

    @property
    def fingerprint(self) -> str:
        """Changes when the same document would be split otherwise."""
        return f"{CHUNKER_FINGERPRINT}/{self.limit}"

    def split(self, document: Document) -> list[Chunk]:
        """Splits a document.

        Every character of the document that is not white space is in at least one chunk, and
        `document.text[c.start:c.end] == c.text` for each chunk.

        Returns:
            Chunks in reading order, positions from 0.
        """
        counter = _Counter(self._tokenizer, document.text)
        chunks: list[Chunk] = []
        for section in _sections(document):
            for piece in self._pieces(document, section, counter):
                chunks.extend(self._fitting(document, section, piece, len(chunks)))
        return chunks

    def _pieces(self, document: Document, section: _Section, counter: _Counter) -> Iterator[_Piece]:
        """Units, each joined with what precedes it as long as that is short and both fit."""
        run: _Piece | None = None
        for piece in self._units(document, section, counter):
            joined = run and self._joined(run, piece, counter)
            if joined:
                run = joined
                continue
            if run:
                yield run
            run = piece
        if run:
            yield run

    def _joined(self, run: _Piece, piece: _Piece, counter: _Counter) -> _Piece | None:
        joined = _Piece(run.start, piece.end, run.context, piece.opens)
        short = run.opens or counter.count(run.start, run.end) < ENOUGH_TOKENS
        return joined if short and run.context == piece.context and self._fits(joined, counter) else None

    def _units(self, document: Document, section: _Section, counter: _Counter) -> Iterator[_Piece]:
        """Whole blocks, and the parts of blocks that do not fit alone.

        A long block under a heading leaves room for it, so that a heading is never a chunk by itself.
        """
        context = self._context(document.title, section.heading)
        lead = 0
        for block in section.blocks:
            whole = _Piece(block.start, block.end, context, opens=block.kind == "heading")
            if self._fits(whole, counter, lead):
                yield whole
            else:
                yield from self._parts(document.text, block, context, counter, lead)
            lead = lead + counter.count(block.start, block.end) if block.kind == "heading" else 0

    def _parts(self, text: str, block: Block, context: str, counter: _Counter, lead: int) -> Iterator[_Piece]:
        """A block too long for one chunk, split between rows, items, sentences or words."""
        header = _table_header(text, block)
        repeated = f"{context}\n{header}".strip() if header else context
        if self._room(repeated) < self.limit // 2:
            repeated = context
        room = max(1, self._room(repeated) - lead)
        separators = (*SEPARATORS.get(block.kind, ()), *TEXT_SEPARATORS)
        for index, (start, end) in enumerate(_split(counter, block.start, block.end, room, separators)):
            yield _Piece(start, end, repeated if index else context)

    def _fits(self, piece: _Piece, counter: _Counter, lead: int = 0) -> bool:
        return counter.count(piece.start, piece.end) + lead <= self._room(piece.context)

    def _fitting(self, document: Document, section: _Section, piece: _Piece, position: int) -> Iterator[Chunk]:
        """The chunk of a piece, or its halves where the exact count says that it is too long after all."""
        pending = [(piece.start, piece.end)]
        while pending:
            start, end = _stripped(document.text, *pending.pop(0))
            if start >= end:
                continue
            chunk = self._chunk(document, section, _Piece(start, end, piece.context), position)
            if chunk.tokens > self.limit and end - start > 1:
                middle = _middle(document.text, start, end)
                pending[:0] = [(start, middle), (middle, end)]
                continue
            position += 1
            yield chunk

    def _chunk(self, document: Document, section: _Section, piece: _Piece, position: int) -> Chunk:
        text = document.text[piece.start : piece.end]
        page = document.page_at(piece.start)
        chunk = Chunk(
            position=position,
            start=piece.start,
            end=piece.end,
            text=text,
            page=page.number if page else None,
            place=page.label if page else "",
            heading=section.heading,
            context=piece.context,
            tokens=0,
        )
        return replace(chunk, tokens=self._tokenizer.count_tokens(chunk.embedded_text))

    def _room(self, context: str) -> int:
        """Tokens left for a chunk's own text under `context`."""
        return max(1, self.limit - (self._tokenizer.count_tokens(context) if context else self._special))

    def _context(self, title: str, heading: tuple[str, ...]) -> str:
        """Title and heading path, the middle left out, then words, until it takes no more than its share."""
        parts = [part for part in (title, *heading) if part]
        parts = [part for index, part in enumerate(parts) if index == 0 or part != parts[index - 1]]
        budget = int(self.limit * CONTEXT_SHARE)
        while len(parts) > 1 and self._tokenizer.count_tokens(" > ".join(parts)) > budget:
            parts.pop(len(parts) // 2)
        context = " > ".join(parts)
        if self._tokenizer.count_tokens(context) <= budget:
            return context
        spans = self._tokenizer.token_spans(context)[: max(0, budget - self._special)]
        return context[: spans[-1][1]].rstrip() if spans else ""


class _Counter:
    """Counts tokens between any two offsets of one text, which is tokenized once."""

    def __init__(self, tokenizer: Tokenizer, text: str) -> None:
        self.text = text
        self._starts = [start for start, _ in tokenizer.token_spans(text)]

    def count(self, start: int, end: int) -> int:
        tokens = bisect_left(self._starts, end) - bisect_left(self._starts, start)
        return max(tokens, -(-(end - start) // CHARACTERS_PER_TOKEN))


def _sections(document: Document) -> Iterator[_Section]:
    """The blocks grouped by heading and page; headings that directly follow each other share a section."""
    path: list[Block] = []
    run: list[Block] = []
    page = None
    for block in document.blocks:
        here = document.page_at(block.start)
        opens = block.kind == "heading" and any(b.kind != "heading" for b in run)
        if run and (opens or here != page):
            yield _Section(_titles(path), tuple(run))
            run = []
        if block.kind == "heading":
            path = [*(b for b in path if b.level < block.level), block]
        page = here
        run.append(block)
    if run:
        yield _Section(_titles(path), tuple(run))


def _titles(path: Sequence[Block]) -> tuple[str, ...]:
    return tuple(block.title for block in path if block.title)


def _split(counter: _Counter, start: int, end: int, room: int, separators: Sequence[str]) -> list[tuple[int, int]]:
    """Splits [start, end) into the fewest spans of at most `room` tokens, at the coarsest separators that do."""
    if counter.count(start, end) <= room:
        return [(start, end)]
    if not separators:
        return _split_anywhere(counter, start, end, room)
    cuts = [m.end() for m in re.compile(separators[0]).finditer(counter.text, start, end) if start < m.end() < end]
    if not cuts:
        return _split(counter, start, end, room, separators[1:])
    spans: list[tuple[int, int]] = []
    for left, right in zip([start, *cuts], [*cuts, end], strict=True):
        if spans and counter.count(spans[-1][0], right) <= room:
            spans[-1] = (spans[-1][0], right)
        elif counter.count(left, right) <= room:
            spans.append((left, right))
        else:
            spans.extend(_split(counter, left, right, room, separators[1:]))
    return spans


def _split_anywhere(counter: _Counter, start: int, end: int, room: int) -> list[tuple[int, int]]:
    """Text without spaces: cut wherever `room` is full."""
    spans = []
    step = max(1, room * CHARACTERS_PER_TOKEN)
    while start < end:
        stop = min(end, start + step)
        while stop - start > 1 and counter.count(start, stop) > room:
            stop = start + (stop - start) // 2
        spans.append((start, stop))
        start = stop
    return spans


def _table_header(text: str, block: Block) -> str:
    """The header row of a Markdown table, to stand over each of its parts; "" for all else."""
    if block.kind != "table":
        return ""
    rows = text[block.start : block.end].split("\n", 2)
    is_header = len(rows) > 2 and re.fullmatch(r"[\s|:+-]+", rows[1]) and "-" in rows[1]  # noqa: PLR2004 - header, rule, body
    return rows[0].strip() if is_header else ""


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def _middle(text: str, start: int, end: int) -> int:
    """A white space near the middle of [start, end), or the middle itself."""
    half = (start + end) // 2
    space = text.rfind(" ", start + 1, half)
    return space if space > start + (end - start) // 4 else half
