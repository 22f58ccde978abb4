"""Detects the language of a sentence and of its source by their common words. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

from app.text.language_data import LANGUAGES, OTHER, RUSSIAN, common_words
from ingest.text import ENGLISH

# Single letters may be initials.
WORD = re.compile(r"[^\W\d_]{2,}")
MOST_CHARACTERS = 3_000
# Different common words that are enough to identify the language of a sentence.
LEAST_WORDS = 2
# A text with this many words and no common word is in an unknown language.
MANY_WORDS = 12
# Letters of the languages with data: Latin, and Cyrillic except the letters that Russian lacks.
LATIN = re.compile("[a-z\u00c0-\u024f]", re.IGNORECASE)
CYRILLIC = re.compile("[\u0400-\u052f]")
NOT_RUSSIAN = re.compile("[\u0452-\u045f\u0491]")


def claim_languages(claim: str, sources: Sequence[str]) -> tuple[str, str]:
    """Returns the languages of a sentence and of its sources, each one of `LANGUAGES` or `OTHER`.

    If one is unclear, it is taken from the other; if both are, from both texts together.
    """
    source = "\n".join(sources)[:MOST_CHARACTERS]
    theirs = detect_language(source)
    own = detect_language(claim) or _other_than(theirs, claim)
    both = own or theirs or detect_language(f"{claim}\n{source}", least=1)
    if not both:
        both = OTHER if len(WORD.findall(source)) >= MANY_WORDS else ENGLISH
    return own or both, theirs or both


def _other_than(name: str, text: str) -> str:
    """Returns the language with most common words in a text, if it has none of the named one; otherwise ""."""
    counts = _counts(text)
    if not name or counts.get(name) or not any(counts.values()):
        return ""
    best = max(counts, key=lambda one: counts[one])
    return best if best in LANGUAGES else OTHER


@lru_cache(maxsize=4_000)
def detect_language(text: str, least: int = LEAST_WORDS) -> str:
    """Returns the language of a text: one of `LANGUAGES`, `OTHER` for any without data, "" if unclear.

    Args:
        text: the text; only its first `MOST_CHARACTERS` are read.
        least: different common words that a language needs, and more than any other language has.
    """
    letters = "".join(WORD.findall(text[:MOST_CHARACTERS].lower()))
    if not letters:
        return ""
    is_cyrillic = len(CYRILLIC.findall(letters)) > len(letters) / 2
    if NOT_RUSSIAN.search(letters) or not (is_cyrillic or len(LATIN.findall(letters)) > len(letters) / 2):
        return OTHER
    counts = _counts(text)
    best = max(LANGUAGES, key=lambda name: counts[name])
    if max(counts.values()) > counts[best] and max(counts.values()) >= LEAST_WORDS:
        return OTHER
    is_clear = counts[best] >= least and sum(counts[name] == counts[best] for name in LANGUAGES) == 1
    return best if is_clear else RUSSIAN if is_cyrillic else ""


def _counts(text: str) -> dict[str, int]:
    """Counts the different common words of each language in a text."""
    there = set(WORD.findall(text[:MOST_CHARACTERS].lower()))
    return {name: len(there & common) for name, common in common_words().items()}
