"""Falsifies true sentences: changes a number, date, unit, name, negation or word, or swaps two figures.

Independent of the product.
"""

from __future__ import annotations

import calendar
import random
import re
from collections.abc import Callable, Sequence

MONTHS = calendar.month_name[1:]
MONTH = re.compile(rf"\b(?:{'|'.join(MONTHS)})\b")
NUMBER = re.compile(r"(?<![\w.,])\d[\d,]*(?:\.\d+)?(?![\w,]*\d)")
YEAR = re.compile(r"(?<![\w.,])(?:1[5-9]|20)\d\d(?![\w.,]*\d)")
WORDS = {"two": "five", "three": "six", "four": "nine", "five": "two", "six": "three", "seven": "four", "ten": "twelve"}
NUMBER_WORD = re.compile(rf"\b(?:{'|'.join(WORDS)})\b", re.IGNORECASE)
UNITS = {
    "kilometres": "miles",
    "km": "mi",
    "metres": "feet",
    "miles": "kilometres",
    "million": "billion",
    "billion": "million",
    "years": "months",
    "months": "weeks",
    "days": "hours",
    "hours": "minutes",
    "weeks": "months",
    "minutes": "hours",
    "percent": "million",
    "ft": "m",
    "mi": "km",
    "kg": "tonnes",
}
UNIT = re.compile(rf"(?<=\d\s)(?:{'|'.join(UNITS)})\b")
NAME = re.compile(r"(?<=[a-z,] )(?:[A-Z][a-z\u00e0-\u00ff]{2,}(?: [A-Z][a-z\u00e0-\u00ff]+)*)")
AUXILIARY = re.compile(
    r"\b(?:is|are|was|were|has|had|can|could|will|would|may|must|should|does|did)\b(?! (?:not|n't|no|never)\b)"
)
NEGATION = re.compile(r"(?: not\b| n't\b|(?<=[a-z])n't\b| never\b)")
# Capitalised words that are not names.
NO_NAMES = frozenset({*MONTHS, "The", "This", "These", "In", "It", "He", "She", "They", "However"})

# Replacing one by the other reverses a claim. Only words with one clear opposite.
OPPOSITES = """
    increased decreased, increase decrease, increases decreases, increasing decreasing, higher lower, highest
    lowest, larger smaller, largest smallest, longer shorter, longest shortest, older younger, oldest newest,
    earliest latest, early late, before after, above below, inside outside, upper lower, first last, won lost,
    wins loses, began ended, begins ends, opened closed, rose fell, male female, men women, father mother, son
    daughter, brother sister, husband wife, king queen, born died, accepted rejected, allowed forbidden, public
    private, major minor, strong weak, hot cold, warm cool, wet dry, heavy light, fast slow, rich poor, rural
    urban, modern ancient, northern southern, eastern western, north south, east west, left right, positive
    negative, maximum minimum, majority minority, success failure, successful unsuccessful, possible impossible,
    common rare, legal illegal, temporary permanent, internal external, natural artificial, domestic foreign,
    victory defeat, arrived departed, entered left, appeared disappeared, included excluded, many few, most least,
    more less, always never, good bad, best worst, better worse, deep shallow, wide narrow, attacked defended,
    created destroyed, joined left, gained lost, supported opposed
"""
OPPOSITE_OF = {one: other for pair in OPPOSITES.split(",") for one, other in (pair.split(), reversed(pair.split()))}
OPPOSITE = re.compile(rf"\b(?:{'|'.join(sorted(OPPOSITE_OF, key=len, reverse=True))})\b")
# Swapped numbers must have this many words of four letters between them: "in 1994 and 1998" stays true.
WORDS_BETWEEN = 2
# Numbers from here on are not years.
LARGE = 3000

Change = Callable[[random.Random, str, str, Sequence[str]], "str | None"]


def _replaced(text: str, match: re.Match[str], new: str) -> str:
    return text[: match.start()] + new + text[match.end() :]


def _pick(rng: random.Random, pattern: re.Pattern[str], text: str) -> re.Match[str] | None:
    found = [m for m in pattern.finditer(text) if m.group() not in NO_NAMES or pattern is MONTH]
    return rng.choice(found) if found else None


