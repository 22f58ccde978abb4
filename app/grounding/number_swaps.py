"""Detects two numbers swapped between a claim and its source. Pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations, pairwise

from app.text import FACT_KINDS, Language, Token, is_year, row_cells, say_the_same, tokenize

# A possible boundary between the words about one figure and those about the next, if there is no certain one.
BORDER = re.compile(r"[,:\u2013\u2014]")

Read = tuple[str, Sequence[Token]]  # a sentence with its words
# The terms that describe a figure, by the figure's own term.
Said = Mapping[str, frozenset[str]]
_Shared = tuple[frozenset[str], frozenset[str]]


def other_column(claim: Sequence[Token], header: str, row: str, spoken: Language) -> tuple[str, str] | None:
    """Returns name and value of a column that a claim names, if all of its figures are from other columns of the row.

    Args:
        claim: the claim's words.
        header: the header row.
        row: a row with as many cells as the header.
        spoken: the language of all of them.
    """
    figures = {word.term for word in claim if word.kind == "number"}
    said = {word.term for word in claim if word.says}
    columns = [
        (name, value, {word.term for word in tokenize(name, spoken) if word.says}, there)
        for name, value in zip(row_cells(header), row_cells(row), strict=True)
        if (there := {word.term for word in tokenize(value, spoken) if word.kind == "number"})
    ]
    # Words that all columns share, as in "Three Months Ended", name none of them.
    shared = frozenset.intersection(*(frozenset(names) for _, _, names, _ in columns)) if len(columns) > 1 else set()
    named, given = [], False
    for name, value, terms, there in columns:
        names = said & (terms - shared)
        given = given or bool(there & figures - names)
        if names and there & figures:
            return None
        if names:
            named.append((name, value))
    return named[0] if given and named else None


@dataclass(frozen=True, slots=True)
class Pairing:
    """The terms that describe each figure in a claim and in its source.

    `stated` holds the terms of the claim that state a fact; they weigh more than others.
    """

    figures: tuple[Token, ...]
    ours: Said
    theirs: Said
    stated: frozenset[str]

    @classmethod
    def of(cls, claim: Read, source: Sequence[Read], spoken: Language) -> Pairing:
        """Reads a claim and the sentences that may support it, each with its words, in one language."""
        figures = tuple({word.term: word for word in claim[1] if word.kind == "number"}.values())
        if len(figures) < 2:  # noqa: PLR2004 - a swap needs two
            return cls((), {}, {}, frozenset())
        stated = frozenset(word.term for word in claim[1] if word.kind in FACT_KINDS)
        return cls(figures, _said([claim], spoken), _said(source, spoken), stated)

    def exchanged(self) -> tuple[Token, Token] | None:
        """Returns two figures of the claim that the source describes the other way round."""
        for one, other in combinations(self.figures, 2):
            crossed, agreed = self._compared(one.term, other.term)
            if say_the_same(one, other) and all(crossed) and self._more(crossed, agreed):
                return one, other
        return None

    def agrees(self, one: Token, other: Token) -> bool:
        """Returns True if the source's figure is described as the claim's is, in whatever words."""
        crossed, agreed = self._compared(one.term, other.term)
        return say_the_same(one, other) and all(agreed) and self._more(agreed, crossed)

    def _compared(self, one: str, other: str) -> tuple[_Shared, _Shared]:
        """Returns the terms that only one figure has: those the source swaps, then those it does not swap."""
        if not {one, other} <= self.ours.keys() & self.theirs.keys():
            return (frozenset(), frozenset()), (frozenset(), frozenset())
        ours = self.ours[one] - self.ours[other], self.ours[other] - self.ours[one]
        theirs = self.theirs[one] - self.theirs[other], self.theirs[other] - self.theirs[one]
        return (ours[0] & theirs[1], ours[1] & theirs[0]), (ours[0] & theirs[0], ours[1] & theirs[1])

    def _more(self, these: _Shared, those: _Shared) -> bool:
        """Returns True if some terms weigh more than others: facts count first."""
        one, other = these[0] | these[1], those[0] | those[1]
        return (len(one & self.stated), len(one)) > (len(other & self.stated), len(other))


def _said(sentences: Iterable[Read], spoken: Language) -> Said:
    """Returns the terms that describe each figure: those between the boundaries around it, without other figures."""
    found: defaultdict[str, set[str]] = defaultdict(set)
    for text, words in sentences:
        numbers = [word for word in words if word.kind == "number"]
        if spoken.in_order.search(text):
            continue  # "in 2021 and 2020, 12 and 9 respectively": only the order pairs them
        for years in (True, False):
            alike_ones = [word for word in numbers if is_year(word) is years]
            others = frozenset(word.term for word in alike_ones)
            for start, end, held in _regions(text, alike_ones, spoken):
                there = {word.term for word in words if word.says and start <= word.start < end} - others
                for word in held:
                    found[word.term] |= there
    return {term: frozenset(said) for term, said in found.items()}


def _regions(text: str, figures: Sequence[Token], spoken: Language) -> Iterator[tuple[int, int, list[Token]]]:
    """Yields parts [start, end) of a sentence with their figures: several only if no boundary separates them."""
    start, held = 0, list(figures[:1])
    for one, following in pairwise(figures):
        if (border := _border(text, one.end, following.start, spoken)) is not None:
            yield start, border, held
            start, held = border, []
        held.append(following)
    yield start, len(text), held


def _border(text: str, start: int, end: int, spoken: Language) -> int | None:
    """Returns the last certain boundary between two figures, or else the last possible one."""
    for borders in (spoken.border, BORDER):
        if found := list(borders.finditer(text, start, end)):
            return found[-1].start()
    return None
