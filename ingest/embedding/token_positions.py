"""Locates the tokens of texts, word by word where the tokenizer allows it, because words recur.

A tokenizer of the BERT family divides a text at white space and punctuation before anything else, so the tokens of a
word do not depend on its neighbours. Their cached positions gave those of 60 pages in a tenth of the tokenizer's time.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from itertools import accumulate
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Spans = tuple[tuple[int, int], ...]
# The classes of normalizers and pre-tokenizers that divide a text at these characters, whatever is around them.
NORMALIZERS, PRE_TOKENIZERS = ("BertNormalizer", "NoneType"), ("BertPreTokenizer",)
SPACE, PUNCTUATION = r" \t\n\r", r"!-/:-@\[-`{-~"
PIECE = re.compile(rf"[^{SPACE}{PUNCTUATION}]+|[{SPACE}]+|[{PUNCTUATION}]")
# Distinct words whose tokens are cached, and the characters of the longest one.
REMEMBERED, LONGEST = 32_768, 64


class _Words(dict[str, Spans]):
    """The tokens of words, found when a word is first looked up; begins again when it is full."""

    def __init__(self, encoded: Callable[[str], Spans]) -> None:
        super().__init__()
        self._encoded = encoded

    def __missing__(self, word: str) -> Spans:
        spans = self._encoded(word)
        if len(word) <= LONGEST:
            if len(self) >= REMEMBERED:
                self.clear()
            self[word] = spans
        return spans


class TokenPositions:
    """Locates and counts the tokens of texts exactly as a tokenizer does, without special tokens. Thread-safe.

    Args:
        tokenizer: neither truncates nor pads.
    """

    def __init__(self, tokenizer: Tokenizer) -> None:
        self._tokenizer = tokenizer
        added = tokenizer.get_added_tokens_decoder().values()
        kinds = type(tokenizer.normalizer).__name__, type(tokenizer.pre_tokenizer).__name__
        plain = not any(token.normalized for token in added)
        self._by_word = plain and kinds[0] in NORMALIZERS and kinds[1] in PRE_TOKENIZERS
        self._added = [token.content for token in added]  # such a name within a text is a token of its own
        self._words = _Words(self._encoded)

    def spans(self, text: str) -> list[tuple[int, int]]:
        """Returns the character offsets [start, end) of the tokens of `text`."""
        if not self._divides(text):
            return [*self._encoded(text)]
        pieces = PIECE.findall(text)
        starts = accumulate(map(len, pieces), initial=0)
        tokens = map(self._words.__getitem__, pieces)
        return [(at + first, at + last) for at, spans in zip(starts, tokens, strict=False) for first, last in spans]

    def count(self, text: str) -> int:
        """Counts the tokens of `text`."""
        if not self._divides(text):
            return len(self._encoded(text))
        return sum(map(len, map(self._words.__getitem__, PIECE.findall(text))))

    def _divides(self, text: str) -> bool:
        return self._by_word and not any(name in text for name in self._added)

    def _encoded(self, text: str) -> Spans:
        return tuple(self._tokenizer.encode(text, add_special_tokens=False).offsets)
