"""Finds the periods that a question names, and the columns of tables that report on them. Pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import date

from app.answering.tables import Row
from app.text import file_names
from ingest.text import last_day, most_specific, periods_in, periods_in_name

YEAR = r"(?:19|20)\d\d"
FISCAL = r"(?:FY\s?|(?:the\s)?fiscal\s(?:year\s)?)?"
ORDINAL = r"(?:first|second|third|fourth|1st|2nd|3rd|4th|[1-4]\.|erste[ns]?|zweite[ns]?|dritte[ns]?|vierte[ns]?)"
# Words that may be a period; `periods_in` decides.
NAMED = re.compile(
    rf"\b(?:{YEAR}-\d\d(?:-\d\d)?|\d{{1,2}}\.\d{{1,2}}\.{YEAR}|[QH][1-4][\s,/-]{{0,2}}(?:of\s)?{FISCAL}{YEAR}"
    rf"|{YEAR}[\s/-]{{0,2}}[QH][1-4]|{ORDINAL}[\s-](?:fiscal\s)?(?:quarter|half|Quartal|Halbjahr),?\s(?:of\s|in\s)?"
    rf"{FISCAL}{YEAR}|(?:\d{{1,2}}\.?\s(?:de\s)?)?[^\W\d_]{{3,12}}\.?\s(?:\d{{1,2}}(?:st|nd|rd|th)?,?\s)?(?:de\s)?{YEAR}|{YEAR})\b",
    re.IGNORECASE,
)
ALONE = re.compile(rf"(?<![\w.,$\u20ac\u00a3]){YEAR}(?![\w%]|[.,]\d)")
# Stand-ins for the periods of a question: characters for private use, which no word contains.
FIRST = 0xE000
STAND_IN = re.compile(r"[\ue000-\uf8ff]")
SPAN = re.compile(
    r"\b(?P<n>three|six|nine|twelve|thirteen|26|39|13|52|53|3|6|9|12)[\s-](?P<unit>months?|weeks?)\b"
    r"|\b(?P<quarter>quarters?|quarterly|Quartal|trimestre)\b",
    re.IGNORECASE,
)
MONTHS = {"three": 3, "thirteen": 3, "13": 3, "3": 3, "six": 6, "26": 6, "6": 6, "nine": 9, "39": 9, "9": 9}
WHOLE_YEAR = re.compile(r"\b(?:years?\s+(?:ended|ending)|fiscal|FY|twelve months|12 months|52 weeks)\b", re.IGNORECASE)
QUARTER_MONTHS, YEAR_MONTHS = 3, 12
# Words that say what kind of period is meant; a column is chosen by what they say, not by these words.
_WORDS = (
    "quarter quarters quarterly fiscal year years yearly annual ended ending period month months week weeks three six"
    " nine twelve thirteen half quartal gesch\u00e4ftsjahr jahr jahre jahren trimestre a\u00f1o ann\u00e9e"
)
WORDS = frozenset(_WORDS.split())


@dataclass(frozen=True, slots=True)
class Asked:
    """A question whose periods are replaced by stand-ins, with the periods in their order."""

    text: str
    periods: tuple[str, ...]
    months: int

    def in_phrase(self, phrase: str) -> tuple[str, ...]:
        """Returns the periods of a part of the text."""
        return tuple(self.periods[ord(one) - FIRST] for one in STAND_IN.findall(phrase))


def without_periods(phrase: str) -> str:
    """Returns a part of such a text without its stand-ins."""
    return STAND_IN.sub(" ", phrase)


def read_spans(text: str) -> list[tuple[str, int, int]]:
    """Returns the periods that a text names, in their order, each with its start and end."""
    found = []
    for match in NAMED.finditer(text):
        named = most_specific(periods_in(match.group()))
        if len(named) == 1:
            (period,) = named
            year = ALONE.search(match.group()) if len(period) == len("2023") else None
            found.append((period, match.start() + (year.start() if year else 0), match.end()))
    return found


def read_periods(question: str) -> Asked:
    """Replaces the periods of a question by stand-ins; `months` is the length that it asks for, 0 if none."""
    text, at = STAND_IN.sub(" ", question), 0
    found: list[str] = []
    parts: list[str] = []
    for period, start, end in read_spans(text):
        parts += [text[at:start], chr(FIRST + len(found))]
        found.append(period)
        at = end
    return Asked("".join([*parts, text[at:]]), tuple(found), _months(question, found))


def _months(text: str, periods: list[str]) -> int:
    """Returns the length that a text states, in months; 0 if it states none."""
    span = SPAN.search(text)
    if span and span["n"]:
        return MONTHS.get(span["n"].casefold(), YEAR_MONTHS)
    return QUARTER_MONTHS if span or any("Q" in one for one in periods) else 0


def columns_of(row: Row, period: str, months: int) -> list[int]:
    """Returns the positions of a row's figures for a period; those of all if no period is given.

    Args:
        row: a row with a header.
        period: a period as `periods_in` writes it; "" if none is asked for.
        months: the length that the question asks for; 0 if it names none.
    """
    header, figures = row.row.header, row.row.figures
    spans = {i: _months(header[i], []) for i in figures}
    if not period:
        return list(figures)
    if len(period) == len("2023"):
        fitting = [i for i in figures if most_specific(periods_in(header[i])) == {period}]
        fitting = [i for i in fitting if spans[i] in (0, months) or WHOLE_YEAR.search(header[i])]
    else:
        fitting = [i for i in figures if period in periods_in(header[i])]
    if not fitting and not any(periods_in(header[i]) for i in figures):
        fitting = list(figures) if period in _own_periods(row) else []
    elif not fitting and "Q" in period and period in _own_periods(row):
        ends = {i: max(map(last_day, most_specific(periods_in(header[i]))), default=date.min) for i in figures}
        fitting = [i for i in figures if ends[i] == max(ends.values())]
        months = months or QUARTER_MONTHS
    return [i for i in fitting if not months or spans[i] in (0, months)]


def a_year_before(row: Row, column: int) -> list[int]:
    """Returns the columns for the same period of the year before a column's."""
    header = row.row.header
    own = _ends(header[column])
    if len(own) != 1:
        return []
    (end,) = own
    return [
        i
        for i in row.row.figures
        if _months(header[i], []) == _months(header[column], [])
        and _length(header[i]) == _length(header[column])
        and (other := _ends(header[i]))
        and len(other) == 1
        and abs((end - next(iter(other))).days - 365) <= 10  # noqa: PLR2004 - fiscal years end on a day of the week
    ]


def _ends(name: str) -> set[date]:
    return set(map(last_day, most_specific(periods_in(name))))


def _length(name: str) -> int:
    """Returns how exactly a column's name dates it: the length of its period as written."""
    return max(map(len, most_specific(periods_in(name))), default=0)


def _own_periods(row: Row) -> frozenset[str]:
    """Returns the periods that the names of a row's document and sheet give."""
    passage = row.passage
    return periods_in_name(file_names(passage.document)) | periods_in(passage.title) | periods_in_name(passage.place)
