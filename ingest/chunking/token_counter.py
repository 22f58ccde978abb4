"""Counts the tokens of spans of a text, of which a window at a time is tokenized."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from typing import Protocol

# Characters a token can stand for at most. BERT reads a word of over 100 characters as one unknown token: its
# letters are lost to the model, so text without spaces counts as at least one token per this many characters.
CHARACTERS_PER_TOKEN = 16
# Characters that are tokenized together, and how many such windows are remembered.
WINDOW_CHARACTERS = 64 * 1024
WINDOWS = 4


class Tokenizer(Protocol):
    """What chunking needs of an embedder."""

    @property
    def max_tokens(self) -> int:
        """Most tokens a text may have, special tokens included."""

    def count_tokens(self, text: str) -> int:
        """Tokens of `text`, special tokens included."""

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Character offsets of the tokens of `text`, without special tokens."""


class TokenCounter:
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
        """Counts the tokens that begin in [start, end)."""
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
