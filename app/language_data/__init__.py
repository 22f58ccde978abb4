"""What is known of each language: one TOML file a language, by the names that ingest/languages.py has. Pure."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import Any

LANGUAGES = ("english", "german", "french", "spanish", "italian", "portuguese", "dutch", "russian")
# Abbreviations of further languages, for texts whose language is not told.
OTHER = "other"


@dataclass(frozen=True, slots=True)
class SentenceRules:
    """What tells a dot that ends a sentence from one that abbreviates. Abbreviations are casefolded, with no last dot.

    `never` end a sentence (those of `never_endings` are ends of words), `sometimes` do before a word of `starters`;
    those of `before_numbers` end one unless a number follows. A dot makes a number an ordinal before words of
    `ordinals_before`, and where `ordinals` holds, before any word but starters.
    """

    never: frozenset[str]
    never_endings: tuple[str, ...]
    before_numbers: frozenset[str]
    sometimes: frozenset[str]
    starters: frozenset[str]
    ordinals: bool
    ordinals_before: frozenset[str]


@lru_cache
def sentence_rules(language: str) -> SentenceRules:
    """The rules of a language of `LANGUAGES`; of all together for any other, as "" is."""
    read = [_data(name)["sentences"] for name in ([language] if language in LANGUAGES else [*LANGUAGES, OTHER])]
    never = _words(read, "never")
    return SentenceRules(
        never=frozenset(word for word in never if not word.startswith("*")),
        never_endings=tuple(sorted(word[1:] for word in never if word.startswith("*"))),
        before_numbers=_words(read, "before_numbers"),
        sometimes=_words(read, "sometimes"),
        starters=_words(read, "starters"),
        ordinals=all(one["ordinals"] for one in read),
        ordinals_before=_words(read, "ordinals_before"),
    )


def _words(read: Collection[dict[str, Any]], key: str) -> frozenset[str]:
    return frozenset(word for one in read for word in one[key].split())


@lru_cache
def _data(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))
