"""Chunking of long texts: one window at a time, in bounded memory."""

from __future__ import annotations

import tracemalloc

import pytest
from tests_support import WordTokenizer, chunks_of

from ingest.chunking import Chunker
from ingest.chunking.sections import MOST_TITLE_CHARACTERS
from ingest.chunking.token_counter import CHARACTERS_PER_TOKEN, WINDOW_CHARACTERS
from ingest.loaders.document_builder import Builder
from ingest.models import Block, Document, Page, page_at
from ingest.segments import SegmentedDocument


class Spy(WordTokenizer):
    """Remembers the longest text that it was given."""

    longest = 0

    def count_tokens(self, text):
        self.longest = max(self.longest, len(text))
        return super().count_tokens(text)

    def token_spans(self, text):
        self.longest = max(self.longest, len(text))
        return super().token_spans(text)


SHAPES = {
    "words": ("paragraph", "some words of no end "),
    "letters": ("paragraph", "abcdefgh"),
    "sentences": ("paragraph", "A sentence is here. "),
    "lines": ("code", "a line;\n"),
    "table": ("table", "| a | b |\n"),
    "items": ("list", "- an item\n"),
}


@pytest.mark.slow
@pytest.mark.parametrize("shape", SHAPES)
def test_one_endless_block_is_tokenized_window_by_window_and_in_the_same_memory(shape):
    kind, words = SHAPES[shape]
    peaks = []
    for size in (150_000, 600_000):
        text = words * (size // len(words))
        document, tokenizer = Document(text, "t", (Block(kind, 0, len(text)),)), Spy()
        tracemalloc.start()
        n = sum(1 for _ in Chunker(tokenizer, 64).split(SegmentedDocument.of(document)))
        peaks.append(tracemalloc.get_traced_memory()[1])
        tracemalloc.stop()
        assert n > size // (64 * CHARACTERS_PER_TOKEN) - 1
        assert tokenizer.longest <= WINDOW_CHARACTERS
    assert peaks[1] < 1.2 * peaks[0] + 100_000


def test_a_long_heading_is_not_repeated_whole_with_every_chunk():
    builder = Builder()
    builder.add_heading(1, "x" * 20_000)
    builder.add_heading(2, "many words " * 2_000)
    for i in range(200):
        builder.add_heading(3, f"part {i}")
        builder.add("paragraph", "words")
    chunks = chunks_of(Chunker(WordTokenizer(), 64), builder.build("y" * 300))
    assert len(chunks) >= 200
    assert max(len(title) for chunk in chunks for title in chunk.heading) <= MOST_TITLE_CHARACTERS
    assert max(len(chunk.context) for chunk in chunks) <= 64 * CHARACTERS_PER_TOKEN


def test_a_header_of_long_words_is_not_repeated_with_every_part_of_its_table():
    rows = [["h" * 50_000, "name"], *([f"row {i}", str(i)] for i in range(300))]
    builder = Builder()
    builder.add_table(rows)
    assert (
        max(len(c.context) for c in chunks_of(Chunker(WordTokenizer(), 64), builder.build()))
        <= 64 * CHARACTERS_PER_TOKEN
    )


class Counted(tuple):
    """Pages that count how often one is looked at."""

    __slots__ = ()
    looks = 0

    def __getitem__(self, at):
        Counted.looks += 1
        return super().__getitem__(at)

    def __iter__(self):
        raise AssertionError("all pages are gone through for one offset")


def test_a_page_is_found_among_many_without_going_through_them():
    pages = Counted(Page(n, 10 * n, 10 * n + 9) for n in range(1, 20_001))
    assert page_at(pages, 123_456).number == 12_345
    assert Counted.looks < 40
