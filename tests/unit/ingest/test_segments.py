"""Tests segments: small, along the document's structure, and complete."""

from __future__ import annotations

import random

from hypothesis import given
from hypothesis import strategies as st
from tests_support import WordTokenizer

from ingest.chunking import Chunker
from ingest.loaders.document_builder import Builder
from ingest.loaders.output_limits import size_of
from ingest.models import Block, Document, Page
from ingest.segments import SegmentedDocument, SegmentSize, cut
from ingest.word_boxes import boxes, divided, joined, pack, unpack

SMALL, FEW = 100, 12
# Small segments, for readable tests.
MOST = SegmentSize(SMALL, FEW)


def made(seed: int) -> Document:
    """A document of blocks and gaps of all sizes, some on pages, its words with places."""
    chance = random.Random(seed)
    text, blocks, pages, words = "", list[Block](), list[Page](), list[float]()
    page_start = page = 0
    for _ in range(chance.randint(0, 40)):
        kind = chance.choice(["page", "gap", "heading", "paragraph", "paragraph", "table"])
        if kind == "page":
            if page:
                pages.append(Page(page, page_start, len(text), "x" * chance.randint(0, 300)))
            page, page_start = page + 1, len(text)
        elif kind == "gap":
            text += chance.choice(["\n", " " * 250, "\n" * 120])
        else:
            start = len(text)
            text += "".join(chance.choice("abc d\n") for _ in range(chance.choice([0, 3, 20, 20, 90, 400])))
            words += [x for at in range(start, len(text), 9) for x in (at, at, max(page, 1), 0.1, 0.2, 0.3, 0.4)]
            level, title = (2, "t" * chance.choice([1, 300])) if kind == "heading" else (0, "")
            blocks.append(Block(kind, start, len(text), level, title))
            text += "\n\n"
    if page:
        pages.append(Page(page, page_start, len(text)))
    return Document(text, "T", tuple(blocks), tuple(pages), ("w",), pack(words))


@given(st.integers())
def test_segments_are_small_and_make_the_whole_again(seed):
    document = made(seed)
    found = list(cut(document, MOST))
    for segment in found:
        pieces = [*segment.blocks, *segment.pages]
        assert len(segment.text) <= SMALL
        assert len(pieces) <= FEW + 3
        assert all(0 <= piece.start <= piece.end <= len(segment.text) for piece in pieces)
        boxes(segment.places, 0, len(segment.text))
    segmented = SegmentedDocument.of(document, MOST)
    assert segmented.whole() == document
    assert segmented.tally.size == size_of(document)
    assert segmented.tally.characters == len(document.text)
    assert segmented.tally.pages == (len(document.pages) or None)


def test_a_document_is_cut_before_headings_and_pages_where_they_come_in_time():
    builder = Builder()
    for i in range(12):
        if i == 7:
            builder.begin_page()
        builder.add_heading(1, f"Part {i}")
        builder.add("paragraph", "words " * 5)
    document = builder.build()
    starts = {page.start for page in document.pages} | {b.start for b in document.blocks if b.kind == "heading"}
    found = list(cut(document, MOST))
    assert len(found) > 3
    assert all(segment.start in starts for segment in found)
    assert all(len(segment.text) >= SMALL / 2 for segment in found[:-1])


def test_a_block_without_end_is_cut_between_lines_then_words_then_anywhere():
    for text in ("a line\n" * 60, "words " * 70, "x" * 420):
        found = list(cut(Document(text, "", (Block("code", 0, len(text)),)), MOST))
        assert [segment.continues for segment in found] == [False] + [True] * (len(found) - 1)
        assert "".join(segment.text for segment in found) == text
        assert all(len(segment.text) in range(SMALL // 2, SMALL + 1) for segment in found[:-1])
        if "x" not in text:
            assert all(s.text[-1].isspace() or s.text[0].isspace() for s in found[1:-1])


def test_the_words_of_stretches_are_those_of_the_text():
    words = pack([x for at in range(0, 900, 10) for x in (at, at + 8, 1 + at // 300, 0.1, 0.2, 0.3, 0.4)])
    ends = [95, 95, 400, 900]
    stretches = list(divided(words, ends))
    assert stretches[1] == b""
    assert joined(zip([0, *ends], stretches, strict=False)) == pack(unpack_clipped(words, 90, 95))
    assert [box.page for box in boxes(stretches[2], 0, 305)] == [box.page for box in boxes(words, 95, 400)]


def unpack_clipped(words: bytes, start: int, end: int):
    """The rows, the word at `start` cut off at `end`, where its stretch ends."""
    rows = unpack(words)
    rows[rows[:, 0] == start, 1] = end
    return rows


def test_chunks_of_a_document_in_segments_have_its_offsets_headings_pages_and_table_headers():
    builder = Builder()
    builder.begin_page("page one")
    builder.add_heading(1, "Prices")
    builder.add_table([["Name", "Amount"], *[[f"row {i}", str(i)] for i in range(40)]])
    builder.begin_page("page two")
    builder.add("paragraph", "Words after the table. " * 30)
    document = builder.build("List")
    segmented = SegmentedDocument.of(document, MOST)
    chunks = list(Chunker(WordTokenizer(), 64).split(segmented))
    assert [chunk.position for chunk in chunks] == list(range(len(chunks)))
    assert all(document.text[chunk.start : chunk.end] == chunk.text for chunk in chunks)
    assert {chunk.heading for chunk in chunks} == {("Prices",)}
    rows = [chunk for chunk in chunks if "| row" in chunk.text]
    assert len([segment for segment in segmented.segments if segment.continues]) > 3
    assert all("| Name | Amount |" in chunk.embedded_text for chunk in rows)
    assert {chunk.place for chunk in rows} == {"page one"}
    assert {chunk.place for chunk in chunks if "after" in chunk.text} == {"page two"}
    covered = "".join(document.text[chunk.start : chunk.end] for chunk in chunks)
    assert "".join(covered.split()) == "".join(document.text.split())
