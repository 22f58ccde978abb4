"""A claim and passages -> a verdict with its reason and its proof.

Every number, month, unit and name of a claim must stand in its passages, at the place that is most like its place in
the claim; what the claim denies they must deny, and the other way round; and they must hold most of its other words,
or where the words differ, its meaning. What is supported is worded by the passages, not proven true.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.grounding.alignment import ENOUGH, Alignment, Claim, Line, align, around, held, nearness, read_lines
from app.grounding.fact_checks import checked, missing, proof
from app.grounding.negation import opposite
from app.grounding.number_swaps import Pairing, other_column
from app.grounding.word_diff import Difference, differences
from app.models import Passage, Verdict
from app.protocols import Embeds, Entails
from app.text import ENGLISH, FACT_KINDS, Token, claim_languages, same_name, say_the_same

# These constants were chosen by hand on the development half of bench/answers/verification.py, which reports the other
# half. Share of a claim's terms that its passages must hold for its meaning to be looked at.
LEAST = 0.45
# Cosine similarity of claim and proof that makes up for words that differ.
SAME_MEANING = 0.75
# How much more alike the place of another value must be, to be the one that the claim has wrong.
MARGIN = 0.15
SAME_LINE = 0.4
# … and how alike it must be at least: places that share little are two things.
LEAST_ALIKE = 0.4
# Share of a claim's words that make its language that of its source.
MOSTLY = 0.6
# What a sentence begins with is what it is about, and must be in its source, unless it looks like one of these.
NO_SUBJECT = re.compile(r"[^\w]*(?:[a-z]|\w+(?:ly|ing|ed|ion)\b)")


@dataclass(frozen=True, slots=True)
class Finding:
    """What passages say of a claim. `lines` are the sentences that bear it out, best first; `share` how much of it."""

    verdict: Verdict
    reason: str = ""
    lines: tuple[Line, ...] = ()
    share: float = 0.0


def judge(
    text: str, passages: Sequence[Passage], embedder: Embeds | None = None, entailment: Entails | None = None
) -> Finding:
    """The verdict on one sentence, its markers taken out, from the passages given."""
    own, theirs = claim_languages(text, [passage.text for passage in passages])
    lines = [line for passage in passages for line in read_lines(passage, theirs)]
    claim = _read(text, own, theirs, lines)
    if why := _cannot_check(claim, lines):
        return _facts_alone(claim, lines, why)
    found = align(claim, passages)
    if found.coverage < LEAST or not found.lines:
        return Finding("unsupported", _hardly_said(claim, found), (), found.coverage)
    read = entailment.read(_proof(found), text) if entailment else "neutral"
    verdict, reason = _verdict(claim, found, lines, read)
    if verdict == "supported" and found.coverage < ENOUGH and read != "entailment":
        verdict, reason = _by_meaning(claim, found, embedder)
    return Finding(verdict, reason, found.lines, found.coverage)


def _verdict(claim: Claim, found: Alignment, lines: Sequence[Line], read: str) -> tuple[Verdict, str]:
    """The verdict by facts, denials and opposites, and by how an entailment model reads it; with its reason."""
    if wrong := _contradiction(claim, found, lines):
        return "unsupported", wrong
    if absent := _facts_missing(claim, found, lines):
        return "partly", absent
    if read == "contradiction":
        return "unsupported", "the source says otherwise, as the entailment model reads it"
    return "supported", ""


def _by_meaning(claim: Claim, found: Alignment, embedder: Embeds | None) -> tuple[Verdict, str]:
    """The verdict where words are missing: vectors overrule them, in English, where no word stands for another."""
    alike = claim.spoken.name == ENGLISH and not _exchanged(claim, found) and _same_meaning(claim, found, embedder)
    return ("supported", "") if alike else ("partly", _words_missing(claim, found))


def _exchanged(claim: Claim, found: Alignment) -> bool:
    """Whether the source, in a sentence worded like the claim, has another word where the claim has one."""
    return any(
        any(word.says and word.term not in found.known for word in difference.ours)
        and any(word.says and word.term not in claim.terms for word in difference.theirs)
        for line in found.lines
        for difference in differences(claim.words, line.words)
    )


def _read(text: str, own: str, theirs: str, lines: Sequence[Line]) -> Claim:
    """The claim in its language; in that of its source, where that has most of its words, whatever few words told."""
    claim = Claim.of(text, own)
    if own == theirs:
        return claim
    same = Claim.of(text, theirs)
    words = {word.term for word in same.words if word.kind == "word"}
    shared = held(words, frozenset[str]().union(*(line.terms for line in lines)))
    return same if len(shared) > MOSTLY * len(words) else claim


def _cannot_check(claim: Claim, lines: Sequence[Line]) -> str:
    """Why words of the claim tell nothing; "" where they do. A sentence that stands in its source is always checked."""
    if any(" ".join(line.text.split()) == " ".join(claim.text.split()) for line in lines):
        return ""
    if not claim.spoken.is_known:
        return "sentences of its language cannot be checked"
    if lines and all(line.spoken is not claim.spoken for line in lines):
        return "it is in another language than its source"
    return ""


def _facts_alone(claim: Claim, lines: Sequence[Line], why: str) -> Finding:
    """The verdict from figures, dates, codes and names: never that it is supported."""
    proving, absent, wanted = proof(claim, lines), missing(claim, lines), checked(claim)
    share = 1 - len(absent) / len(wanted) if wanted else 0.0
    if absent:
        words = dict.fromkeys(claim.text[word.start : word.end] for word in absent)
        return Finding("partly", f"{_listed(words)} is not in the passage", proving, share)
    if wrong := _other_unit(claim, lines):
        return Finding("unsupported", wrong, proving, share)
    return Finding("not checked", f"{why}; its figures, dates and names are there" if wanted else why, proving, share)


def _contradiction(claim: Claim, found: Alignment, lines: Sequence[Line]) -> str:
    for at, word in enumerate(claim.words):
        if word.kind in FACT_KINDS and (wrong := _other_value(claim, at, found, lines)):
            return wrong
    pairing = Pairing.of((claim.text, claim.words), [(line.text, line.words) for line in lines], claim.spoken)
    for line in found.lines:
        for difference in differences(claim.words, line.words):
            if wrong := _other_words(claim, line, difference, pairing):
                return wrong
    wrong = _other_unit(claim, lines) or _changed_places(claim, pairing) or _other_column(claim, found)
    return wrong or _denial(claim, found) or _opposite(claim, found)


def _changed_places(claim: Claim, pairing: Pairing) -> str:
    """Two figures of a claim that the source has the other way round."""
    found = pairing.exchanged()
    if found is None:
        return ""
    one, other = (_written(claim.text, [word]) for word in found)
    return f"the source has {one} and {other} the other way round"


def _other_column(claim: Claim, found: Alignment) -> str:
    """What a row of a table has in the column that the claim names, where the claim's figures are of others."""
    for line in found.lines:
        if line.header and (there := other_column(claim.words, line.header, line.text, claim.spoken)):
            return f"under \u201c{there[0]}\u201d the source says {there[1]}"
    return ""


