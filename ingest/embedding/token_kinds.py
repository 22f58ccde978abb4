"""Tells the tokens of content from stop words, punctuation and special tokens."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from ingest.text import STOP_WORDS

if TYPE_CHECKING:
    from tokenizers import Tokenizer

# Prefixes by which tokenizers mark the start of a word: SentencePiece's, and byte-level BPE's.
WORD_STARTS = "\u2581\u0120"


class TokenKinds:
    """The kinds of the tokens in a tokenizer's vocabulary."""

    def __init__(self, tokenizer: Tokenizer) -> None:
        vocabulary = tokenizer.get_vocab()
        size = max(vocabulary.values(), default=0) + 1
        self._special, self._content = np.zeros(size, dtype=np.bool_), np.zeros(size, dtype=np.bool_)
        for number, added in tokenizer.get_added_tokens_decoder().items():
            self._special[number] = added.special
        for token, number in vocabulary.items():
            word = token.lstrip(WORD_STARTS).lower()
            said = word not in STOP_WORDS and any(c.isalnum() for c in word)
            self._content[number] = said and not self._special[number]

    def of(self, ids: NDArray[np.int64]) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
        """Marks the tokens of content and the others, without special tokens; if only one kind is there, it is content.

        Args:
            ids: int64 [tokens], the numbers of the tokens in the vocabulary.

        Returns:
            Two arrays of bool [tokens].
        """
        content, plain = self._content[ids], ~self._special[ids]
        plain = plain if plain.any() else ~plain
        return (content, plain & ~content) if content.any() else (plain, np.zeros_like(plain))
