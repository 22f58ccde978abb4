"""A text word by word, with what each word states: numbers with their units, months, names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final, Literal

from app import terms
from ingest.stop_words import STOP_WORDS

Kind = Literal["number", "month", "name", "word", "stop"]
FACTS: Final[frozenset[str]] = frozenset({"number", "month", "name"})
# "U.S." and "U. S." are one word; "isn't" is two.
WORD = re.compile(
    rf"(?:[A-Z]\.\s?){{2,}}|\d(?:[\d,]*\d)?(?:\.\d+)?|[{terms.SPACELESS}]|[^\W\d_]+(?=n['\u2019]t\b)|n['\u2019]t\b|"
    rf"[^\W\d_{terms.SPACELESS}][^\W{terms.SPACELESS}]*(?:['\u2019][^\W\d_]+)?|[%\u2030$\u20ac\u00a3\u00a5\u00b0]"
)
BEGINS = re.compile(r"(?:^|[.!?:\u2026|>#*\u2022-])[\s\"'`\u201c\u2018(*_]*$")
MONTHS = {
    name: number
    for number, names in enumerate(
        (
            ("january", "jan"),
            ("february", "feb"),
            ("march", "mar"),
            ("april", "apr"),
            ("may",),
            ("june", "jun"),
            ("july", "jul"),
            ("august", "aug"),
            ("september", "sep", "sept"),
            ("october", "oct"),
            ("november", "nov"),
            ("december", "dec"),
        ),
        start=1,
    )
    for name in names
}


def _numbered(words: str, first: int, step: int = 1) -> dict[str, int]:
    return {word: first + step * i for i, word in enumerate(words.split())}


CARDINALS = {"zero": 0} | _numbered(
    "two three four five six seven eight nine ten eleven twelve thirteen fourteen fifteen sixteen seventeen eighteen "
    "nineteen",
    2,
)
TENS = _numbered("twenty thirty forty fifty sixty seventy eighty ninety", 20, 10)
SCALES = {"hundred": 2, "thousand": 3, "million": 6, "billion": 9, "trillion": 12, "bn": 9, "mn": 6}
# "Second" is left out: it is a unit as well.
ORDINALS = _numbered("third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth", 3)
# What may follow "twenty-".
DIGITS = _numbered("one two three four five six seven eight nine", 1)
# Words that are numbers by themselves; "one" is rather a pronoun.
IN_WORDS = CARDINALS | TENS | ORDINALS
# Each unit in all its spellings, by what it measures; a spelling alone on its line is the unit's plain form.
UNITS = {
    spelling: line.split()[0]
    for line in (
        "% percent percentage",
        "$ dollar dollars usd",
        "\u20ac euro euros eur",
        "\u00a3 pound-sterling gbp sterling",
        "\u00a5 yen yuan",
        "km kilometre kilometres kilometer kilometers",
        "m metre metres meter meters",
        "cm centimetre centimetres centimeter centimeters",
        "mm millimetre millimetres millimeter millimeters",
        "mi mile miles",
        "ft foot feet",
        "inch inches",
        "yard yards yd",
        "acre acres",
        "hectare hectares ha",
        "kg kilogram kilograms kilogramme kilogrammes",
        "g gram grams",
        "lb lbs pound pounds",
        "tonne tonnes ton tons",
        "litre litres liter liters",
        "gallon gallons",
        "ms millisecond milliseconds",
        "second seconds sec",
        "minute minutes min mins",
        "hour hours hr hrs",
        "day days",
        "week weeks",
        "month months",
        "year years yr yrs",
        "decade decades",
        "century centuries",
        "mph",
        "kw kilowatt kilowatts",
        "mw megawatt megawatts",
        "kb kilobyte kilobytes",
        "mb megabyte megabytes mib",
        "gb gigabyte gigabytes gib",
        "tb terabyte terabytes",
        "\u00b0 degree degrees",
    )
    for spelling in line.split()
}
# A name may be written as people or language of a place: Canada, Canadian.
PEOPLE = frozenset({"", "n", "an", "ian", "ean", "ese", "ish", "i", "ic", "s", "es", "a", "y", "e"})
LEAST_SHARED = 4
# Whole numbers without a unit that are taken for years.
YEARS = (1000, 2100)
# What stands before "n't", and that itself.
CONTRACTED = frozenset({"n't", "ca", "wo", "sha", "ai", "must", "need"})


@dataclass(frozen=True, slots=True)
class Word:
    """A word at [start, end) of its text.

    `term` is its stem, or a number's plain form; `unit` the plain form of a number's unit, or "".
    """

    term: str
    kind: Kind
    start: int
    end: int
    unit: str = ""

    @property
    def says(self) -> bool:
        """Whether it carries meaning of its own."""
        return self.kind != "stop"


@lru_cache(maxsize=4_000)
def read(text: str) -> tuple[Word, ...]:
    """The words of a text, in order; a number written in several words ("13.1 million") is one."""
    return tuple(_joined(text, [_word(text, match) for match in WORD.finditer(text)]))


def acronyms(text: str) -> frozenset[str]:
    """Initials of the runs of capitalised words in a text, casefolded: "Major League Soccer" gives "mls"."""
    runs = re.findall(r"(?:[A-Z][\w'\u2019-]*(?:\s+(?:of|and|the|for|on)\b)?[\s-]+)+[A-Z][\w'\u2019]*", text)
    return frozenset("".join(re.findall(r"\b[A-Z]", run)).casefold() for run in runs)


def same_name(one: str, other: str) -> bool:
    """Whether two stems name the same: equal, or a place and its people."""
    if one == other:
        return True
    shared = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return shared >= LEAST_SHARED and one[shared:] in PEOPLE and other[shared:] in PEOPLE


def alike(one: Word, other: Word) -> bool:
    """Whether two words could stand in each other's place: names, months, or numbers that count the same thing."""
    if one.kind != other.kind:
        return False
    if one.kind != "number" or (one.unit and one.unit == other.unit):
        return True
    return not (one.unit and other.unit) and is_year(one) == is_year(other)


