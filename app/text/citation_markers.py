"""Markers: the [n] in an answer that name its footnotes. Pure."""

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
    """Lets an answer's stream through, but of its markers only those that name a passage, numbered as they come.

    A marker never leaves in halves; one that names no passage vanishes with the white space before it. Code is left
    as it is. However the stream is cut, each of its characters is looked at once.

    Args:
        passages: how many there are; markers from 1 to that are valid.
    """

    def __init__(self, passages: int) -> None:
        self._passages = passages
        self._out: list[str] = []
        self._space: list[str] = []  # white space that a marker may yet take with it
        self._ticks = 0  # backticks at the end of what came: there may be more
        self._maybe = ""  # what may be the first half of a marker
        self._last = ""  # the character before that
        self._fence = 0  # how many backticks have begun the code that this is in
        self.numbers: dict[int, int] = {}
        """Passage -> number of its footnote, in order of first use."""

    def feed(self, text: str) -> str:
        """Takes the next piece; returns what of all so far is certain."""
        return self._drain(text, final=False)

    def end(self) -> str:
        """The stream is over: returns the rest, without white space at its end."""
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
        """Lets words through; white space behind them waits for what follows, but in code."""
        kept = words if self._fence else words.rstrip()
        if kept:
            self._out += [*self._space, kept]
            self._space = []
        if len(kept) < len(words):
            self._space.append(words[len(kept) :])
        self._last = words[-1:] or self._last

    def _end_backticks(self) -> None:
        """Enters code, or leaves it where the run of backticks is as long as the one that began it."""
        if ticks := self._ticks:
            self._ticks = 0
            self._pass("`" * ticks)
            self._fence = 0 if self._fence == ticks else self._fence or ticks

    def _bracket(self, text: str, at: int, *, final: bool) -> int:
        """Passes a marker, renumbered, or the bracket itself; returns where that ends. It may have to wait for more."""
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
    """The numbers that a match of MARKER names; "[2-4]" names three."""
    found: list[int] = []
    for numbers in NUMBERS.finditer(marker.group(1) or marker.group(2)):
        low, high = int(numbers[1]), int(numbers[2] or numbers[1])
        found.extend(range(low, min(high, low + MOST_RANGE) + 1))
    return found


def without_markers(text: str) -> str:
    """Text without its markers and the white space before them."""
    return replace_markers(text, lambda _marker: "", before=True)


def replace_markers(text: str, replace: Callable[[re.Match[str]], str], *, before: bool = False) -> str:
    """Text with something else in place of its markers; `before`: and of the white space before them."""
    parts, at = [], 0
    for marker in MARKER.finditer(text):
        piece = text[at : marker.start()]
        parts += [piece.rstrip() if before else piece, replace(marker)]
        at = marker.end()
    return "".join([*parts, text[at:]])


def code_spans(text: str) -> Iterator[tuple[int, int]]:
    """Spans [start, end) of code in a text: from some backticks to the next ones of the same number."""
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