def _other_words(claim: Claim, line: Line, difference: Difference, pairing: Pairing) -> str:
    """What a sentence worded like the claim has in place of a fact of it, or denies; "" where nothing."""
    ours, theirs = difference.ours, difference.theirs
    we_deny, they_deny = (any(word.term in claim.spoken.denies for word in words) for words in (ours, theirs))
    if we_deny != they_deny and len(claim.denials) != len(line.denials):  # as often, elsewhere: reach decides
        return "the source does not deny that" if we_deny else "the source denies that"
    for word in ours:
        for other in theirs:
            if _instead(line, word, other, pairing) and not any(same_name(word.term, o.term) for o in theirs):
                return f"the source says {_written(line.text, theirs)}, not {_written(claim.text, ours)}"
    return ""


def _instead(line: Line, word: Token, other: Token, pairing: Pairing) -> bool:
    """Whether a word of the claim stands where the source has another fact of its kind, or says the opposite."""
    if word.kind not in FACT_KINDS:
        return opposite(word.term, other.term, line.spoken)
    return _is_fact(line, other, word) and not pairing.agrees(word, other)


def _is_fact(line: Line, other: Token, like: Token) -> bool:
    """Whether a word of a source is a fact of the same kind; the first of a sentence has its capital anyway."""
    return other.kind == like.kind or (
        like.kind == "name"
        and other.kind == "word"
        and line.text[other.start].isupper()
        and not line.spoken.capital_nouns
    )


def _written(text: str, words: Sequence[Token]) -> str:
    return text[words[0].start : words[-1].end]


def _other_value(claim: Claim, at: int, found: Alignment, lines: Sequence[Line]) -> str:
    """What the source has in place of a fact of the claim; "" where it has the same, or nothing like it."""
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
        # In a sentence that has the claim's own value too, that may well be meant: sentences are built otherwise.
        rivals.append((near - SAME_LINE if same else near, value))
    near, value = max(rivals)
    if near < LEAST_ALIKE or near <= own + MARGIN:
        return ""
    return f"the source says {value}, not {claim.text[word.start : word.end]}"


def _has(other: Token, word: Token) -> bool:
    return other.term == word.term or (word.kind == "name" and same_name(other.term, word.term))


def _facts_missing(claim: Claim, found: Alignment, lines: Sequence[Line]) -> str:
    there = found.context.union(*(line.terms for line in lines), *(line.named for line in found.lines))
    begins = claim.words[:1] if claim.spoken.subject_needed and not NO_SUBJECT.match(claim.text) else ()
    needed = [word for word in claim.words if word.kind in FACT_KINDS or (word in begins and word.says)]
    missing = [word for word in needed if not held({word.term}, there)]
    words = dict.fromkeys(claim.text[word.start : word.end] for word in missing)
    return f"{_listed(words)} is not in the passage" if words else ""


def _other_unit(claim: Claim, lines: Sequence[Line]) -> str:
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
    """What one side denies and the other does not."""
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
    """The words of a claim that have these terms, as written."""
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


def _same_meaning(claim: Claim, found: Alignment, embedder: Embeds | None) -> bool:
    if embedder is None:
        return False
    ours, theirs = embedder.encode_documents([claim.text, _proof(found)])
    return float(ours @ theirs) >= SAME_MEANING


def _proof(found: Alignment) -> str:
    return " ".join(line.text for line in sorted(found.lines, key=lambda line: (line.passage.n, line.start)))


def _words_missing(claim: Claim, found: Alignment) -> str:
    missing = dict.fromkeys(
        claim.text[word.start : word.end] for word in claim.words if word.says and word.term not in found.known
    )
    return f"{_listed(missing)} is not in the passage"


def _hardly_said(claim: Claim, found: Alignment) -> str:
    missing = list(
        dict.fromkeys(claim.text[w.start : w.end] for w in claim.words if w.says and w.term not in found.known)
    )
    return f"most of its words ({', '.join(missing[:4])} \u2026) are not in the passage"


def _listed(words: Sequence[str] | dict[str, None]) -> str:
    shown = list(words)
    return "\u201c" + ", ".join(shown[:4]) + ("\u201d \u2026" if len(shown) > 4 else "\u201d")  # noqa: PLR2004 - a line's worth
