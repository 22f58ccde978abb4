"""What can be checked of a sentence whose words cannot be held against its source: figures, dates, codes and names."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from app.grounding.alignment import Claim, Line, held
from app.text import FACT_KINDS, Token, translated_names

NUMBER = re.compile(r"\d(?:[\d.,\u00a0\u202f]*\d)?")


def checked(claim: Claim) -> list[Token]:
    """The facts of a claim that a source in any language must have.

    Names of countries, languages and days are left out: they are translated.
    """
    translated = translated_names(claim.spoken.code)
    return [
        word
        for word in claim.words
        if word.kind in FACT_KINDS and claim.text[word.start : word.end].casefold() not in translated
    ]


def missing(claim: Claim, lines: Sequence[Line]) -> list[Token]:
    """Those of the checked facts of a claim that its source does not have."""
    there = frozenset[str]().union(*(line.terms for line in lines))
    source = " ".join(line.text for line in lines)
    return [word for word in checked(claim) if not held({word.term}, there) and not _is_open(claim, word, source)]


def _is_open(claim: Claim, word: Token, source: str) -> bool:
    """Whether a fact cannot be told to be missing: a name in letters of another script, a number with other marks."""
    written = claim.text[word.start : word.end]
    if word.kind == "number" and not claim.spoken.is_known:
        return _digits(written) in {_digits(number) for number in NUMBER.findall(source)}
    return word.kind == "name" and not _scripts(written) & _scripts(source)


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)


def _scripts(text: str) -> set[str]:
    return {unicodedata.name(letter, "").split(" ")[0] for letter in set(text) if letter.isalpha()}


def proof(claim: Claim, lines: Sequence[Line]) -> tuple[Line, ...]:
    """The sentences that have facts of the claim, the one with most of them first, then what those before lack."""
    left, chosen = {word.term for word in checked(claim)}, list[Line]()
    while left and lines:
        best = max(lines, key=lambda line: len(held(left, line.terms)))
        gained = held(left, best.terms)
        if not gained:
            break
        chosen.append(best)
        left -= gained
    return tuple(chosen)
