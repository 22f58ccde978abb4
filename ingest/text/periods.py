"""Finds days, months, quarters, halves and years in a text. Pure."""

from __future__ import annotations

import re
from calendar import monthrange
from collections.abc import Iterable, Iterator
from datetime import date
from functools import lru_cache

from babel import Locale

# The languages whose month names are known; the names are Unicode CLDR's.
MONTH_LANGUAGES = ("en", "de", "fr", "es", "it", "pt", "nl", "da", "sv")
YEAR = r"(?:FY\s?|fiscal\s(?:year\s)?|fiscal\s)?((?:19|20)\d\d)"
ORDINALS = {"first": 1, "1st": 1, "second": 2, "2nd": 2, "third": 3, "3rd": 3, "fourth": 4, "4th": 4}
ORDINALS |= {"erstes": 1, "erste": 1, "ersten": 1, "zweites": 2, "zweite": 2, "zweiten": 2}
ORDINALS |= {"drittes": 3, "dritte": 3, "dritten": 3, "viertes": 4, "vierte": 4, "vierten": 4}
PART_OF_YEAR = re.compile(
    rf"\b(?P<part>[QH])(?P<number>[1-4])[\s,/-]*(?:of\s)?{YEAR}\b|\b(?:FY\s?)?(?P<year>(?:19|20)\d\d)[\s/-]*"
    rf"(?P<part2>[QH])(?P<number2>[1-4])\b",
    re.IGNORECASE,
)
NAMED_PART = re.compile(
    rf"\b(?P<ordinal>{'|'.join(ORDINALS)}|[1-4]\.)[\s-](?:fiscal\s)?(?P<part>quarter|half|Quartal|Halbjahr)s?,?\s"
    rf"(?:of\s|in\s)?(?:the\s)?{YEAR}\b",
    re.IGNORECASE,
)
ISO_DAY = re.compile(r"\b((?:19|20)\d\d)-(\d\d)-(\d\d)\b")
POINTED_DAY = re.compile(r"\b(\d{1,2})\.(\d{1,2})\.((?:19|20)\d\d)\b")
ISO_MONTH = re.compile(r"\b((?:19|20)\d\d)-(0[1-9]|1[0-2])\b(?!-)")
# "May 4, 2024", "4 May 2024" and "May 2024", with any word for the month: which words are months is looked up, because
# a pattern of all their names takes twenty times as long.
NAME, CENTURIES = r"([^\W\d_]++)\.?", r"((?:19|20)\d\d)"
MONTH_FIRST = re.compile(rf"\b{NAME}\s+(\d{{1,2}})(?:st|nd|rd|th)?,?\s+{CENTURIES}\b", re.IGNORECASE)
DAY_FIRST = re.compile(rf"\b(\d{{1,2}})\.?\s+(?:de\s+)?{NAME}\s+(?:de\s+)?{CENTURIES}\b", re.IGNORECASE)
MONTH = re.compile(rf"\b{NAME},?\s+(?:de\s+)?{CENTURIES}\b", re.IGNORECASE)
YEAR_DIGITS = re.compile(CENTURIES)
PLAIN_YEAR = re.compile(rf"(?<![\w.,$€£]){YEAR}(?!\w|[.,]\d|\s?%)", re.IGNORECASE)
# Characters that separate the words of a file name.
IN_FILE_NAMES = re.compile(r"[_.\s]+")


# A period's first and last character in a text, and the period.
Mention = tuple[int, int, str]


def periods_in(text: str) -> frozenset[str]:
    """Returns the periods that a text names.

    Each is in the form of ISO 8601 where that has one: "2022-12-31", "2022-12", "2023-Q3", "2023-H1", "2023". A day
    also counts as its month, and all count as their year, so that "Q3 2023" gives "2023-Q3" and "2023". Quarters and
    halves are as the text counts them: no fiscal year is converted.
    """
    found = {period for _, _, period in _mentions(text)}
    return frozenset(found | {one[:7] for one in found} | {one[:4] for one in found})


def period_of(text: str) -> str | None:
    """Returns the period that a text consists of: "2023-Q3" for "Q3 2023"; None if it has any other words."""
    text = text.strip()
    return next((period for start, end, period in _mentions(text) if end - start == len(text)), None)


