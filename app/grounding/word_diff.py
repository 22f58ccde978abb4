"""Finds the words that differ between two similarly worded sentences. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from app.text import Token

# Equal words required next to a difference, so that both places correspond, …
LEAST_EQUAL = 3
# … and how many of them must be content words.
LEAST_SAYING = 2
# A longer difference is a rewording, not a different value.
MOST_WORDS = 4


@dataclass(frozen=True, slots=True)
class WordDifference:
    """Differing words of two sentences; either side may be empty."""

    ours: tuple[Token, ...]
    theirs: tuple[Token, ...]


def differences(ours: Sequence[Token], theirs: Sequence[Token]) -> Iterator[WordDifference]:
    """Yields the places where two sentences differ in a few words between equal ones."""
    matcher = SequenceMatcher(None, [word.term for word in ours], [word.term for word in theirs], autojunk=False)
    steps = matcher.get_opcodes()
    for i, (step, a, b, c, d) in enumerate(steps):
        if step == "equal" or b - a > MOST_WORDS or d - c > MOST_WORDS:
            continue
        before = list(ours[steps[i - 1][1] : steps[i - 1][2]]) if i else []
        after = list(ours[steps[i + 1][1] : steps[i + 1][2]]) if i + 1 < len(steps) else []
        inside = (before or a == 0) and (after or b == len(ours))
        equal = before + after
        if inside and len(equal) >= LEAST_EQUAL and sum(word.says for word in equal) >= LEAST_SAYING:
            yield WordDifference(tuple(ours[a:b]), tuple(theirs[c:d]))
