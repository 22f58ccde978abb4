"""A claim held against passages: which of their sentences say it, and how much of it. Pure."""

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

# Sentences of its passages that may prove one claim together; humans join up to three (eval/answerable).
MOST_LINES = 3
# Share of a claim's terms that prove it without a look at its meaning; a sentence beyond that must say a fact of the
# claim, or so many more of its words.
ENOUGH = 0.75
LEAST_NEW = 2
# Words to either side of a fact that say what it is a fact of; the nearest count most.
WINDOW = 5


@dataclass(frozen=True, slots=True)
class Line:
    """A sentence of a passage, at [start, end) of the passage's text.

    `header` is the header of the table that it is a row of, `named` the terms of that, which are not among `terms`.
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
        """Those of some terms that it says: a row has those of its header, but not these alone."""
        own = held(wanted, self.terms)
        return held(wanted, self.terms | self.named) if own and self.named else own


@dataclass(frozen=True, slots=True)
class Claim:
    """A sentence of an answer, word by word, as its language has it."""

    text: str
    words: tuple[Token, ...]
    terms: frozenset[str]
    denials: tuple[tuple[str, ...], ...]
    spoken: Language

    @classmethod
    def of(cls, text: str, name: str = ENGLISH) -> Claim:
        """Reads a sentence in the language of that name; its first word counts as a name where it is the subject."""
        spoken = language_data_of(name)
        words = tokenize(text, spoken)
        first = words[0] if words else None
        if first and first.kind == "word" and text[first.start].isupper() and spoken.subject.match(text, first.end):
            words = (Token(first.term, "name", first.start, first.end), *words[1:])
        said = frozenset(word.term for word in words if word.says)
        return cls(text, words, said, denials(text, words, spoken), spoken)


@dataclass(frozen=True, slots=True)
class Alignment:
    """Where passages say a claim.

    `lines` are the sentences that say most of it, best first; `known` those of its terms that these lines, or the
    titles and headings above them, hold; `context` the terms of the titles and headings.
    """

    lines: tuple[Line, ...]
    known: frozenset[str]
    context: frozenset[str]
    coverage: float


def align(claim: Claim, passages: Sequence[Passage]) -> Alignment:
    """The sentences that together say most of a claim, chosen greedily: the best one, then what adds most to it."""
    context = _context(passages, claim.spoken)
    lines = [line for passage in passages for line in read_lines(passage, claim.spoken.name)]
    chosen: list[Line] = []
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


def read_lines(passage: Passage, name: str = ENGLISH) -> tuple[Line, ...]:
    """The sentences of a passage, each in the language that it tells, else in that of the name."""
    return _lines(passage, name)


@lru_cache(maxsize=512)
def _lines(passage: Passage, name: str) -> tuple[Line, ...]:
    found = []
    for start, end in split_sentences(passage.text):
        text = passage.text[start:end]
        spoken = language_data_of(detect_language(text) or name)
        words = tokenize(text, spoken)
        header = header_of(passage.text, start, passage.header)
        named, denied = _terms(tokenize(header, spoken), header), denials(text, words, spoken)
        found.append(Line(passage, start, end, words, _terms(words, text), denied, spoken, header, named))
    return tuple(found)


def _terms(words: Sequence[Token], text: str) -> frozenset[str]:
    return frozenset(word.term for word in words if word.says) | acronyms(text)


def held(wanted: Iterable[str], there: frozenset[str]) -> frozenset[str]:
    """Those of the terms that are among others, as themselves or as a place's people."""
    return frozenset(term for term in wanted if _has(there, term))


@lru_cache(maxsize=100_000)
def _has(there: frozenset[str], term: str) -> bool:
    return term in there or any(same_name(term, other) for other in there)


def _context(passages: Sequence[Passage], spoken: Language) -> frozenset[str]:
    parts = [part for p in passages for part in (p.title, *p.heading)]
    return frozenset().union(*(_terms(tokenize(part, spoken), part) for part in parts))


def around(words: Sequence[Token], at: int) -> dict[str, float]:
    """Terms near the word at `at`, with their weight: 1 for its neighbours, less with every word between."""
    weights: dict[str, float] = {}
    for side in (words[:at][::-1], words[at + 1 :]):
        near = [word.term for word in side if word.says][:WINDOW]
        for distance, term in enumerate(near, start=1):
            weights[term] = max(weights.get(term, 0.0), 1 / distance)
    return weights


def nearness(wanted: Mapping[str, float], there: Mapping[str, float]) -> float:
    """How much of what stands around one word stands around another: 0 to 1, near words counting most."""
    total = sum(wanted.values())
    return sum(min(weight, there[term]) for term, weight in wanted.items() if term in there) / total if total else 0.0
