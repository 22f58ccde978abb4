"""Chunks: every word in one, none longer than the embedder reads, offsets exact."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests_support import WordTokenizer, chunks_of

from ingest.chunking.chunker import ENOUGH_TOKENS, Chunker
from ingest.loaders import load
from ingest.loaders.document_builder import Builder, markdown_table
from ingest.models import Chunk, IndexedChunk, StoredChunk

pieces = st.lists(
    st.tuples(
        st.sampled_from(["heading", "paragraph", "list", "table", "code"]),
        st.text(alphabet="ab cd.\n|-é漢", min_size=1, max_size=400),
        st.integers(1, 4),
    ),
    max_size=12,
)


def build(parts):
    builder = Builder()
    for kind, text, level in parts:
        if kind == "heading":
            builder.add_heading(level, text)
        else:
            builder.add(kind, text)
    return builder.build("A title")


@settings(deadline=None, max_examples=60)
@given(pieces, st.integers(16, 64))
def test_every_word_is_in_a_chunk_and_no_chunk_is_too_long(parts, limit):
    document, tokenizer = build(parts), WordTokenizer()
    chunks = chunks_of(Chunker(tokenizer, limit), document)
    covered = [False] * len(document.text)
    for position, chunk in enumerate(chunks):
        assert chunk.position == position
        assert document.text[chunk.start : chunk.end] == chunk.text
        assert tokenizer.count_tokens(chunk.embedded_text) <= limit
        covered[chunk.start : chunk.end] = [True] * (chunk.end - chunk.start)
    headings = {i for b in document.blocks if b.kind == "heading" for i in range(b.start, b.end)}
    lost = [c for i, c in enumerate(document.text) if not covered[i] and not c.isspace() and i not in headings]
    assert not lost


def test_a_chunk_knows_its_headings_and_page(write):
    path = write("a.md", "# Top\n\nIntro words.\n\n## Inner\n\nInner words.\n\n# Next\n\nLast words.")
    chunks = chunks_of(Chunker(WordTokenizer(), 64), load(path))
    found = {chunk.text.split("\n")[-1]: chunk.heading for chunk in chunks}
    assert found["Inner words."] == ("Top", "Inner")
    assert found["Last words."] == ("Next",)


class LongReader(WordTokenizer):
    max_tokens = 512


def test_short_blocks_share_a_chunk_and_a_long_one_has_its_own():
    builder = Builder()
    for text in ("short one " * 10, "short two " * 10, "long three " * ENOUGH_TOKENS, "four " * 10):
        builder.add("paragraph", text)
    chunks = chunks_of(Chunker(LongReader(), 512), builder.build())
    lasts = [[line.split()[-1] for line in chunk.text.split("\n\n")] for chunk in chunks]
    assert lasts == [["one", "two", "three"], ["four"]]


def test_a_heading_of_any_length_is_in_the_chunk_of_its_section():
    builder = Builder()
    builder.add_heading(1, "words " * ENOUGH_TOKENS)
    builder.add("paragraph", "What follows.")
    (chunk,) = chunks_of(Chunker(LongReader(), 512), builder.build())
    assert chunk.text.endswith("What follows.")


def test_the_title_and_headings_are_embedded_with_the_text():
    builder = Builder()
    builder.add_heading(1, "Limits")
    builder.add("paragraph", "It is 140 euros.")
    (chunk,) = chunks_of(Chunker(WordTokenizer(), 64), builder.build("Handbook"))
    assert "Handbook" in chunk.embedded_text
    assert "Limits" in chunk.embedded_text
    assert chunk.embedded_text.endswith("It is 140 euros.")


def test_a_long_table_repeats_its_header_for_every_part():
    builder = Builder()
    builder.add("table", markdown_table([["Name", "Amount"], *[[f"row {i}", str(i)] for i in range(40)]]))
    chunks = chunks_of(Chunker(WordTokenizer(), 64), builder.build())
    assert len(chunks) > 3
    assert all("| Name | Amount |" in chunk.embedded_text for chunk in chunks)


@pytest.mark.parametrize("title", ["", "Plants", "| an odd title |"])
def test_the_header_of_rows_is_known_where_it_lies_in_an_earlier_chunk(title):
    builder = Builder()
    builder.add("table", markdown_table([["Name", "Amount"], *[[f"row {i}", str(i)] for i in range(40)]]))
    first, *others = chunks_of(Chunker(WordTokenizer(), 64), replace(builder.build(), title=title))

    def header(chunk: Chunk) -> str:
        stored = StoredChunk("c", "v", "d", "/a.csv", title, 0, chunk.start, chunk.end, chunk.text, None, chunk.heading)
        return IndexedChunk(stored, chunk.context, b"").table_header

    assert header(first) == ""
    assert {header(one) for one in others} == {"| Name | Amount |"}


@pytest.mark.parametrize("word", ["x" * 5000, "漢" * 500])
def test_a_word_longer_than_any_chunk_is_still_whole_in_the_index(word):
    builder = Builder()
    builder.add("paragraph", word)

    class Letters(WordTokenizer):
        def count_tokens(self, text):
            return len(text) + 2

        def token_spans(self, text):
            return [(i, i + 1) for i in range(len(text))]

    chunks = chunks_of(Chunker(Letters(), 64), builder.build())
    assert "".join(chunk.text for chunk in chunks) == word
    assert all(Letters().count_tokens(chunk.embedded_text) <= 64 for chunk in chunks)
