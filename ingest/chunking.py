"""Document -> Chunks that follow its structure and fit the embedder whole.

A chunk is a block of a section (under one heading), or a run of small ones, so that it is about one thing. A block
that is too long alone is split where its kind allows: a table between rows, a list between items, text between
sentences, then between words. What the embedder reads is the chunk's context (title and headings, a split table's
header row) and its text; both are counted with the embedder's own tokenizer, so that nothing is ever cut off.

Chunks are made one by one, and of the text only a window at a time is tokenized: memory does not grow with a document.
"""

from __future__ import annotations

import re
from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
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
# A heading's title is kept with every chunk under it: no more than so many characters of it.
MOST_TITLE_CHARACTERS = 300
# Characters that are tokenized together, and how many such windows are remembered.
WINDOW_CHARACTERS = 64 * 1024
WINDOWS = 4
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

    def split(self, document: Document) -> Iterator[Chunk]:
        """Splits a document, chunk by chunk.

        Every character of the document that is not white space is in at least one chunk, and
        `document.text[c.start:c.end] == c.text` for each chunk.

        Yields:
            Chunks in reading order, positions from 0.
        """
        counter = _Counter(self._tokenizer, document.text, self.limit)
        position = 0
        for section in _sections(document):
            for piece in self._pieces(document, section, counter):
                for chunk in self._fitting(document, section, piece, position):
                    position = chunk.position + 1
                    yield chunk

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
        return max(1, self.limit - (self._count(context) if context else self._special))

    def _count(self, text: str) -> int:
        """Tokens of a context, special ones included; one is taken to stand for no more characters than it may."""
        return max(self._tokenizer.count_tokens(text), self._special + -(-len(text) // CHARACTERS_PER_TOKEN))

    def _context(self, title: str, heading: tuple[str, ...]) -> str:
        """Title and heading path, the middle left out, then words, until it takes no more than its share."""
        parts = [part for part in (title, *heading) if part]
        parts = [part for index, part in enumerate(parts) if index == 0 or part != parts[index - 1]]
        budget = int(self.limit * CONTEXT_SHARE)
        while len(parts) > 1 and self._count(" > ".join(parts)) > budget:
            parts.pop(len(parts) // 2)
        context = " > ".join(parts)
        if self._count(context) <= budget:
            return context
        room = max(0, budget - self._special)
        spans = self._tokenizer.token_spans(context[: room * CHARACTERS_PER_TOKEN])[:room]
        return context[: spans[-1][1]].rstrip() if spans else ""


@dataclass(frozen=True, slots=True)
class Split:
    """The chunks of a document, made whenever they are gone through."""

    chunker: Chunker
    document: Document

    def __iter__(self) -> Iterator[Chunk]:
        return self.chunker.split(self.document)


class _Counter:
    """Counts tokens between any two offsets of one text, of which a window at a time is tokenized.

    Args:
        tokenizer: of the embedder.
        text: to be counted in.
        limit: tokens that a chunk may have; of spans that are longer for sure, that alone is told.
    """

    def __init__(self, tokenizer: Tokenizer, text: str, limit: int) -> None:
        self.text = text
        self._tokenizer = tokenizer
        self._longest = limit * CHARACTERS_PER_TOKEN
        self._edges = [0]
        self._windows: OrderedDict[int, array[int]] = OrderedDict()

    def count(self, start: int, end: int) -> int:
        at_least = -(-(end - start) // CHARACTERS_PER_TOKEN)
        if end - start > self._longest:
            return at_least
        while self._edges[-1] < end:
            self._edges.append(self._edge(self._edges[-1]))
        tokens = 0
        for number in range(bisect_right(self._edges, start) - 1, bisect_left(self._edges, end)):
            starts = self._starts(number)
            tokens += bisect_left(starts, end) - bisect_left(starts, start)
        return max(tokens, at_least)

    def _edge(self, start: int) -> int:
        """Where the window that begins at `start` ends: before a white space, so that no token is cut."""
        end = start + WINDOW_CHARACTERS
        if end >= len(self.text):
            return len(self.text)
        return next((at for at in range(end, start + WINDOW_CHARACTERS // 2, -1) if self.text[at].isspace()), end)

    def _starts(self, number: int) -> array[int]:
        """Where the tokens of a window begin, as offsets in the text."""
        if number not in self._windows:
            first, last = self._edges[number], self._edges[number + 1]
            spans = self._tokenizer.token_spans(self.text[first:last])
            self._windows[number] = array("q", (first + start for start, _ in spans))
        self._windows.move_to_end(number)
        while len(self._windows) > WINDOWS:
            self._windows.popitem(last=False)
        return self._windows[number]


def _sections(document: Document) -> Iterator[_Section]:
    """The blocks grouped by heading and page; headings that directly follow each other share a section."""
    path: list[Block] = []
    run: list[Block] = []
    page, said = None, False  # said: the run has more than headings
    for block in document.blocks:
        here = document.page_at(block.start)
        if run and ((block.kind == "heading" and said) or here != page):
            yield _Section(_titles(path), tuple(run))
            run, said = [], False
        if block.kind == "heading":
            path = [*(b for b in path if b.level < block.level), block]
        page = here
        said = said or block.kind != "heading"
        run.append(block)
    if run:
        yield _Section(_titles(path), tuple(run))


def _titles(path: Sequence[Block]) -> tuple[str, ...]:
    return tuple(block.title[:MOST_TITLE_CHARACTERS].rstrip() for block in path if block.title)


def _split(counter: _Counter, start: int, end: int, room: int, separators: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Splits [start, end) into the fewest spans of at most `room` tokens, at the coarsest separators that do."""
    if counter.count(start, end) <= room:
        yield start, end
        return
    if not separators:
        yield from _split_anywhere(counter, start, end, room)
        return
    run: tuple[int, int] | None = None
    for left, right in _between_cuts(counter.text, start, end, separators[0]):
        if run and counter.count(run[0], right) <= room:
            run = run[0], right
            continue
        if run:
            yield run
        run = None
        if counter.count(left, right) <= room:
            run = left, right
            continue
        for span in _split(counter, left, right, room, separators[1:]):
            if run:
                yield run
            run = span
    if run:
        yield run


def _between_cuts(text: str, start: int, end: int, separator: str) -> Iterator[tuple[int, int]]:
    """What a separator divides [start, end) into, the separator at the end of each span."""
    at = start
    for found in re.compile(separator).finditer(text, start, end):
        if at < found.end() < end:
            yield at, found.end()
            at = found.end()
    yield at, end


def _split_anywhere(counter: _Counter, start: int, end: int, room: int) -> Iterator[tuple[int, int]]:
    """Text without spaces: cut wherever `room` is full."""
    step = max(1, room * CHARACTERS_PER_TOKEN)
    while start < end:
        stop = min(end, start + step)
        while stop - start > 1 and counter.count(start, stop) > room:
            stop = start + (stop - start) // 2
        yield start, stop
        start = stop


def _table_header(text: str, block: Block) -> str:
    """The header row of a Markdown table, to stand over each of its parts; "" for all else."""
    if block.kind != "table":
        return ""
    first = text.find("\n", block.start, block.end)
    second = text.find("\n", first + 1, block.end)
    rule = text[first + 1 : second] if 0 <= first < second else ""
    return text[block.start : first].strip() if re.fullmatch(r"[\s|:+-]+", rule) and "-" in rule else ""


def _stripped(text: str, start: int, end: int) -> tuple[int, int]:
    piece = text[start:end]
    return start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())


def _middle(text: str, start: int, end: int) -> int:
    """A white space near the middle of [start, end), or the middle itself."""
    half = (start + end) // 2
    space = text.rfind(" ", start + 1, half)
    return space if space > start + (end - start) // 4 else half
