"""Splits a document into chunks that follow its structure and fit the embedder's input.

A chunk is a block of a section (under one heading), or a run of small ones, so that it covers one topic. A block that
is too long is split where its kind allows: a table between rows, a list between items, text between sentences, then
between words. The embedder reads the chunk's context (title and headings, a table's caption and header row) and its
text. Both are counted with the embedder's own tokenizer, so that nothing is truncated.

Chunks are made one by one, segment by segment, and text is tokenized a window at a time, so that memory use does not
grow with the document.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache

from ingest.chunking.sections import Section, Sections, caption_of, table_header
from ingest.chunking.splitting import middle_of, split_block, stripped
from ingest.chunking.token_counter import CHARACTERS_PER_TOKEN, TokenCounter, Tokenizer
from ingest.models import Block, Chunk, embedded_text, page_at
from ingest.segments import Segment, SegmentedDocument

# Changes whenever the chunks change; part of every version's id.
CHUNKER_FINGERPRINT = "structure-3"
# A chunk of at least this many tokens takes no further block. On eval/chunking, whose answers were marked by character,
# 5 chunks of "as many blocks as fit" were 5.1 % answer, and 5 of these chunks 6.3 %. The cost is one point of recall,
# and 0.008 nDCG@10 on eval/conversations.
ENOUGH_TOKENS = 64
# Largest fraction of a chunk's tokens for its context; longer contexts lose their middle headings.
CONTEXT_SHARE = 0.25
# A chunk up to this fraction of the limit fits for certain: its text and context, counted apart, may differ from both
# counted together by a token or two where they meet. Longer chunks are counted exactly.
CERTAIN_SHARE = 0.875
# Contexts whose counts are cached: all chunks under a heading share one.
COUNTED = 256


@dataclass(frozen=True, slots=True)
class _Piece:
    """A span of a segment that becomes a chunk under `context`.

    `opens`: it ends with the heading of what follows. `above`: the caption and header row of the table in which it
    begins, as far as they are not in the span.
    """

    start: int
    end: int
    context: str
    opens: bool = False
    above: str = ""

    @property
    def whole_context(self) -> str:
        return "\n".join(filter(None, (self.context, self.above)))


class Chunker:
    """Splits documents for one embedder.

    Args:
        tokenizer: counts tokens as the embedder will.
            chunk_tokens: largest chunk in tokens, context and special tokens included; the embedder's own limit applies
                if it is smaller.
    """

    def __init__(self, tokenizer: Tokenizer, chunk_tokens: int = 256) -> None:
        self._tokenizer = tokenizer
        self.limit = min(chunk_tokens, tokenizer.max_tokens)
        self._special = tokenizer.count_tokens("")
        self._counted = lru_cache(maxsize=COUNTED)(self._count)

    @property
    def fingerprint(self) -> str:
        """Returns a fingerprint that changes when the same document would be split differently."""
        return f"{CHUNKER_FINGERPRINT}/{self.limit}"

    def split(self, document: SegmentedDocument) -> Iterator[Chunk]:
        """Splits a document, yielding chunk by chunk.

        Every character of the document that is not white space is in at least one chunk, and
        `document.text[c.start:c.end] == c.text` for each chunk, where `text` is that of all segments.

        Yields:
            Chunks in reading order, with positions from 0.
        """
        sections, position = Sections(), 0
        for segment in document.segments:
            counter = TokenCounter(self._tokenizer, segment.text, self.limit)
            for section in sections.of(segment):
                context = self._context(document.title, section.heading)
                for piece in self._pieces(section, context, counter):
                    for start, end in self._fitting(piece, counter):
                        chunk = _chunk(segment, section, replace(piece, start=start, end=end), position)
                        position = chunk.position + 1
                        yield chunk

    def _pieces(self, section: Section, context: str, counter: TokenCounter) -> Iterator[_Piece]:
        """Yields units, each joined with the preceding run while that is short and both fit."""
        run: _Piece | None = None
        for piece in self._units(section, context, counter):
            joined = run and self._joined(run, piece, counter)
            if joined:
                run = joined
                continue
            if run:
                yield run
            run = piece
        if run:
            yield run

    def _joined(self, run: _Piece, piece: _Piece, counter: TokenCounter) -> _Piece | None:
        short = run.opens or counter.count(run.start, run.end) < ENOUGH_TOKENS
        continues = piece.above.rpartition("\n")[2].startswith("|")  # its header row would be lost
        if not short or continues:
            return None
        joined = _Piece(run.start, piece.end, run.context, piece.opens, run.above)
        return joined if self._fits(joined, counter) else None

    def _units(self, section: Section, context: str, counter: TokenCounter) -> Iterator[_Piece]:
        """Yields whole blocks, and the parts of blocks that do not fit.

        A long block under a heading leaves room for the heading, so that no chunk is only a heading.
        """
        lead, header, before = 0, section.table_header, None
        for block in section.blocks:
            caption = caption_of(counter.text, before) if before and block.kind == "table" else ""
            whole = _Piece(block.start, block.end, context, opens=block.kind == "heading", above=caption)
            fits = self._fits(whole, counter, lead)
            if caption and not fits:
                whole = replace(whole, above="")
                fits = self._fits(whole, counter, lead)
            if fits and not header:
                yield whole
            else:
                yield from self._parts(block, header, caption, context, counter, lead=lead)
            header, before = "", block
            lead = lead + counter.count(block.start, block.end) if block.kind == "heading" else 0

    def _parts(
        self, block: Block, carried: str, caption: str, context: str, counter: TokenCounter, *, lead: int
    ) -> Iterator[_Piece]:
        """Splits a block that is too long for one chunk between rows, items, sentences or words.

        `carried` is the header row of a table that began before this segment.
        """
        header = carried or table_header(counter.text, block)
        above = next(
            one
            for one in (f"{caption}\n{header}".strip(), header, "")
            if not one or self._room(f"{context}\n{one}") >= self.limit // 2
        )
        room = max(1, self._room(f"{context}\n{above}".strip()) - lead)
        for index, (start, end) in enumerate(split_block(counter, block.kind, block.start, block.end, room)):
            first = caption if caption and above.startswith(caption) else ""
            yield _Piece(start, end, context, above=above if index or carried else first)

    def _fits(self, piece: _Piece, counter: TokenCounter, lead: int = 0) -> bool:
        return counter.count(piece.start, piece.end) + lead <= self._room(piece.whole_context)

    def _fitting(self, piece: _Piece, counter: TokenCounter) -> Iterator[tuple[int, int]]:
        """Yields the span of a piece, or of its halves if the exact count exceeds the limit."""
        pending = [(piece.start, piece.end)]
        while pending:
            start, end = stripped(counter.text, *pending.pop(0))
            if start >= end:
                continue
            if end - start > 1 and self._exceeds(piece.whole_context, start, end, counter):
                middle = middle_of(counter.text, start, end)
                pending[:0] = [(start, middle), (middle, end)]
                continue
            yield start, end

    def _exceeds(self, context: str, start: int, end: int, counter: TokenCounter) -> bool:
        """Returns True if a chunk has too many tokens. Tokenizes it unless it certainly fits."""
        if counter.is_apart(start, end):
            room = CERTAIN_SHARE * self.limit - (self._counted(context) if context else self._special)
            if counter.count(start, end) <= room:
                return False
        return self._tokenizer.count_tokens(embedded_text(context, counter.text[start:end])) > self.limit

    def _room(self, context: str) -> int:
        """Returns the tokens left for a chunk's own text under `context`."""
        return max(1, self.limit - (self._counted(context) if context else self._special))

    def _count(self, text: str) -> int:
        """Counts the tokens of a context, special ones included, assuming at most CHARACTERS_PER_TOKEN per token."""
        return max(self._tokenizer.count_tokens(text), self._special + -(-len(text) // CHARACTERS_PER_TOKEN))

    def _context(self, title: str, heading: tuple[str, ...]) -> str:
        """Joins title and heading path, dropping middle headings, then words, until they fit the context's share."""
        parts = [part for part in (title, *heading) if part]
        parts = [part for index, part in enumerate(parts) if index == 0 or part != parts[index - 1]]
        budget = int(self.limit * CONTEXT_SHARE)
        while len(parts) > 1 and self._counted(" > ".join(parts)) > budget:
            parts.pop(len(parts) // 2)
        context = " > ".join(parts)
        if self._counted(context) <= budget:
            return context
        room = max(0, budget - self._special)
        spans = self._tokenizer.token_spans(context[: room * CHARACTERS_PER_TOKEN])[:room]
        return context[: spans[-1][1]].rstrip() if spans else ""


def _chunk(segment: Segment, section: Section, piece: _Piece, position: int) -> Chunk:
    page = page_at(segment.pages, piece.start)
    return Chunk(
        position=position,
        start=segment.start + piece.start,
        end=segment.start + piece.end,
        text=segment.text[piece.start : piece.end],
        page=page.number if page else None,
        place=page.label if page else "",
        heading=section.heading,
        context=piece.whole_context,
    )


@dataclass(frozen=True, slots=True)
class Split:
    """The chunks of a document, made again on each iteration."""

    chunker: Chunker
    document: SegmentedDocument

    def __iter__(self) -> Iterator[Chunk]:
        return self.chunker.split(self.document)
