"""Checks figures, dates, codes and names of a sentence whose words cannot be compared with its source."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Sequence

from app.grounding.alignment import Claim, SourceLine, held
from app.text import FACT_KINDS, Token, translated_names

NUMBER = re.compile(r"\d(?:[\d.,\u00a0\u202f]*\d)?")


def checked(claim: Claim) -> list[Token]:
    """Returns the facts of a claim that its source must contain in any language.

    Names of countries, languages and days are left out, because they are translated.
    """
    translated = translated_names(claim.spoken.code)
    return [
        word
        for word in claim.words
        if word.kind in FACT_KINDS and claim.text[word.start : word.end].casefold() not in translated
    ]


def missing(claim: Claim, lines: Sequence[SourceLine]) -> list[Token]:
    """Returns the checked facts of a claim that its source lacks."""
    there = frozenset[str]().union(*(line.terms for line in lines))
    source = " ".join(line.text for line in lines)
    return [word for word in checked(claim) if not held({word.term}, there) and not _is_open(claim, word, source)]


def _is_open(claim: Claim, word: Token, source: str) -> bool:
    """Returns True if a fact may be there in other characters: a name in another script, a reformatted number."""
    written = claim.text[word.start : word.end]
    if word.kind == "number" and not claim.spoken.is_known:
        return _digits(written) in {_digits(number) for number in NUMBER.findall(source)}
    return word.kind == "name" and not _scripts(written) & _scripts(source)


def _digits(number: str) -> str:
    return re.sub(r"\D", "", number)


def _scripts(text: str) -> set[str]:
    return {unicodedata.name(letter, "").split(" ")[0] for letter in set(text) if letter.isalpha()}


def proof(claim: Claim, lines: Sequence[SourceLine]) -> tuple[SourceLine, ...]:
    """Returns the sentences with facts of the claim: the one with most first, then those that add others."""
    left, chosen = {word.term for word in checked(claim)}, list[SourceLine]()
    while left and lines:
        best = max(lines, key=lambda line: len(held(left, line.terms)))
        gained = held(left, best.terms)
        if not gained:
            break
        chosen.append(best)
        left -= gained
    return tuple(chosen)
