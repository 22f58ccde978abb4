"""A claim and passages -> a verdict with its reason and its proof.

Every number, month, unit and name of a claim must stand in its passages, at the place that is most like its place in
the claim; what the claim denies they must deny, and the other way round; and they must hold most of its other words,
or where the words differ, its meaning. What is supported is worded by the passages, not proven true.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.grounding.alignment import ENOUGH, Alignment, Claim, Line, align, held, read_lines
from app.grounding.contradictions import contradiction, other_unit
from app.grounding.fact_checks import checked, missing, proof
from app.grounding.word_diff import differences
from app.models import Passage, Verdict
from app.protocols import Embeds, Entails
from app.text import FACT_KINDS, claim_languages
from ingest.text import ENGLISH

# These constants were chosen by hand on the development half of bench/answers/verification.py, which reports the other
# half. Share of a claim's terms that its passages must hold for its meaning to be looked at.
LEAST = 0.45
# Cosine similarity of claim and proof that makes up for words that differ.
SAME_MEANING = 0.75
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
    if wrong := contradiction(claim, found, lines):
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
    if wrong := other_unit(claim, lines):
        return Finding("unsupported", wrong, proving, share)
    return Finding("not checked", f"{why}; its figures, dates and names are there" if wanted else why, proving, share)


def _facts_missing(claim: Claim, found: Alignment, lines: Sequence[Line]) -> str:
    there = found.context.union(*(line.terms for line in lines), *(line.named for line in found.lines))
    begins = claim.words[:1] if claim.spoken.subject_needed and not NO_SUBJECT.match(claim.text) else ()
    needed = [word for word in claim.words if word.kind in FACT_KINDS or (word in begins and word.says)]
    missing = [word for word in needed if not held({word.term}, there)]
    words = dict.fromkeys(claim.text[word.start : word.end] for word in missing)
    return f"{_listed(words)} is not in the passage" if words else ""


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