def number(rng: random.Random, text: str, passage: str, _names: Sequence[str]) -> str | None:
    """Replaces a number by one that is not in the passage."""
    if match := _pick(rng, NUMBER, text):
        plain = float(match.group().replace(",", ""))
        for _ in range(20):
            new = plain + rng.choice((-7, -3, -2, -1, 1, 2, 3, 8, 10)) * (1 if plain < LARGE else 113)
            written = f"{new:g}" if plain < LARGE else f"{new:,.0f}"
            if new > 0 and written not in passage:
                return _replaced(text, match, written)
    elif match := _pick(rng, NUMBER_WORD, text):
        new = WORDS[match.group().casefold()]
        return _replaced(text, match, new.capitalize() if match.group()[0].isupper() else new)
    return None


def number_nearby(rng: random.Random, text: str, passage: str, _names: Sequence[str]) -> str | None:
    """Replaces a number by another one of the same passage."""
    match = _pick(rng, NUMBER, text)
    others = [n for n in set(NUMBER.findall(passage)) if n not in text]
    return _replaced(text, match, rng.choice(sorted(others))) if match and others else None


def date(rng: random.Random, text: str, _passage: str, _names: Sequence[str]) -> str | None:
    """Replaces a month by another one, or a year by one nearby."""
    if match := _pick(rng, MONTH, text):
        return _replaced(text, match, rng.choice([month for month in MONTHS if month != match.group()]))
    if match := _pick(rng, YEAR, text):
        return _replaced(text, match, str(int(match.group()) + rng.choice((-10, -9, -2, -1, 1, 2, 9, 10))))
    return None


def unit(rng: random.Random, text: str, _passage: str, _names: Sequence[str]) -> str | None:
    """Replaces a unit or scale by another one."""
    match = _pick(rng, UNIT, text)
    return _replaced(text, match, UNITS[match.group()]) if match else None


def name(rng: random.Random, text: str, passage: str, names: Sequence[str]) -> str | None:
    """Replaces a name by one that is not in the passage."""
    match = _pick(rng, NAME, text)
    others = [one for one in names if not any(part in passage for part in one.split())]
    return _replaced(text, match, rng.choice(others)) if match and others else None


def name_nearby(rng: random.Random, text: str, passage: str, _names: Sequence[str]) -> str | None:
    """Replaces a name by another one of the same passage."""
    match = _pick(rng, NAME, text)
    others = sorted({n for n in NAME.findall(passage) if n not in NO_NAMES and n not in text})
    return _replaced(text, match, rng.choice(others)) if match and others else None


def negation(rng: random.Random, text: str, _passage: str, _names: Sequence[str]) -> str | None:
    """Removes a negation, or inserts one after an auxiliary verb."""
    if match := _pick(rng, NEGATION, text):
        return _replaced(text, match, "")
    if match := _pick(rng, AUXILIARY, text):
        return text[: match.end()] + " not" + text[match.end() :]
    return None


def exchanged(rng: random.Random, text: str, _passage: str, _names: Sequence[str]) -> str | None:
    """Swaps two numbers of the sentence, if both are years or neither is."""
    found = list(NUMBER.finditer(text))
    pairs = [
        (one, other)
        for i, one in enumerate(found)
        for other in found[i + 1 :]
        if one.group() != other.group()
        and bool(YEAR.fullmatch(one.group())) == bool(YEAR.fullmatch(other.group()))
        and len(re.findall(r"[^\W\d_]{4,}", text[one.end() : other.start()])) >= WORDS_BETWEEN
    ]
    if not pairs:
        return None
    one, other = rng.choice(pairs)
    return _replaced(_replaced(text, other, one.group()), one, other.group())


def opposite(rng: random.Random, text: str, _passage: str, _names: Sequence[str]) -> str | None:
    """Replaces a word by its opposite."""
    match = _pick(rng, OPPOSITE, text)
    return _replaced(text, match, OPPOSITE_OF[match.group()]) if match else None


CHANGES: dict[str, Change] = {
    "number": number,
    "number of the same passage": number_nearby,
    "date": date,
    "unit": unit,
    "name": name,
    "name of the same passage": name_nearby,
    "negation": negation,
}
# Changes that are less visible, counted separately.
SUBTLE: dict[str, Change] = {"two numbers exchanged": exchanged, "opposite word": opposite}
