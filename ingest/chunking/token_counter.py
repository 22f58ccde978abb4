"""Counts the tokens of spans of a text, tokenizing it a window at a time."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right
from collections import OrderedDict
from typing import Protocol

# Most characters per token. BERT maps a word of over 100 characters to one unknown token, which loses its letters, so
# text without spaces counts as at least one token per this many characters.
CHARACTERS_PER_TOKEN = 16
# Characters per tokenized window, and the number of windows cached.
WINDOW_CHARACTERS = 64 * 1024
WINDOWS = 4


class Tokenizer(Protocol):
    """The tokenizer interface that chunking requires."""

    @property
    def max_tokens(self) -> int:
        """Most tokens that a text may have, special tokens included."""

    def count_tokens(self, text: str) -> int:
        """Counts the tokens of `text`, special tokens included."""

    def token_spans(self, text: str) -> list[tuple[int, int]]:
        """Returns the character offsets of the tokens of `text`, without special tokens."""


class TokenCounter:
    """Counts tokens between any two offsets of one text, tokenizing it a window at a time.

    Args:
        tokenizer: the embedder's tokenizer.
        text: the text.
        limit: largest chunk in tokens; for spans that certainly exceed it, the count only tells that they do.
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

    def is_apart(self, start: int, end: int) -> bool:
        """Returns True if [start, end) begins and ends at white space or an end of the text: it splits no token."""
        return (start == 0 or self.text[start - 1].isspace()) and (end >= len(self.text) or self.text[end].isspace())

    def _edge(self, start: int) -> int:
        """Returns the end of the window that begins at `start`: before white space, so that no token is split."""
        end = start + WINDOW_CHARACTERS
        if end >= len(self.text):
            return len(self.text)
        return next((at for at in range(end, start + WINDOW_CHARACTERS // 2, -1) if self.text[at].isspace()), end)

    def _starts(self, number: int) -> array[int]:
        """Returns the offsets in the text where the tokens of a window begin."""
        if number not in self._windows:
            first, last = self._edges[number], self._edges[number + 1]
            spans = self._tokenizer.token_spans(self.text[first:last])
            self._windows[number] = array("q", [first + start for start, _ in spans])
        self._windows.move_to_end(number)
        while len(self._windows) > WINDOWS:
            self._windows.popitem(last=False)
        return self._windows[number]
