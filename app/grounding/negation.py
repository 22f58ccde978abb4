"""Detects negated words and antonym pairs. Pure."""

from __future__ import annotations

from collections.abc import Sequence

from app.text import Language, Token

# Number of content words that a negation applies to.
REACH = 3
# Letters that must remain after removing a prefix, so that "ink" is not read as "in" + "k".
LEAST_STEM = 4


def denials(text: str, words: Sequence[Token], spoken: Language) -> tuple[tuple[str, ...], ...]:
    """Returns, for each negation, the terms it applies to: open and monday for "it does not open on Mondays".

    If a negation can end its clause, as in "es öffnet nicht", it applies to the words before it, nearest first.
    """
    found = []
    for cue in spoken.cue.finditer(text):
        if spoken.not_cue.match(text, cue.end()):
            continue
        reach = 1 if cue.group().casefold() in spoken.narrow else REACH
        stop = spoken.ends.search(text, cue.end())
        limit = stop.start() if stop else len(text)
        denied = [word.term for word in words if word.says and cue.end() <= word.start < limit]
        if not denied and spoken.both_ways:
            start = max((end.end() for end in spoken.ends.finditer(text, 0, cue.start())), default=0)
            denied = [word.term for word in words if word.says and start <= word.start < cue.start()][::-1]
        found.append(tuple(denied[:reach]))
    return tuple(found)


def opposite(one: str, other: str, spoken: Language) -> bool:
    """Returns True if two stems of a language are antonyms."""
    longer, shorter = sorted((one, other), key=len, reverse=True)
    prefixed = len(shorter) >= LEAST_STEM and longer in {f"{prefix}{shorter}" for prefix in spoken.prefixes}
    if prefixed and longer not in spoken.not_prefixed:
        return True
    return other in spoken.opposites.get(one, ())
