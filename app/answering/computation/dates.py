"""Reads the dates of a column, and tells which of them are in a period that a question names. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence

from app.text import NO_DATE, Date, Language, tokenize
from ingest.text import most_specific, periods_in

# "24/05/2024", "24-05-2024 10:30", "24.05.2024": three numbers, the year last.
NUMBERS = re.compile(
    r"(?P<first>\d{1,2})(?P<mark>[./-])(?P<second>\d{1,2})(?P=mark)(?P<year>(?:19|20)\d\d)(?:[T\s].*)?"
)
ISO = re.compile(r"((?:19|20)\d\d)[-/](\d\d)(?:[-/](\d\d))?(?:[T\s].*)?")
YEAR = re.compile(r"(?:19|20)\d\d")
MOST_MONTHS, MOST_DAYS = 12, 31
DAY_LENGTH, MONTH_LENGTH, YEAR_LENGTH = len("2024-05-01"), len("2024-05"), len("2024")
MONTHS_IN = {"Q": 3, "H": 6}


def column_dates(cells: Sequence[str]) -> list[Date] | None:
    """Returns the date of each cell, NO_DATE for empty ones; None if the column has something else, or is unclear.

    Whether the day or the month is first in "03/04/2024" is told by the other cells.

    Args:
        cells: the cells of a column.
    """
    filled = [cell for cell in cells if cell]
    if not filled:
        return None
    order = _order(filled)
    dates: list[Date] = []
    for cell in cells:
        date = _date(cell, order) if cell else NO_DATE
        if date is None:
            return None
        dates.append(date)
    return dates


def _order(cells: Sequence[str]) -> str:
    """Returns "day" or "month" for what is first in numeric dates; "" if unclear."""
    numbers = [found for cell in cells if (found := NUMBERS.fullmatch(cell))]
    day_first = any(int(one["first"]) > MOST_MONTHS or one["mark"] == "." for one in numbers)
    month_first = any(int(one["second"]) > MOST_MONTHS for one in numbers)
    return "" if day_first == month_first else "day" if day_first else "month"


def _date(cell: str, order: str) -> Date | None:
    if found := ISO.fullmatch(cell):
        return _checked(int(found[1]), int(found[2]), int(found[3] or 0))
    if found := NUMBERS.fullmatch(cell):
        first, second = int(found["first"]), int(found["second"])
        day, month = (first, second) if order == "day" else (second, first)
        return _checked(int(found["year"]), month, day) if order else None
    if YEAR.fullmatch(cell):
        return int(cell), 0, 0
    named = most_specific(periods_in(cell))
    if len(named) != 1 or "Q" in (period := next(iter(named))) or "H" in period or len(period) < MONTH_LENGTH:
        return None
    return int(period[:4]), int(period[5:7]), int(period[8:] or 0)


def _checked(year: int, month: int, day: int) -> Date | None:
    return (year, month, day) if 1 <= month <= MOST_MONTHS and day <= MOST_DAYS else None


def is_in(period: str, when: Date) -> bool | None:
    """Returns True if a date is in a period, as `periods_in` writes it; None if it is not exact enough to tell.

    Args:
        period: a period, or "--05" for May of any year.
        when: the date.
    """
    year, month, day = when
    any_year = period.startswith("--")
    if when == NO_DATE or not (any_year or period[:4] == f"{year:04}"):
        return False
    if not month and (any_year or len(period) > YEAR_LENGTH):
        return None
    if len(period) == YEAR_LENGTH:
        return not any_year or month == int(period[2:])
    if period[5] in MONTHS_IN:
        return (month - 1) // MONTHS_IN[period[5]] + 1 == int(period[6])
    if month != int(period[5:7]) or len(period) < DAY_LENGTH:
        return month == int(period[5:7])
    return day == int(period[8:]) if day else None


def month_alone(text: str, spoken: Language) -> tuple[str, int, int] | None:
    """Returns the one month that a text names without a year, as "--05", with its place; None if there is none."""
    found = [word for word in tokenize(text, spoken) if word.kind == "month"]
    if len(found) != 1:
        return None
    (word,) = found
    return f"--{int(word.term.split()[1]):02}", word.start, word.end
