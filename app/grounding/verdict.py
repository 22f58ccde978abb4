"""Judges a claim against passages: verdict, reason and supporting sentences.

Every number, month, unit and name of a claim must be in its passages, in the most similar context. Negations must
match in both directions. The passages must also contain most of the claim's other words, or its meaning in other
words. A supported claim agrees with the passages; that does not prove it true.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from app.grounding.alignment import ENOUGH, Alignment, Claim, SourceLine, align, held, read_lines
from app.grounding.contradictions import contradiction, other_unit
from app.grounding.fact_checks import checked, missing, proof
from app.grounding.scaled_figures import as_in_tables
from app.grounding.word_diff import differences
from app.models import Passage, Verdict
from app.protocols import Embeds, Entails
from app.text import FACT_KINDS, claim_languages
from ingest.text import ENGLISH

# These constants were chosen by hand on the development half of bench/answers/verification.py, which reports the other
# half. Share of a claim's terms that its passages must contain before its meaning is compared.
LEAST = 0.45
# Cosine similarity of claim and source that makes up for different words.
SAME_MEANING = 0.75
# If at least this share of a claim's words is in the source, the claim is read in the source's language.
MOSTLY = 0.6
# The first word of a sentence is its subject and must be in the source, unless it matches this pattern.
NO_SUBJECT = re.compile(r"[^\w]*(?:[a-z]|\w+(?:ly|ing|ed|ion)\b)")


@dataclass(frozen=True, slots=True)
class Finding:
    """The verdict of passages on a claim; `lines` support it, best first; `share` is how much of it they cover."""

    verdict: Verdict
    reason: str = ""
    lines: tuple[SourceLine, ...] = ()
    share: float = 0.0


def judge(
    text: str, passages: Sequence[Passage], embedder: Embeds | None = None, entailment: Entails | None = None
) -> Finding:
    """Judges one sentence, without its markers, against the given passages."""
    own, theirs = claim_languages(text, [passage.text for passage in passages])
    lines = [line for passage in passages for line in read_lines(passage, theirs)]
    claim = as_in_tables(_read(text, own, theirs, lines), passages, theirs)
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


def _verdict(claim: Claim, found: Alignment, lines: Sequence[SourceLine], read: str) -> tuple[Verdict, str]:
    """Returns the verdict and its reason, from facts, negations, antonyms and the entailment model's result."""
    if wrong := contradiction(claim, found, lines):
        return "unsupported", wrong
    if absent := _facts_missing(claim, found, lines):
        return "partly", absent
    if read == "contradiction":
        return "unsupported", "the source says otherwise, according to the entailment model"
    return "supported", ""


def _by_meaning(claim: Claim, found: Alignment, embedder: Embeds | None) -> tuple[Verdict, str]:
    """Returns the verdict for a claim with missing words: in English, similar vectors suffice if none was replaced."""
    alike = claim.spoken.name == ENGLISH and not _exchanged(claim, found) and _same_meaning(claim, found, embedder)
    return ("supported", "") if alike else ("partly", _words_missing(claim, found))


def _exchanged(claim: Claim, found: Alignment) -> bool:
    """Returns True if a similarly worded sentence of the source has another word where the claim has one."""
    return any(
        any(word.says and word.term not in found.known for word in difference.ours)
        and any(word.says and word.term not in claim.terms for word in difference.theirs)
        for line in found.lines
        for difference in differences(claim.words, line.words)
    )


def _read(text: str, own: str, theirs: str, lines: Sequence[SourceLine]) -> Claim:
    """Reads the claim in its own language, or in its source's if that shares most words (few words are misdetected)."""
    claim = Claim.of(text, own)
    if own == theirs:
        return claim
    same = Claim.of(text, theirs)
    words = {word.term for word in same.words if word.kind == "word"}
    shared = held(words, frozenset[str]().union(*(line.terms for line in lines)))
    return same if len(shared) > MOSTLY * len(words) else claim


def _cannot_check(claim: Claim, lines: Sequence[SourceLine]) -> str:
    """Returns why the claim's words cannot be compared; "" if they can. A copied sentence always can."""
    if any(" ".join(line.text.split()) == " ".join(claim.text.split()) for line in lines):
        return ""
    if not claim.spoken.is_known:
        return "sentences in its language cannot be checked"
    if lines and all(line.spoken is not claim.spoken for line in lines):
        return "it is not in the language of its source"
    return ""


def _facts_alone(claim: Claim, lines: Sequence[SourceLine], why: str) -> Finding:
    """Judges by figures, dates, codes and names only; the verdict is never "supported"."""
    proving, absent, wanted = proof(claim, lines), missing(claim, lines), checked(claim)
    share = 1 - len(absent) / len(wanted) if wanted else 0.0
    if absent:
        words = dict.fromkeys(claim.text[word.start : word.end] for word in absent)
        return Finding("partly", f"{_listed(words)} is not in the passage", proving, share)
    if wrong := other_unit(claim, lines):
        return Finding("unsupported", wrong, proving, share)
    return Finding("not checked", f"{why}; its figures, dates and names are there" if wanted else why, proving, share)


def _facts_missing(claim: Claim, found: Alignment, lines: Sequence[SourceLine]) -> str:
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
