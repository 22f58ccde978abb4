"""Citation markers: the [n] in an answer that refer to its footnotes. Pure."""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Callable, Iterator

MARKER = re.compile(r"(?<!\\)(?:\[(\d{1,3}(?:\s*[,;\u2013-]\s*\d{1,3})*)\]|\u3010(\d{1,3})[^\u3011\n]{0,40}\u3011)")
MAYBE_MARKER = re.compile(r"(?:\[[\d\s,;\u2013-]{0,40}|\u3010(?:\d{1,3}[^\u3011\n]{0,40})?)\Z")
NUMBERS = re.compile(r"(\d++)(?:\s*+[\u2013-]\s*+(\d++))?")
BACKTICKS = re.compile(r"`++")
SPECIAL = re.compile(r"[`\[\u3010]")
MOST_RANGE = 20


class MarkerFilter:
    """Filters an answer's stream: keeps only markers that name a passage, and renumbers them in order of first use.

    A marker is never split; one that names no passage is removed with the white space before it. Code is unchanged.
    However the stream is split into pieces, each character is processed once.

    Args:
        passages: the number of passages; markers from 1 to that are valid.
    """

    def __init__(self, passages: int) -> None:
        self._passages = passages
        self._out: list[str] = []
        self._space: list[str] = []  # white space that a removed marker would take with it
        self._ticks = 0  # backticks at the end of the input so far: more may follow
        self._maybe = ""  # the possible start of a marker
        self._last = ""  # the character before it
        self._fence = 0  # length of the backtick run that opened the current code
        self.numbers: dict[int, int] = {}
        """Passage -> number of its footnote, in order of first use."""

    def feed(self, text: str) -> str:
        """Adds the next piece; returns the text that is now certain."""
        return self._drain(text, final=False)

    def end(self) -> str:
        """Ends the stream; returns the remaining text without trailing white space."""
        rest = self._drain("", final=True)
        self._end_backticks()
        return (rest + self._taken()).rstrip()

    def _drain(self, text: str, *, final: bool) -> str:
        text, self._maybe = self._maybe + text, ""
        at = 0
        while at < len(text):
            if run := BACKTICKS.match(text, at):
                self._ticks += len(run[0])
                at = run.end()
                continue
            self._end_backticks()
            special = (BACKTICKS if self._fence else SPECIAL).search(text, at)
            words, at = text[at : special.start() if special else None], special.start() if special else len(text)
            self._pass(words)
            if special and special[0][0] != "`":
                at = self._bracket(text, at, final=final)
        return self._taken()

    def _taken(self) -> str:
        out, self._out = self._out, []
        return "".join(out)

    def _pass(self, words: str) -> None:
        """Outputs text; white space at its end waits for the next piece, except in code."""
        kept = words if self._fence else words.rstrip()
        if kept:
            self._out += [*self._space, kept]
            self._space = []
        if len(kept) < len(words):
            self._space.append(words[len(kept) :])
        self._last = words[-1:] or self._last

    def _end_backticks(self) -> None:
        """Enters code, or leaves it if the run of backticks is as long as the opening one."""
        if ticks := self._ticks:
            self._ticks = 0
            self._pass("`" * ticks)
            self._fence = 0 if self._fence == ticks else self._fence or ticks

    def _bracket(self, text: str, at: int, *, final: bool) -> int:
        """Outputs a renumbered marker, or the bracket itself; returns the end position. May wait for more input."""
        marker = None if self._last == "\\" else MARKER.match(text, at)
        if marker is None:
            if not final and MAYBE_MARKER.match(text, at):
                self._maybe = text[at:]
                return len(text)
            self._pass(text[at])
            return at + 1
        valid = [n for n in marker_numbers(marker) if 1 <= n <= self._passages]
        if not valid:
            self._space = []
        for n in valid:
            self.numbers.setdefault(n, len(self.numbers) + 1)
        self._pass("".join(f"[{self.numbers[n]}]" for n in dict.fromkeys(valid)))
        return marker.end()


def marker_numbers(marker: re.Match[str]) -> list[int]:
    """Returns the numbers in a match of MARKER; "[2-4]" has three."""
    found: list[int] = []
    for numbers in NUMBERS.finditer(marker.group(1) or marker.group(2)):
        low, high = int(numbers[1]), int(numbers[2] or numbers[1])
        found.extend(range(low, min(high, low + MOST_RANGE) + 1))
    return found


def without_markers(text: str) -> str:
    """Removes the markers from a text, with the white space before them."""
    return replace_markers(text, lambda _marker: "", before=True)


def replace_markers(text: str, replace: Callable[[re.Match[str]], str], *, before: bool = False) -> str:
    """Replaces the markers in a text; `before`: including the white space before them."""
    parts, at = [], 0
    for marker in MARKER.finditer(text):
        piece = text[at : marker.start()]
        parts += [piece.rstrip() if before else piece, replace(marker)]
        at = marker.end()
    return "".join([*parts, text[at:]])


def code_spans(text: str) -> Iterator[tuple[int, int]]:
    """Yields spans [start, end) of code in a text: from a run of backticks to the next run of the same length."""
    runs = [run.span() for run in BACKTICKS.finditer(text)]
    alike: dict[int, list[int]] = defaultdict(list)
    for i, (start, end) in enumerate(runs):
        alike[end - start].append(i)
    i = 0
    while i < len(runs):
        start, end = runs[i]
        same = alike[end - start]
        after = bisect_left(same, i + 1)
        if after < len(same):
            i = same[after]
            yield start, runs[i][1]
        i += 1
