"""Reads the figures of a claim as tables write them: "$117.2 billion" is 117,154 in a table in millions. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal, InvalidOperation
from functools import lru_cache

from app.grounding.alignment import Claim
from app.models import Passage
from app.text import Language, Token, cell_scale, language_data_of, table_rows, tokenize

# A figure rounded to fewer digits than this has to be exact: "5 million" is not 4,812 thousand.
FEWEST_DIGITS = 2


@dataclass(frozen=True, slots=True)
class _Scaled:
    """A figure of a table: the term of its number as written, its value, and the terms of its row and column."""

    term: str
    value: Decimal
    named: frozenset[str]


def as_in_tables(claim: Claim, passages: Sequence[Passage], language: str) -> Claim:
    """Returns a claim whose figures have the terms by which tables of the passages write the same amounts.

    A figure that a passage has as the claim writes it stays. Of several equal ones, the one whose row and column share
    most words with the claim is meant.

    Args:
        claim: the claim.
        passages: its sources.
        language: the language of the sources, in which their numbers are read.
    """
    there = [one for passage in passages for one in _scaled(passage, language_data_of(language))]
    if not there:
        return claim
    words = tuple(_as_written(word, claim, there) for word in claim.words)
    return replace(claim, words=words, terms=frozenset(word.term for word in words if word.says))


def _as_written(word: Token, claim: Claim, there: Sequence[_Scaled]) -> Token:
    if word.kind != "number":
        return word
    same = [one for one in there if _is_amount(word, claim.text[word.start : word.end], one.value, claim.spoken)]
    if not same:
        return word
    return replace(word, term=max(same, key=lambda one: len(one.named & claim.terms)).term)


def _is_amount(word: Token, written: str, value: Decimal, spoken: Language) -> bool:
    """Returns True if a claim's figure is an amount, exactly or rounded as it is written."""
    stated, number = _decimal(word.term), _number(written, spoken)
    if stated is None or not number or stated == number:
        return False
    digits = len(number.as_tuple().digits)
    places = -int(number.as_tuple().exponent)
    step = stated / number * Decimal(10) ** -places
    return stated == value or (digits >= FEWEST_DIGITS and abs(stated - value) <= step / 2)


def _number(written: str, spoken: Language) -> Decimal | None:
    """Returns the number that an amount in words and digits begins with."""
    number = re.match(r"[\d.,'\u2019]+(?:\s\d{3}(?!\d))*(?:,\d+)?", written)
    return _decimal(tokenize(number[0].rstrip(".,"), spoken)[0].term) if number else None


@lru_cache(maxsize=128)
def _scaled(passage: Passage, spoken: Language) -> tuple[_Scaled, ...]:
    return tuple(_figures(passage, spoken))


def _figures(passage: Passage, spoken: Language) -> Iterator[_Scaled]:
    """Yields the figures of a passage's tables for which a scale is stated."""
    for row in table_rows(passage.text, passage.header, passage.caption):
        for i in row.figures:
            scale = cell_scale(row, i)
            number = next((word for word in tokenize(row.cells[i], spoken) if word.kind == "number"), None)
            if scale and number and (value := _decimal(number.term)) is not None:
                name = f"{row.group} {row.cells[0]} {row.header[i] if row.header else ''}"
                named = frozenset(word.term for word in tokenize(name, spoken) if word.says)
                yield _Scaled(number.term, value * Decimal(10) ** scale.power, named)


def _decimal(term: str) -> Decimal | None:
    try:
        return Decimal(term)
    except InvalidOperation:
        return None
