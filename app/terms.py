"""What a text is about, word by word: content terms, numbers and names. Pure."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final

import snowballstemmer

SPACELESS: Final = r"\u3040-\u30ff\u3400-\u9fff\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\uf900-\ufaff"
TOKEN = re.compile(rf"\d[\d,]*(?:\.\d+)?|[{SPACELESS}]|[^\W\d_{SPACELESS}][^\W{SPACELESS}]*(?:['\u2019][^\W\d_]+)?")
# Words of which a sentence may have any without saying something else.
STOP_WORDS = frozenset(
    word
    for line in (
        "a about above after again all also am an and any are as at be because been before being below between both",
        "but by can could did do does doing down during each few for from further had has have having he her here hers",
        "him his how i if in into is it its itself just may me might more most must my no nor not now of off on once",
        "only or other our out over own per same she should so some such than that the their them then there these",
        "they this those through thus to too under until up us use used using very was we were what when where which",
        "while who whom why will with within would you your tell say says show give many much",
    )
    for word in line.split()
)
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
_stemmer = snowballstemmer.stemmer("english")


def tokens(text: str) -> list[str]:
    """Words and numbers, as written; of scripts without spaces, the characters."""
    return TOKEN.findall(unicodedata.normalize("NFKC", text))


def content_terms(text: str) -> set[str]:
    """Stems of the words that carry meaning, and the numbers in their plain form."""
    found = set()
    for token in tokens(text):
        if token[0].isdigit():
            found.add(number(token))
            continue
        word = token.casefold().replace("\u2019", "'").removesuffix("'s")
        if word in NUMBER_WORDS:
            found.add(NUMBER_WORDS[word])
        elif word not in STOP_WORDS:
            found.add(_stem(word))
    return found


def numbers(text: str) -> set[str]:
    """The numbers written in digits, in their plain form: "1,234.50" and "1234.5" are one."""
    return {number(token) for token in tokens(text) if token[0].isdigit()}


def names(text: str) -> set[str]:
    """Words that name something: capitalised inside a sentence, acronyms, words with capitals or digits inside.

    Casefolded. The first word of the text, and one after a sentence's end, counts only where its form tells.
    """
    found = set()
    for match in TOKEN.finditer(text):
        token = match.group()
        if token[0].isdigit() or token.casefold().removesuffix("'s") in STOP_WORDS:
            continue
        inner = any(c.isupper() or c.isdigit() for c in token[1:])
        begins = re.search(r"(?:^|[.!?:\u2026|>#*\u2022-])[\s\"'\u201c\u2018(*_]*$", text[: match.start()])
        if inner or (token[0].isupper() and not begins):
            found.add(token.casefold().replace("\u2019", "'").removesuffix("'s"))
    return found


def number(written: str) -> str:
    """A number's plain form: no separators, no zeros that say nothing."""
    try:
        plain = format(Decimal(written.replace(",", "")).normalize(), "f")
    except InvalidOperation:
        return written
    return plain


@lru_cache(maxsize=50_000)
def _stem(word: str) -> str:
    stem: str = _stemmer.stemWord(word)
    return stem
