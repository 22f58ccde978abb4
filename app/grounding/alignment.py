"""Aligns a claim with the sentences of passages that support it, and measures how much of it they cover. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

from app.grounding.negation import denials
from app.models import Passage
from app.text import (
    FACT_KINDS,
    Language,
    Token,
    acronyms,
    detect_language,
    header_of,
    language_data_of,
    same_name,
    split_sentences,
    tokenize,
)
from ingest.text import ENGLISH

# Most sentences that may support one claim together; human annotators join up to three (eval/answerable).
MOST_LINES = 3
# Share of a claim's terms that supports it without comparing meaning. Beyond that, another sentence must add a fact of
# the claim, or this many more of its terms.
ENOUGH = 0.75
LEAST_NEW = 2
# Words to either side of a fact that describe it; nearer ones weigh more.
WINDOW = 5


@dataclass(frozen=True, slots=True)
class SourceLine:
    """A sentence of a passage, at [start, end) of the passage's text.

    `header` is the header of its table; `named` holds the header's terms, which are not among `terms`.
    """

    passage: Passage
    start: int
    end: int
    words: tuple[Token, ...]
    terms: frozenset[str]
    denials: tuple[tuple[str, ...], ...]
    spoken: Language
    header: str = ""
    named: frozenset[str] = frozenset()

    @property
    def text(self) -> str:
        return self.passage.text[self.start : self.end]

    def says(self, wanted: Iterable[str]) -> frozenset[str]:
        """Returns which of the terms it contains; a row also has its header's terms, but not those alone."""
        own = held(wanted, self.terms)
        return held(wanted, self.terms | self.named) if own and self.named else own


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of an answer, split into words by the rules of its language."""

    text: str
    words: tuple[Token, ...]
    terms: frozenset[str]
    denials: tuple[tuple[str, ...], ...]
    spoken: Language

    @classmethod
    def of(cls, text: str, name: str = ENGLISH) -> Claim:
        """Reads a sentence in the given language; its first word counts as a name if it is the subject."""
        spoken = language_data_of(name)
        words = tokenize(text, spoken)
        first = words[0] if words else None
        if first and first.kind == "word" and text[first.start].isupper() and spoken.subject.match(text, first.end):
            words = (Token(first.term, "name", first.start, first.end), *words[1:])
        said = frozenset(word.term for word in words if word.says)
        return cls(text, words, said, denials(text, words, spoken), spoken)


@dataclass(frozen=True, slots=True)
class Alignment:
    """The sentences of passages that match a claim.

    `lines` are the sentences that cover most of it, best first. `known` holds its terms found in those lines or in the
    titles and headings above them. `context` holds the terms of the titles and headings.
    """

    lines: tuple[SourceLine, ...]
    known: frozenset[str]
    context: frozenset[str]
    coverage: float


def align(claim: Claim, passages: Sequence[Passage]) -> Alignment:
    """Selects the sentences that together cover most of a claim, greedily: the best one, then what adds most."""
    context = _context(passages, claim.spoken)
    lines = [line for passage in passages for line in read_lines(passage, claim.spoken.name)]
    chosen: list[SourceLine] = []
    left = set(claim.terms)
    stated = {word.term for word in claim.words if word.kind in FACT_KINDS}
    while lines and len(chosen) < MOST_LINES:
        best = max(lines, key=lambda line: (len(line.says(left)), -len(line.terms) if chosen else 0))
        gain = best.says(left)
        new = gain - held(gain, context)
        enough = 1 if len(left) > (1 - ENOUGH) * len(claim.terms) else LEAST_NEW
        if not gain or (chosen and len(new) < enough and not new & stated):
            break
        chosen.append(best)
        left -= gain
    known = frozenset(claim.terms - left) | held(left, context)
    return Alignment(tuple(chosen), known, context, len(known) / len(claim.terms) if claim.terms else 0.0)


def read_lines(passage: Passage, name: str = ENGLISH) -> tuple[SourceLine, ...]:
    """Returns a passage's sentences, each in its detected language, or else in the given one."""
    return _lines(passage, name)


@lru_cache(maxsize=512)
def _lines(passage: Passage, name: str) -> tuple[SourceLine, ...]:
    found = []
    for start, end in split_sentences(passage.text):
        text = passage.text[start:end]
        spoken = language_data_of(detect_language(text) or name)
        words = tokenize(text, spoken)
        header = header_of(passage.text, start, passage.header)
        named, denied = _terms(tokenize(header, spoken), header), denials(text, words, spoken)
        found.append(SourceLine(passage, start, end, words, _terms(words, text), denied, spoken, header, named))
    return tuple(found)


def _terms(words: Sequence[Token], text: str) -> frozenset[str]:
    return frozenset(word.term for word in words if word.says) | acronyms(text)


def held(wanted: Iterable[str], there: frozenset[str]) -> frozenset[str]:
    """Returns the terms found among others, literally or as the name of a place's people."""
    return frozenset(term for term in wanted if _has(there, term))


@lru_cache(maxsize=100_000)
def _has(there: frozenset[str], term: str) -> bool:
    return term in there or any(same_name(term, other) for other in there)


def _context(passages: Sequence[Passage], spoken: Language) -> frozenset[str]:
    parts = [part for p in passages for part in (p.title, *p.heading)]
    return frozenset().union(*(_terms(tokenize(part, spoken), part) for part in parts))


def around(words: Sequence[Token], at: int) -> dict[str, float]:
    """Returns the terms near the word at `at` with their weights: 1 for neighbours, less with distance."""
    weights: dict[str, float] = {}
    for side in (words[:at][::-1], words[at + 1 :]):
        near = [word.term for word in side if word.says][:WINDOW]
        for distance, term in enumerate(near, start=1):
            weights[term] = max(weights.get(term, 0.0), 1 / distance)
    return weights


def nearness(wanted: Mapping[str, float], there: Mapping[str, float]) -> float:
    """Returns how much the contexts of two words overlap: 0 to 1, near words weighing most."""
    total = sum(wanted.values())
    return sum(min(weight, there[term]) for term, weight in wanted.items() if term in there) / total if total else 0.0
