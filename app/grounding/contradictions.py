"""Finds what a source says instead of a claim: other values, words, units, columns, negations or antonyms. Pure.

Each function returns the reason as text for the user; "" if there is none.
"""

from __future__ import annotations

from collections.abc import Sequence

from app.grounding.alignment import Alignment, Claim, SourceLine, around, held, nearness
from app.grounding.negation import opposite
from app.grounding.number_swaps import Pairing, other_column
from app.grounding.word_diff import WordDifference, differences
from app.text import FACT_KINDS, Token, same_name, say_the_same

# These constants were chosen like those in `verdict`.
# How much more similar the context of a different value must be, for the claim's value to count as wrong.
MARGIN = 0.15
SAME_LINE = 0.4
# … and its minimum similarity: contexts with little in common are about different things.
LEAST_ALIKE = 0.4


def contradiction(claim: Claim, found: Alignment, lines: Sequence[SourceLine]) -> str:
    for at, word in enumerate(claim.words):
        if word.kind in FACT_KINDS and (wrong := _other_value(claim, at, found, lines)):
            return wrong
    pairing = Pairing.of((claim.text, claim.words), [(line.text, line.words) for line in lines], claim.spoken)
    for line in found.lines:
        for difference in differences(claim.words, line.words):
            if wrong := _other_words(claim, line, difference, pairing):
                return wrong
    wrong = other_unit(claim, lines) or _changed_places(claim, pairing) or _other_column(claim, found)
    return wrong or _denial(claim, found) or _opposite(claim, found)


def _changed_places(claim: Claim, pairing: Pairing) -> str:
    """Finds two figures of a claim that are swapped in the source."""
    found = pairing.exchanged()
    if found is None:
        return ""
    one, other = (_written(claim.text, [word]) for word in found)
    return f"the source has {one} and {other} the other way round"


def _other_column(claim: Claim, found: Alignment) -> str:
    """Finds the value in the column that the claim names, if the claim's figures are from other columns of the row."""
    for line in found.lines:
        if line.header and (there := other_column(claim.words, line.header, line.text, claim.spoken)):
            return f"under \u201c{there[0]}\u201d the source says {there[1]}"
    return ""


def _other_words(claim: Claim, line: SourceLine, difference: WordDifference, pairing: Pairing) -> str:
    """Finds a fact that a similarly worded sentence has in place of the claim's, or a negation in only one of them."""
    ours, theirs = difference.ours, difference.theirs
    we_deny, they_deny = (any(word.term in claim.spoken.denies for word in words) for words in (ours, theirs))
    if we_deny != they_deny and len(claim.denials) != len(line.denials):  # equally often: `_denial` decides
        return "the source does not deny that" if we_deny else "the source denies that"
    for word in ours:
        for other in theirs:
            if _instead(line, word, other, pairing) and not any(same_name(word.term, o.term) for o in theirs):
                return f"the source says {_written(line.text, theirs)}, not {_written(claim.text, ours)}"
    return ""


def _instead(line: SourceLine, word: Token, other: Token, pairing: Pairing) -> bool:
    """Returns True if the source's word replaces the claim's: another fact of its kind, or its antonym."""
    if word.kind not in FACT_KINDS:
        return opposite(word.term, other.term, line.spoken)
    return _is_fact(line, other, word) and not pairing.agrees(word, other)


def _is_fact(line: SourceLine, other: Token, like: Token) -> bool:
    """Returns True if a source's word is a fact of the same kind (sentences start with a capital anyway)."""
    return other.kind == like.kind or (
        like.kind == "name"
        and other.kind == "word"
        and line.text[other.start].isupper()
        and not line.spoken.capital_nouns
    )


def _written(text: str, words: Sequence[Token]) -> str:
    return text[words[0].start : words[-1].end]


def _other_value(claim: Claim, at: int, found: Alignment, lines: Sequence[SourceLine]) -> str:
    """Finds the value that the source has instead of a fact of the claim; "" if it has the same or nothing similar."""
    word, place = claim.words[at], around(claim.words, at)
    if word.kind == "name" and held({word.term}, found.context):
        return ""
    own, rivals = 0.0, [(0.0, "")]
    for line in lines:
        same, others = 0.0, [(0.0, "")]
        for i, other in enumerate(line.words):
            if _has(other, word):
                same = max(same, nearness(place, around(line.words, i)))
            elif say_the_same(word, other) and other.term not in claim.terms:
                others.append((nearness(place, around(line.words, i)), line.text[other.start : other.end]))
        near, value = max(others)
        own = max(own, same)
        # If the sentence also has the claim's own value, that may be meant: sentences can be built differently.
        rivals.append((near - SAME_LINE if same else near, value))
    near, value = max(rivals)
    if near < LEAST_ALIKE or near <= own + MARGIN:
        return ""
    return f"the source says {value}, not {claim.text[word.start : word.end]}"


def _has(other: Token, word: Token) -> bool:
    return other.term == word.term or (word.kind == "name" and same_name(other.term, word.term))


def other_unit(claim: Claim, lines: Sequence[SourceLine]) -> str:
    for word in claim.words:
        if word.kind != "number" or not word.unit:
            continue
        same = [
            (line, other)
            for line in lines
            for other in line.words
            if other.kind == "number" and other.term == word.term
        ]
        if same and all(other.unit and other.unit != word.unit for _, other in same):
            line, other = same[0]
            return f"the source says {_with_unit(line.text, other)}, not {_with_unit(claim.text, word)}"
    return ""


def _with_unit(text: str, word: Token) -> str:
    before, after = text[: word.start].rstrip()[-1:], text[word.end :].split()[:1]
    sign = before if before in {"$", "\u20ac", "\u00a3", "\u00a5"} else ""
    return f"{sign}{text[word.start : word.end]}{'' if sign or not after else ' ' + after[0].strip('.,;:)')}"


def _denial(claim: Claim, found: Alignment) -> str:
    """Finds a negation that only one side has."""
    theirs = [
        line.terms if claim.spoken.both_ways else frozenset(reach) for line in found.lines for reach in line.denials
    ]
    for reach in claim.denials:
        known = found.known.intersection(reach)
        if reach and not any(known & denied if known else denied for denied in theirs):
            return f"the source does not deny that ({claim_words(claim, reach)})"
    ours = frozenset(term for reach in claim.denials for term in (claim.terms if claim.spoken.both_ways else reach))
    for reach in found.lines[0].denials:
        if reach and reach[0] in claim.terms and not ours.intersection(reach):
            return f"the source denies that ({claim_words(claim, reach[:1])})"
    return ""


def claim_words(claim: Claim, reach: Sequence[str]) -> str:
    """Returns the words of a claim that have these terms, as written."""
    return " ".join(claim.text[word.start : word.end] for word in claim.words if word.term in reach)


def _opposite(claim: Claim, found: Alignment) -> str:
    line, spoken = found.lines[0], claim.spoken
    ours, theirs = ({word.term for word in words} for words in (claim.words, line.words))
    for word in claim.words:
        is_common = word.term in spoken.common_opposites and word.term not in theirs
        if not is_common and (word.term in found.known or not word.says):
            continue
        for other in line.words:
            there = other.term in (ours if is_common else claim.terms)
            if not there and opposite(word.term, other.term, spoken):
                return f"the source says {line.text[other.start : other.end]}, not {claim.text[word.start : word.end]}"
    return ""
