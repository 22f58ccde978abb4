"""Recognises questions for a count, sum, average, median, highest or lowest over rows, and computes them. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from statistics import median

from app.text import Figure, without_zeros


class Aggregate(StrEnum):
    """A calculation over the rows of a table."""

    COUNT = "Number of rows"
    DISTINCT = "Number of different values"
    SUM = "Sum"
    AVERAGE = "Average"
    MEDIAN = "Median"
    HIGHEST = "Highest"
    LOWEST = "Lowest"


COUNTED = re.compile(
    r"\b(?:how\smany|number\sof|count(?:\sof)?|wie\sviele|Anzahl(?:\sder)?|combien\s(?:de|d)|nombre\s(?:de|d)"
    r"|cu\u00e1nt[oa]s|n\u00famero\sde)\b",
    re.IGNORECASE,
)
DISTINCT = re.compile(
    r"\b(?:different|distinct|unique|verschiedene[nr]?|diff\u00e9rent(?:e?s)?|distint[oa]s)\b", re.IGNORECASE
)
FORMS = (
    (
        Aggregate.SUM,
        re.compile(
            r"\b(?:sum|(?:in\s)?total|altogether|combined|Summe|insgesamt|Gesamtsumme|somme|au\stotal|en\stotal|suma)"
            r"(?:\s(?:of|der|des|von))?\b",
            re.IGNORECASE,
        ),
    ),
    (
        Aggregate.AVERAGE,
        re.compile(
            r"\b(?:average|(?<=the\s)mean(?!\?)|Durchschnitt|durchschnittlich(?:e[nrs]?)?|moyenne|moyen|promedio"
            r"|(?<=la\s)media)(?:\sof)?\b",
            re.IGNORECASE,
        ),
    ),
    (Aggregate.MEDIAN, re.compile(r"\bmedian(?:\sof)?\b", re.IGNORECASE)),
    (
        Aggregate.HIGHEST,
        re.compile(
            r"\b(?:highest|largest|biggest|greatest|maximum|maximal(?:e[nrs]?)?|h\u00f6chste[nrs]?|gr\u00f6\u00dfte[nrs]?"
            r"|plus\s(?:\u00e9lev\u00e9e?|grande?)|m\u00e1s\salt[oa]|m\u00e1xim[oa])\b",
            re.IGNORECASE,
        ),
    ),
    (
        Aggregate.LOWEST,
        re.compile(
            r"\b(?:lowest|smallest|minimum|minimal(?:e[nrs]?)?|niedrigste[nrs]?|kleinste[nrs]?"
            r"|plus\s(?:basse?|petite?|faible)|m\u00e1s\sbaj[oa]|m\u00ednim[oa])\b",
            re.IGNORECASE,
        ),
    ),
)


@dataclass(frozen=True, slots=True)
class Wanted:
    """An aggregate that a question asks for, with the places [start, end) of its words.

    `counts` is the end of the words for "how many", 0 if there are none; the words after it name what is counted.
    """

    aggregate: Aggregate
    places: tuple[tuple[int, int], ...]
    counts: int = 0


def read_wanted(question: str) -> Wanted | None:
    """Returns the one aggregate that a question asks for; None if there is none, or several."""
    counted = COUNTED.search(question)
    places = [counted.span()] if counted else []
    kinds = []
    for kind, pattern in FORMS:
        found = [one.span() for one in pattern.finditer(question)]
        if found:
            kinds.append(kind)
            places += found
    if len(kinds) > 1 or not places:
        return None
    aggregate = kinds[0] if kinds else Aggregate.COUNT
    if counted and (different := DISTINCT.search(question, counted.end())):
        if kinds and aggregate is not Aggregate.SUM:
            return None
        aggregate = Aggregate.DISTINCT
        places.append(different.span())
    return Wanted(aggregate, tuple(places), counted.end() if counted else 0)


def computed(aggregate: Aggregate, figures: Sequence[Figure]) -> Figure:
    """Returns the sum, average, median, highest or lowest of figures of one unit, at least one.

    An average and a median have up to two digits more than the most exact figure.
    """
    values, places = [one.value for one in figures], max(one.places for one in figures)
    if aggregate is Aggregate.SUM:
        return figures[0].with_value(sum(values[1:], values[0]))
    if aggregate in (Aggregate.HIGHEST, Aggregate.LOWEST):
        return figures[0].with_value(max(values) if aggregate is Aggregate.HIGHEST else min(values))
    exact = median(values) if aggregate is Aggregate.MEDIAN else sum(values[1:], values[0]) / len(values)
    return figures[0].with_value(without_zeros(exact, places))
