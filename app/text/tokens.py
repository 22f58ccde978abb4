"""Splits a text into words and classifies them: numbers with their units, months, names. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from typing import Final, Literal

from text_to_num import text2num

from app.text import terms
from app.text.language_data import Language, language_data_of
from ingest.text import ENGLISH, SPACELESS

Kind = Literal["number", "month", "weekday", "name", "word", "stop"]
FACT_KINDS: Final[frozenset[str]] = frozenset({"number", "month", "weekday", "name"})
# Numbers with commas between groups of digits, and numbers with a decimal comma and dots or spaces between groups.
DOTTED = r"\d(?:[\d,]*\d)?(?:\.\d+)?"
GROUPED = r"\d{1,3}(?:[.\u00a0\u202f '\u2019]\d{3}){1,12}(?!\d)(?:,\d+)?"
COMMAED = rf"(?<![\d.,]){GROUPED}|\d+(?:,\d{{3}}){{1,12}}\.\d+|\d+(?:[.,]\d+)?"
ISO_DATE = r"\b\d{4}-\d{2}-\d{2}\b"
CLOCK = r"\d{1,2}:[0-5]\d(?![\d:])"
# A day and a month without a year differ from a number by a word before them and a dot after both.
DAY_AND_MONTH = "|".join(rf"(?<=\b{word} )\d{{1,2}}\.\d{{1,2}}\." for word in ("am", "zum", "vom", "bis", "den", "ab"))
DAY_FIRST = r"\b\d{1,2}(?P<mark>[./])\d{1,2}(?P=mark)\d{4}\b"


def _pattern(number: str, dates: str) -> re.Pattern[str]:
    """Matches words, numbers, dates and signs. "U.S." and "U. S." are one word; "isn't" is two."""
    return re.compile(
        rf"(?P<date>{dates})|(?:[A-Z]\.\s?){{2,}}|{CLOCK}|{number}|[{SPACELESS}]|[^\W\d_]+(?=n['\u2019]t\b)|n['\u2019]t\b|"
        rf"[^\W\d_{SPACELESS}][^\W{SPACELESS}]*(?:['\u2019][^\W\d_]+)?|[%\u2030$\u20ac\u00a3\u00a5\u20bd\u00b0]"
    )


WORD = _pattern(DOTTED, ISO_DATE)
WORD_WITH_COMMA = _pattern(COMMAED, f"{ISO_DATE}|{DAY_FIRST}|{DAY_AND_MONTH}")
# Characters before a word that are searched for the start of its sentence or the word before it.
BEFORE = 40
BEGINS = re.compile(
    rf"(?:^|[.!?:\u2026|>#*\u2022\u00bf\u00a1-])[\s\"'`\u201c\u201e\u2018\u00ab(*_]{{0,{BEFORE}}}$",
)
PREVIOUS = re.compile(rf"(\w{{1,{BEFORE}}})\.?\s{{1,{BEFORE}}}$")
# A capitalised word, including a hyphen with lower-case letters; and a run of them, with small words between.
CAPITALISED = r"[A-Z][\w'\u2019]*+(?:-++(?![A-Z])[\w'\u2019]*+)*+"
NAMES = re.compile(rf"{CAPITALISED}((?:\s++(?:of|and|the|for|on)\b)?[\s-]++{CAPITALISED})*+")
# Two words that may form a unit: "por ciento".
PHRASE = re.compile(r"\s+[^\W\d_]+\s+[^\W\d_]+")
WORDS_OF_A_PHRASE = 2
PART = re.compile(r"\d+")
MOST_MONTHS, MOST_DAYS, DECADE, HUNDRED = 12, 31, 10, 100
# Endings by which a name may differ from the people or language of a place: Canada, Canadian.
PEOPLE = frozenset({"", "n", "an", "ian", "ean", "ese", "ish", "i", "ic", "s", "es", "a", "y", "e"})
LEAST_SHARED = 4
# Range of whole numbers without a unit that count as years.
YEARS = (1000, 2100)
# The words before "n't", and "n't" itself.


@dataclass(frozen=True, slots=True)
class Token:
    """A word at [start, end) of its text.

    `term` is its stem, or a number's normal form; `unit` is the normal form of a number's unit, or "".
    """

    term: str
    kind: Kind
    start: int
    end: int
    unit: str = ""

    @property
    def says(self) -> bool:
        """True if the word carries meaning of its own."""
        return self.kind != "stop"


def tokenize(text: str, spoken: Language | None = None) -> tuple[Token, ...]:
    """Returns the words of a text, in order; a number written in several words ("13.1 million") is one.

    Args:
        text: a text in one language.
        spoken: the language; None for English.
    """
    return _read_words(text, (spoken or language_data_of(ENGLISH)).name)


@lru_cache(maxsize=4_000)
def _read_words(text: str, name: str) -> tuple[Token, ...]:
    spoken = language_data_of(name)
    pattern = WORD_WITH_COMMA if spoken.decimal_comma else WORD
    found = [word for match in pattern.finditer(text) for word in _words(text, match, spoken)]
    return tuple(_joined(text, found, spoken))


def acronyms(text: str) -> frozenset[str]:
    """Returns the initials of runs of capitalised words, casefolded: "mls" for "Major League Soccer"."""
    runs = (found[0] for found in NAMES.finditer(text) if found[1])
    return frozenset("".join(re.findall(r"\b[A-Z]", run)).casefold() for run in runs)


def same_name(one: str, other: str) -> bool:
    """Returns True if two stems name the same: equal, or a place and its people."""
    if one == other:
        return True
    shared = next((i for i, (a, b) in enumerate(zip(one, other, strict=False)) if a != b), min(len(one), len(other)))
    return shared >= LEAST_SHARED and one[shared:] in PEOPLE and other[shared:] in PEOPLE


def say_the_same(one: Token, other: Token) -> bool:
    """Returns True if two words could replace each other: names, months, or numbers that count the same thing."""
    if one.kind != other.kind:
        return False
    if one.kind != "number" or (one.unit and one.unit == other.unit):
        return True
    return not (one.unit and other.unit) and is_year(one) == is_year(other)


def is_year(word: Token) -> bool:
    """Returns True if a number has no unit and is in the range of years."""
    return not word.unit and word.term.isdecimal() and YEARS[0] <= int(word.term) <= YEARS[1]


def _words(text: str, match: re.Match[str], spoken: Language) -> Iterator[Token]:
    if match["date"]:
        yield from _date(match)
        return
    written, start = match.group().rstrip(), match.start()
    before, mark, rest = written.replace("\u2019", "'").partition("'")
    if mark and rest and before.casefold() in spoken.elisions:
        written, start = rest, start + len(before) + 1
    plain = written.casefold().replace("\u2019", "'").removesuffix("'s")
    kind, term = _read(text, written, plain, start, spoken)
    yield Token(term, kind, start, start + len(written))


def _date(match: re.Match[str]) -> Iterator[Token]:
    """Yields day, month and year of a numeric date, in the order written; plain numbers if it is not a date."""
    parts = list(PART.finditer(match.group()))
    is_iso = "-" in match.group()
    day, month = (int(parts[i].group()) for i in ((2, 1) if is_iso else (0, 1)))
    is_date = 1 <= month <= MOST_MONTHS and 1 <= day <= MOST_DAYS
    for i, part in enumerate(parts):
        start, end = match.start() + part.start(), match.start() + part.end()
        if i == 1 and is_date:
            yield Token(f"month {month}", "month", start, end)
        else:
            yield Token(str(int(part.group())), "number", start, end)


def _read(text: str, written: str, plain: str, start: int, spoken: Language) -> tuple[Kind, str]:
    if written[0].isdigit():
        return "number", _numeral(written, spoken)
    if (value := _number_word(plain, spoken.name)) is not None:
        return "number", str(value)
    if day := _calendar_word(written, plain, spoken):
        return day
    if plain in spoken.units:
        unit = spoken.units[plain]
        return ("word" if unit.isalpha() else "stop"), unit  # a sign is part of its number, not a word
    if plain in spoken.stop or len(plain) == 1:
        return "stop", plain
    return _kind(text, written, start, spoken), spoken.stem(plain.replace(".", "").replace(" ", ""))


def _calendar_word(written: str, plain: str, spoken: Language) -> tuple[Kind, str] | None:
    if plain in spoken.months and (written[0].isupper() or not spoken.capital_months):
        return "month", f"month {spoken.months[plain]}"
    if plain in spoken.weekdays:
        return "weekday", f"weekday {spoken.weekdays[plain]}"
    return None


def _numeral(written: str, spoken: Language) -> str:
    """Returns the normal form of a number or a time of day: "14:00" equals 14, but "14:30" differs from it."""
    hour, clock, minute = written.partition(":")
    if clock:
        return str(int(hour)) if minute == "00" else f"{int(hour)}:{minute}"
    return _figure(written) if spoken.decimal_comma else terms.number(written)


def _figure(written: str) -> str:
    """Returns the normal form of a number with a decimal comma: "1.234,50" gives "1234.5"."""
    if re.fullmatch(GROUPED, written):
        plain = re.sub(r"[^\d,]", "", written).replace(",", ".")
    elif "," in written and "." in written:
        plain = written.replace(",", "")
    else:
        plain = written.replace(",", ".")
    return terms.number(plain)


@lru_cache(maxsize=50_000)
def _number_word(plain: str, name: str) -> int | None:
    """Returns the value of a number word, including compounds like "einundzwanzig"; None for other words."""
    spoken = language_data_of(name)
    if plain in spoken.numbers:
        return spoken.numbers[plain]
    if not spoken.compounds or plain in spoken.scales or plain in spoken.stop or not plain.isalpha():
        return None
    try:
        value = int(text2num(plain, spoken.code))
    except ValueError:
        return None
    return value if value > 1 else None  # "one" is more often a pronoun


def _kind(text: str, written: str, start: int, spoken: Language) -> Kind:
    """Classifies a word; names are capitalised inside a sentence, or have capitals or digits inside."""
    if any(c.isupper() or c.isdigit() or c == "." for c in written[1:]):
        return "name"
    if not written[0].isupper() or BEGINS.search(text, max(0, start - BEFORE), start):
        return "word"
    return "name" if not spoken.capital_nouns or _is_named(text, written, start, spoken) else "word"


def _is_named(text: str, written: str, start: int, spoken: Language) -> bool:
    """Returns True for a name in a language that capitalises all nouns, judging by its ending and the word before."""
    found = PREVIOUS.search(text, max(0, start - BEFORE), start)
    if not found or written.casefold().endswith(spoken.noun_endings):
        return False
    previous = found.group(1).casefold()
    if previous in spoken.before_names:
        return True
    counts = previous in spoken.units or previous in spoken.scales or previous in spoken.months
    begins = previous in spoken.stop and BEGINS.search(text, max(0, found.start() - BEFORE), found.start())
    return found.group(1)[0].isupper() and not counts and not begins


def _joined(text: str, words: Sequence[Token], spoken: Language) -> Iterator[Token]:
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
        while at < len(words) and (more := _scaled(text, value, words[at], end, spoken)) is not None:
            value, end = more, words[at].end
            at += 1
        unit = _unit(text, before, words[at : at + 1], (word.start, end), spoken)
        phrase = "" if unit else _unit_phrase(text, end, spoken)
        yield Token(_plain(value), "number", word.start, end, unit or phrase)
        at += WORDS_OF_A_PHRASE if phrase else 0


def _scaled(text: str, value: Decimal, following: Token, end: int, spoken: Language) -> Decimal | None:
    """Returns the value including the word after it, if that is part of the number."""
    between, written = text[end : following.start], text[following.start : following.end].casefold()
    if written in spoken.scales and not between.strip(" -"):
        return value * Decimal(10 ** spoken.scales[written])
    is_tens = value % DECADE == 0 and DECADE < value < HUNDRED
    if is_tens and between in {"-", " "} and written in spoken.digits:
        return value + spoken.digits[written]
    return None


def _unit(text: str, before: Token | None, after: Sequence[Token], span: tuple[int, int], spoken: Language) -> str:
    start, end = span
    if before is not None and not text[before.end : start].strip():
        sign = text[before.start : before.end]
        if sign in spoken.units and not sign.isalpha():
            return spoken.units[sign]
    for following in after:
        written = text[following.start : following.end].casefold()
        if written in spoken.units and not text[end : following.start].strip(" -"):
            return spoken.units[written]
    return ""


def _unit_phrase(text: str, end: int, spoken: Language) -> str:
    """Returns the unit formed by two words after a number, such as "por ciento"."""
    phrase = PHRASE.match(text, end)
    return spoken.units.get(" ".join(phrase.group().split()).casefold(), "") if phrase else ""


def _value(term: str) -> Decimal | None:
    try:
        return Decimal(term)
    except InvalidOperation:
        return None


def _plain(value: Decimal) -> str:
    return format(value.normalize(), "f") if value else "0"
