"""Reads the scale and currency that a table states once for its figures: "(in millions, except shares)". Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass

SCALES = {"thousand": 3, "million": 6, "billion": 9, "trillion": 12}
NAMES = "|".join(SCALES)
# "(in millions)", "(dollars in thousands)", "amounts in billions of euros".
STATED = re.compile(
    rf"\bin (?P<scale>{NAMES})s\b(?: of (?P<of>[^\W\d_]+))?(?P<but>,? (?:except|other than|unless)[^)\n]*)?",
    re.IGNORECASE,
)
BRACKETED = re.compile(rf"\([^()]{{0,40}}\bin (?:{NAMES})s\b[^()]{{0,200}}\)", re.IGNORECASE)
CURRENCIES = {"dollar": "$", "euro": "\u20ac", "pound": "\u00a3", "yen": "\u00a5"}
BEFORE = re.compile(rf"\b({'|'.join(CURRENCIES)})s?,? in ", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale stated for all figures of a table, but for those described by the text `but`.

    `name` is "million" or another word; `power` is its power of ten. `currency` is a sign, or "".
    """

    name: str
    power: int
    currency: str = ""
    but: str = ""


def without_scale(text: str) -> str:
    """Returns a column's name without the scale in brackets that it states."""
    return " ".join(BRACKETED.sub("", text).split())


def stated_scale(text: str) -> Scale | None:
    """Returns the last scale that a text states; None if it states none."""
    found = list(STATED.finditer(text))
    if not found:
        return None
    last = found[-1]
    name = last["scale"].casefold()
    word = (last["of"] or "").casefold().removesuffix("s")
    before = BEFORE.search(text[: last.end()])
    currency = CURRENCIES.get(word) or (CURRENCIES[before[1].casefold()] if before else "")
    return Scale(name, SCALES[name], currency, last["but"] or "")
