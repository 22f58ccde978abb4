"""Two sentences worded alike: what one of them has in place of the other's words. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher

from app.text import Token

# Words that must be equal next to a difference, so that the two places are one and the same, …
LEAST_EQUAL = 3
# … and how many of them must carry meaning.
LEAST_SAYING = 2
# A longer difference is another wording, not another value.
MOST_WORDS = 4


@dataclass(frozen=True, slots=True)
class Difference:
    """Words of one sentence, and those that the other has in their place; either may be none."""

    ours: tuple[Token, ...]
    theirs: tuple[Token, ...]


def differences(ours: Sequence[Token], theirs: Sequence[Token]) -> Iterator[Difference]:
    """Where two sentences differ in a few words between words that are equal."""
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
            yield Difference(tuple(ours[a:b]), tuple(theirs[c:d]))