def days_in(text: str) -> tuple[str, ...]:
    """Returns the days that a text names, each once as an ISO date, in the order in which it names them."""
    return tuple(dict.fromkeys(day for _, _, day in sorted(_days(text))))


def parts_of(period: str) -> list[str]:
    """Returns the periods counted by the same calendar that a period is made of: itself, and the quarters of a half."""
    year, _, half = period.partition("-H")
    return [period, *(f"{year}-Q{2 * int(half) - i}" for i in (1, 0))] if half else [period]


def most_specific(periods: Iterable[str]) -> frozenset[str]:
    """Returns the periods that no other one of them specifies further: "2023-Q3" and not "2023"."""
    periods = frozenset(periods)
    return frozenset(one for one in periods if not any(other.startswith(f"{one}-") for other in periods))


def periods_in_name(name: str) -> frozenset[str]:
    """Returns the periods that a file name names: "2023_Q3.report" gives "2023-Q3" and "2023"."""
    return periods_in(name) | periods_in(IN_FILE_NAMES.sub(" ", name))


def last_day(period: str) -> date:
    """Returns the last day of a period that `periods_in` returned, in calendar years."""
    year = int(period[:4])
    if "Q" in period or "H" in period:
        month = int(period[-1]) * (3 if "Q" in period else 6)
        return _end(year, month)
    parts = [int(part) for part in period.split("-")]
    return date(*parts) if len(parts) == 3 else _end(year, parts[1] if len(parts) > 1 else 12)  # noqa: PLR2004 - y-m-d


def _end(year: int, month: int) -> date:
    return date(year, month, monthrange(year, month)[1])


def _mentions(text: str) -> Iterator[Mention]:
    """Yields the days, months, parts of years and years in a text, kind by kind."""
    if not YEAR_DIGITS.search(text):  # each of them has a year; most names and titles have none
        return
    yield from _days(text)
    yield from _months(text)
    yield from _parts(text)
    yield from ((*one.span(), one[1]) for one in PLAIN_YEAR.finditer(text))


def _parts(text: str) -> Iterator[Mention]:
    """Yields the quarters and halves of years."""
    for one in PART_OF_YEAR.finditer(text):
        part, number = one["part"] or one["part2"], int(one["number"] or one["number2"])
        if part.upper() == "Q" or number <= 2:  # noqa: PLR2004 - a year has two halves
            yield *one.span(), f"{one['year'] or one.group(3)}-{part.upper()}{number}"
    for one in NAMED_PART.finditer(text):
        ordinal = one["ordinal"].casefold()
        number = ORDINALS.get(ordinal) or int(ordinal[0])
        part = "Q" if one["part"].casefold().startswith("quart") else "H"
        yield *one.span(), f"{one.group(3)}-{part}{number}"


def _days(text: str) -> Iterator[Mention]:
    months = _months_by_name()
    written = [(one, one[1], one[2], one[3]) for one in ISO_DAY.finditer(text)]
    written += [(one, one[3], one[2], one[1]) for one in POINTED_DAY.finditer(text)]
    written += [(one, one[3], months.get(one[1].casefold(), 0), one[2]) for one in MONTH_FIRST.finditer(text)]
    written += [(one, one[3], months.get(one[2].casefold(), 0), one[1]) for one in DAY_FIRST.finditer(text)]
    for one, year, month, day in written:
        try:
            yield *one.span(), date(int(year), int(month), int(day)).isoformat()
        except ValueError:  # such as 31 June, or a word that is no month
            continue


def _months(text: str) -> Iterator[Mention]:
    yield from ((*one.span(), one[0]) for one in ISO_MONTH.finditer(text))
    for one in MONTH.finditer(text):
        if number := _months_by_name().get(one[1].casefold()):
            yield *one.span(), f"{one[2]}-{number:02d}"


@lru_cache
def _months_by_name() -> dict[str, int]:
    """Returns the number of each month by its names, without case and without the point of an abbreviation."""
    return {
        name.casefold().rstrip("."): number
        for language in MONTH_LANGUAGES
        for width in ("wide", "abbreviated")
        for number, name in Locale(language).months["format"][width].items()
    }
