"""Reads the dates and quarters that name a column, a document or a statement, or that a question asks for. Pure."""

from __future__ import annotations

import re

from app.text.language_data import Language
from app.text.tokens import Token, tokenize

Date = tuple[int, int, int]  # year, month, day; 0 if not given
NO_DATE: Date = (0, 0, 0)
MOST_DAYS = 31
LATEST = re.compile(
    r"\b(?:latest|newest|most recent|current|last reported|right now|at present"
    r"|neueste[nrs]?|aktuelle[nrs]?|letzte[nrs]?|jüngste[nrs]?|dernier|dernière|más reciente|último|última"
    r"|ultimo|ultima|più recente)\b",
    re.IGNORECASE,
)
YEAR = re.compile(r"(?:19|20)\d\d")
COMPARED = re.compile(
    r"\b(?:chang\w+|compar\w+|trend\w*|fluctuat\w+|develop(?:s|ed)?|evolv\w+|previous|earlier|prior|historical|versus|vs|"
    r"over time|(?:over|across|between|each|every|all|these|those) (?:the |these |those |of the )?"
    r"(?:\w+ )?(?:quarters?|periods?|years?|months?|reports?|documents?|releases?|versions?|filings?)"
    r"|Zeitraum|früher\w*|vorherig\w*|verglichen|Vergleich|entwickelt|geändert|(?<!und )Entwicklung)\b",
    re.IGNORECASE,
)
QUARTER = re.compile(
    r"\b(?:(first|second|third|fourth|1st|2nd|3rd|4th) (?:fiscal )?quarter|quarter (one|two|three|four|[1-4]))\b",
    re.IGNORECASE,
)
QUARTERS = {
    name: f"Q{n}"
    for n, names in enumerate(
        ("first 1st one 1", "second 2nd two 2", "third 3rd three 3", "fourth 4th four 4"), start=1
    )
    for name in names.split()
}
A_QUARTER = re.compile(r"\bquarter(?:s|ly)?\b", re.IGNORECASE)


def asks_latest(question: str) -> bool:
    """Returns True if a question asks for the latest of several periods, and for no other one."""
    return bool(LATEST.search(question)) and not COMPARED.search(question)


def compared_words(question: str) -> list[str]:
    """Returns the words by which a question asks how something differs between periods or documents."""
    return COMPARED.findall(question)


def with_periods(text: str) -> str:
    """Adds the other names of a text's quarters: "Q1" for "first quarter", and "three months" for "quarter"."""
    found = [QUARTERS[(one[1] or one[2]).casefold()] for one in QUARTER.finditer(text)]
    span = ["three months"] if A_QUARTER.search(text) else []
    return " ".join([text, *found, *span])


def latest_date(text: str, spoken: Language | None = None) -> Date:
    """Returns the latest date in a text; years alone count as dates without month and day."""
    words = tokenize(text, spoken)
    years = (i for i, word in enumerate(words) if YEAR.fullmatch(text, word.start, word.end))
    return max((_date(words, i) for i in years), default=NO_DATE)


def _date(words: tuple[Token, ...], at: int) -> Date:
    """Returns the date whose year is at a position: the month and the day are the words before it."""
    year, before = int(words[at].term), words[max(0, at - 2) : at]
    month = next((int(word.term.split()[1]) for word in before if word.kind == "month"), 0)
    day = next((int(word.term) for word in before if word.term.isdecimal() and int(word.term) <= MOST_DAYS), 0)
    return (year, month, day if month else 0)
