"""Extracts the content words and numbers of a text. Pure."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from app.text.language_data import language_data_of
from app.text.stemming import stem
from ingest.text import (
    COMMON_WORDS,
    ENGLISH,
    SPACELESS,
    SPACELESS_RUN,
    asked_in,
    language_of,
    word_pieces,
)

TOKEN = re.compile(rf"\d[\d,]*(?:\.\d+)?|[{SPACELESS}]|[^\W\d_{SPACELESS}][^\W{SPACELESS}]*(?:['\u2019][^\W\d_]+)?")


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
        if language == ENGLISH and (digits := number_words().get(word)):
            found.add(digits)
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


@lru_cache
def number_words() -> dict[str, str]:
    """The English words for two to twelve with their digits; "one" is a pronoun as well."""
    numbers = language_data_of(ENGLISH).numbers
    return {word: str(n) for word, n in numbers.items() if 2 <= n <= 12}  # noqa: PLR2004 - said above
