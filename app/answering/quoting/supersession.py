"""Finds the later statement that replaces an older one: an amendment, or the same sentence of a later date. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Protocol, TypeVar

from app.models import Passage
from app.text import NO_DATE, Date, content_terms, latest_date, tokenize

# A sentence with one of these words replaces the figure that it names by the other one that it names.
REPLACES = re.compile(
    r"\b(?:replac\w+|amend\w+|substitut\w+|supersed\w+|revis\w+|instead of|no longer|postpon\w+|moved|brought forward|"
    r"(?:chang|rais|increas|reduc|lower|extend|shorten)\w*)\b",
    re.IGNORECASE,
)
# Share of their words, without figures, that two statements of the same thing have in common.
SAME_STATEMENT = 0.6

Measure = tuple[str, str]


class Statement(Protocol):
    """A sentence of a passage."""

    @property
    def passage(self) -> Passage:
        """The passage that holds it."""
        ...

    @property
    def text(self) -> str:
        """Its words."""
        ...


S = TypeVar("S", bound=Statement)


def superseding(statement: S, others: Sequence[S]) -> S | None:
    """Returns the latest of the statements that replace another one; None if there is none."""
    found = [one for one in others if _replaces(one, statement)]
    return max(found, key=_dated, default=None)


def date_of(statement: Statement) -> str:
    """Returns the date of a statement as its document, headings or file name give it: "2024", "3 May 2024"; or ""."""
    year, month, day = _dated(statement)
    return "-".join(f"{part:02}" for part in (year, month, day) if part)


def _replaces(later: Statement, earlier: Statement) -> bool:
    """Returns True if a statement has another figure of a kind that the other one has, and is known to be later."""
    ours, theirs = set(_measures(earlier.text)), set(_measures(later.text))
    other = {kind for kind, _ in theirs - ours} & {kind for kind, _ in ours}
    if not other:
        return False
    named = {kind for kind, _ in ours & theirs}
    if named & other:
        return bool(REPLACES.search(later.text))
    return _dated(later) > _dated(earlier) > NO_DATE and _alike(later.text, earlier.text)


def _dated(statement: Statement) -> Date:
    return latest_date(statement.passage.above)


def _alike(one: str, other: str) -> bool:
    first, second = ({term for term in content_terms(text) if not term[:1].isdigit()} for text in (one, other))
    return len(first & second) >= SAME_STATEMENT * len(first | second) > 0


def _measures(text: str) -> Iterator[Measure]:
    """Yields the figures of a text by their kind: the unit or word that follows, or "date" for a day of a month."""
    words = tokenize(text)
    for one, following in pairwise([*words, *words[-1:]]):
        if one.kind != "number":
            continue
        if following.kind == "month":
            yield "date", f"{one.term} {following.term}"
        elif one.unit or (following.kind == "word" and not text[one.end : following.start].strip()):
            yield one.unit or following.term, one.term
