"""Reduces words to their stems: snowball's, and for Arabic and Hebrew the light stems of the text index. Pure."""

from __future__ import annotations

import threading
from functools import lru_cache
from typing import Any

import snowballstemmer

from ingest.text import ENGLISH, LANGUAGE_OF_SCRIPT, light_stem

_own = threading.local()


@lru_cache(maxsize=50_000)
def stem(word: str, language: str = ENGLISH) -> str:
    """Returns the stem of a casefolded word of a language."""
    if language in LANGUAGE_OF_SCRIPT:
        return light_stem(word, language)
    found: str = _stemmer(language).stemWord(word)
    return found


def _stemmer(language: str) -> Any:
    """Returns this thread's stemmer: a stemmer holds the word that it works on."""
    if not hasattr(_own, "stemmers"):
        _own.stemmers = {}
    if language not in _own.stemmers:
        _own.stemmers[language] = snowballstemmer.stemmer(language)
    return _own.stemmers[language]