def is_year(word: Word) -> bool:
    """Whether a number is one without a unit that is taken for a year."""
    return not word.unit and word.term.isdecimal() and YEARS[0] <= int(word.term) <= YEARS[1]


def _word(text: str, match: re.Match[str]) -> Word:
    written = match.group().rstrip()
    start, end = match.start(), match.start() + len(written)
    plain = written.casefold().replace("\u2019", "'").removesuffix("'s")
    kind, term = _read(text, written, plain, start)
    return Word(term, kind, start, end)


def _read(text: str, written: str, plain: str, start: int) -> tuple[Kind, str]:
    if written[0].isdigit():
        return "number", terms.number(written)
    if plain in IN_WORDS:
        return "number", str(IN_WORDS[plain])
    if plain in MONTHS and written[0].isupper():
        return "month", f"month {MONTHS[plain]}"
    if plain in UNITS:
        unit = UNITS[plain]
        return ("word" if unit.isalpha() else "stop"), unit  # a sign is its number's unit, and no word of its own
    if plain in STOP_WORDS or len(plain) == 1 or plain in CONTRACTED:
        return "stop", plain
    return _kind(text, written, start), terms.stem(plain.replace(".", "").replace(" ", ""))


def _kind(text: str, written: str, start: int) -> Kind:
    """Names are capitalised inside a sentence, or have capitals or digits inside."""
    inner = any(c.isupper() or c.isdigit() or c == "." for c in written[1:])
    return "name" if inner or (written[0].isupper() and not BEGINS.search(text, 0, start)) else "word"


def _joined(text: str, words: Sequence[Word]) -> Iterator[Word]:
    """Joins a number with its scale, its tens and its unit."""
    at = 0
    while at < len(words):
        word = words[at]
        at += 1
        if word.kind != "number":
            yield word
            continue
        before = words[at - 2] if at > 1 else None
        value, end = _value(word.term), word.end
        if value is None:
            yield word
            continue
        while at < len(words) and (more := _scaled(text, value, words[at], end)) is not None:
            value, end = more, words[at].end
            at += 1
        yield Word(_plain(value), "number", word.start, end, _unit(text, before, words[at : at + 1], word.start, end))


def _scaled(text: str, value: Decimal, following: Word, end: int) -> Decimal | None:
    """The value with the word after it, where that belongs to it."""
    between, written = text[end : following.start], text[following.start : following.end].casefold()
    if written in SCALES and not between.strip(" -"):
        return value * Decimal(10 ** SCALES[written])
    if value in TENS.values() and between in {"-", " "} and written in DIGITS:
        return value + DIGITS[written]
    return None


def _unit(text: str, before: Word | None, after: Sequence[Word], start: int, end: int) -> str:
    if before is not None and not text[before.end : start].strip():
        sign = text[before.start : before.end]
        if sign in UNITS and not sign.isalpha():
            return UNITS[sign]
    for following in after:
        written = text[following.start : following.end].casefold()
        if written in UNITS and not text[end : following.start].strip(" -"):
            return UNITS[written]
    return ""


def _value(term: str) -> Decimal | None:
    try:
        return Decimal(term)
    except InvalidOperation:
        return None


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"
