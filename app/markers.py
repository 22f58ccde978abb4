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
MOST_RANGE = 20


class MarkerFilter:
    """Lets an answer's stream through, but of its markers only those that name a passage, numbered as they come.

    A marker never leaves in halves; one that names no passage vanishes with the white space before it. Code is left
    as it is.

    Args:
        passages: how many there are; markers from 1 to that are valid.
    """

    def __init__(self, passages: int) -> None:
        self._passages = passages
        self._pending = ""
        self._fence = ""
        self.numbers: dict[int, int] = {}
        """Passage -> number of its footnote, in order of first use."""

    def feed(self, text: str) -> str:
        """Takes the next piece; returns what of all so far is certain."""
        self._pending += text
        return self._drain(final=False)

    def end(self) -> str:
        """The stream is over: returns the rest, without white space at its end."""
        return self._drain(final=True).rstrip()

    def _drain(self, *, final: bool) -> str:
        out = []
        while self._pending:
            at = re.search(r"`+" if self._fence else r"`+|[\[\u3010]", self._pending)
            if at is None:
                keep = len(self._pending) if self._fence else len(self._pending.rstrip())
                out.append(self._take(keep))
                break
            step = self._backticks(at, final=final) if at.group()[0] == "`" else self._bracket(at.start(), final=final)
            if step is None:
                out.append(self._take(at.start() if self._fence else len(self._pending[: at.start()].rstrip())))
                break
            out.append(step)
        if final:
            out.append(self._take(len(self._pending)))
        return "".join(out)

    def _take(self, n: int) -> str:
        taken, self._pending = self._pending[:n], self._pending[n:]
        return taken

    def _backticks(self, run: re.Match[str], *, final: bool) -> str | None:
        """Enters code, or leaves it where the run is as long as the one that began it. None: wait for more."""
        if run.end() == len(self._pending) and not final:
            return None
        if not self._fence:
            self._fence = run.group()
        elif self._fence == run.group():
            self._fence = ""
        return self._take(run.end())

    def _bracket(self, start: int, *, final: bool) -> str | None:
        """A marker, renumbered, or the bracket itself. None: wait for more."""
        marker = MARKER.match(self._pending, start)
        if marker is None:
            if not final and MAYBE_MARKER.match(self._pending, start):
                return None
            return self._take(start + 1)
        valid = [n for n in marked(marker) if 1 <= n <= self._passages]
        before = self._take(marker.end())[:start]
        if not valid:
            return before.rstrip()
        for n in valid:
            self.numbers.setdefault(n, len(self.numbers) + 1)
        return before + "".join(f"[{self.numbers[n]}]" for n in dict.fromkeys(valid))


def marked(marker: re.Match[str]) -> list[int]:
    """The numbers that a match of MARKER names; "[2-4]" names three."""
    found: list[int] = []
    for numbers in NUMBERS.finditer(marker.group(1) or marker.group(2)):
        low, high = int(numbers[1]), int(numbers[2] or numbers[1])
        found.extend(range(low, min(high, low + MOST_RANGE) + 1))
    return found


def unmarked(text: str) -> str:
    """Text without its markers and the white space before them."""
    return replaced(text, lambda _marker: "", before=True)


def replaced(text: str, replace: Callable[[re.Match[str]], str], *, before: bool = False) -> str:
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
