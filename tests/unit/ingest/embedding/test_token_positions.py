"""Positions of tokens: the same as the tokenizer's own, whichever way they are found."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tokenizers import AddedToken, Tokenizer, models, normalizers, pre_tokenizers

from ingest.embedding import token_positions
from ingest.embedding.token_positions import TokenPositions

PIECES = ["[UNK]", *"abcdefgh12.,!-_()é漢", *(f"##{letter}" for letter in "abcdefgh12é"), "ab", "##cd", "head"]
# Where a word ends for BERT and where it does not: white space and control characters, marks, special tokens.
PARTS = st.sampled_from(
    [
        *"abcd12.,!-_()é漢 \t\n\r\x0b\x0c\x1c\x85\u00a0\u2028\u200b\u0301\x00",
        "head",
        "[UNK]",
        "[MASK]",
        "ABCD",
        "x" * 120,
    ]
)


def tokenizer(pre: pre_tokenizers.PreTokenizer, *, lowercase: bool = True) -> Tokenizer:
    made = Tokenizer(models.WordPiece({piece: i for i, piece in enumerate(PIECES)}, unk_token="[UNK]"))
    made.normalizer = normalizers.BertNormalizer(lowercase=lowercase)
    made.pre_tokenizer = pre
    made.add_special_tokens([AddedToken("[UNK]"), AddedToken("[MASK]", lstrip=True)])
    return made


TOKENIZERS = {
    "without case": tokenizer(pre_tokenizers.BertPreTokenizer()),
    "with case": tokenizer(pre_tokenizers.BertPreTokenizer(), lowercase=False),
    "not by word": tokenizer(pre_tokenizers.Metaspace()),
}


@pytest.mark.parametrize("name", TOKENIZERS)
@given(st.lists(PARTS, max_size=30).map("".join) | st.text(max_size=40))
def test_tokens_are_where_the_tokenizer_finds_them(name, text):
    positions = TokenPositions(TOKENIZERS[name])
    expected = TOKENIZERS[name].encode(text, add_special_tokens=False).offsets
    assert positions.spans(text) == expected
    assert positions.count(text) == len(expected)


def test_words_are_tokenized_once_and_only_some_are_remembered():
    positions = TokenPositions(TOKENIZERS["without case"])
    for at in range(token_positions.REMEMBERED + 10):
        assert positions.count(f"a{at}") > 0
    remembered = positions._words
    assert 0 < len(remembered) <= 10
    long = "a" * (token_positions.LONGEST + 1)
    assert positions.count(long) == len(TOKENIZERS["without case"].encode(long).ids)
    assert long not in remembered
