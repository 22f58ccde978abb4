"""Extracts the content words and numbers of a text. Pure."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Any, Final

import snowballstemmer

from ingest.text import (
    COMMON_WORDS,
    ENGLISH,
    LANGUAGE_OF_SCRIPT,
    SPACELESS_RUN,
    asked_in,
    language_of,
    light_stem,
    word_pieces,
)

SPACELESS: Final = r"\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\uf900-\ufaff"
TOKEN = re.compile(rf"\d[\d,]*(?:\.\d+)?|[{SPACELESS}]|[^\W\d_{SPACELESS}][^\W{SPACELESS}]*(?:['\u2019][^\W\d_]+)?")
NUMBER_WORDS = {
    "two": "2",
    "three": "3",
    "four": "4",
    "five": "5",
    "six": "6",
    "seven": "7",
    "eight": "8",
    "nine": "9",
    "ten": "10",
    "eleven": "11",
    "twelve": "12",
}


def words_of(text: str) -> list[str]:
    """Returns words and numbers, as written; single characters for scripts without spaces."""
    return TOKEN.findall(unicodedata.normalize("NFKC", text))


def shared_language(question: str, *texts: str) -> str:
    """Returns the language for comparing a question with `texts`: the question's, or if unclear, that of `texts`."""
    return asked_in(question, COMMON_WORDS) or (language_of(" ".join(texts)) if texts else "") or ENGLISH


def content_terms(text: str, language: str = ENGLISH) -> set[str]:
    """Returns the stems of the content words, and the numbers in normal form.

    Args:
        text: a question, or a text compared with it.
        language: the language of the stems and stop words; compared texts must use the same one.
    """
    text = unicodedata.normalize("NFKC", text)
    common = COMMON_WORDS[language]
    found = set(word_pieces(text))
    for token in TOKEN.findall(SPACELESS_RUN.sub(" ", text)):
        if token[0].isdigit():
            found.add(number(token))
            continue
        word = token.casefold().replace("\u2019", "'").removesuffix("'s")
        if word in NUMBER_WORDS and language == ENGLISH:
            found.add(NUMBER_WORDS[word])
        elif word not in common:
            found.add(stem(word, language))
    return found


def numbers_in(text: str) -> set[str]:
    """Returns the numbers written in digits, in normal form: "1,234.50" and "1234.5" are equal."""
    return {number(token) for token in words_of(text) if token[0].isdigit()}


def number(written: str) -> str:
    """Returns a number in normal form: without separators and redundant zeros."""
    try:
        plain = format(Decimal(written.replace(",", "")).normalize(), "f")
    except InvalidOperation:
        return written
    return plain


@lru_cache(maxsize=50_000)
def stem(word: str, language: str = ENGLISH) -> str:
    """Returns the stem of a casefolded word of a language."""
    if language in LANGUAGE_OF_SCRIPT:
        return light_stem(word, language)
    found: str = _stemmer(language).stemWord(word)
    return found


@lru_cache
def _stemmer(language: str) -> Any:
    return snowballstemmer.stemmer(language)
