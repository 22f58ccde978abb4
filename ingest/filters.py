"""Filters that restrict a search to some documents. Pure; `ingest.docstore.filtering` applies them."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import PurePath
from typing import Any, Self

from ingest.errors import QuestionError
from ingest.text import absolute_name, path_separator, period_of
from ingest.urls import host_and_path, is_url

MOST_TAG_CHARACTERS = 64
# Days outside this range cannot be converted to seconds on every system.
FIRST_DAY, LAST_DAY = date(1970, 1, 2), date(9998, 12, 31)
# Type of a web page whose address has no file extension.
WEB_PAGE = "html"


@dataclass(frozen=True, slots=True)
class Filter:
    """Restricts a search to documents that match one value of each given kind. An empty filter matches all.

    Build it with `Filter.of`, which validates user input.

    Attributes:
        sources: documents, folders or prefixes of web addresses; the last two match everything under them.
        types: file extensions without the dot, in lower case: "pdf".
        since: the first day on which a document was last indexed, in local time.
        until: the last such day, inclusive.
        tags: a document needs at least one of them.
        periods: what a document reports on, such as "2023", "2023-Q3" or "2022-12-31". A document matches if one of its
            periods equals one of these or lies in it. "2022-Q4" does not match "2022-12-31": which days are in a
            quarter depends on the fiscal year.
    """

    sources: tuple[str, ...] = ()
    types: tuple[str, ...] = ()
    since: date | None = None
    until: date | None = None
    tags: tuple[str, ...] = ()
    periods: tuple[str, ...] = ()

    @classmethod
    def of(
        cls,
        *,
        sources: Iterable[str] = (),
        types: Iterable[str] = (),
        since: str | date | None = None,
        until: str | date | None = None,
        tags: Iterable[str] = (),
        periods: Iterable[str] = (),
    ) -> Self:
        """Builds a filter from user input: makes paths absolute, lowercases types and tags, parses dates and periods.

        Raises:
            QuestionError: a date is invalid, the last is before the first, or a tag or period is invalid.
        """
        first, last = _day(since, "since"), _day(until, "until")
        if first and last and last < first:
            raise QuestionError(f"No day is since {first} and until {last}. Put the earlier day first.")
        return cls(
            sources=_each_once(map(absolute_name, sources)),
            types=_each_once(one.strip().lstrip(".").lower() for one in types),
            since=first,
            until=last,
            tags=_each_once(map(tag_name, tags)),
            periods=_each_once(map(period_name, periods)),
        )

    @classmethod
    def from_json(cls, stored: dict[str, Any]) -> Self:
        """Restores the filter that `as_json` returned. Raises as `of` does."""
        return cls.of(**stored)

    def as_json(self) -> dict[str, Any]:
        """Returns the criteria that are set, by name; {} for an empty filter."""
        days = {name: day.isoformat() for name, day in (("since", self.since), ("until", self.until)) if day}
        lists = {"sources": self.sources, "types": self.types, "tags": self.tags, "periods": self.periods}
        return {name: list(values) for name, values in lists.items() if values} | days

    def __bool__(self) -> bool:
        return self != type(self)()

    def __str__(self) -> str:
        """Describes the filter: "in /docs; of type pdf or md; indexed since 2026-01-01"."""
        lists = {"in": self.sources, "of type": self.types, "tagged": self.tags, "of the period": self.periods}
        parts = [f"{word} {' or '.join(values)}" for word, values in lists.items() if values]
        parts += [f"indexed {word} {day}" for word, day in (("since", self.since), ("until", self.until)) if day]
        return "; ".join(parts)

    def seconds(self) -> tuple[float | None, float | None]:
        """Returns the start of the first day and the end of the last, in seconds since the epoch; None if not set."""
        return (
            _midnight(self.since) if self.since else None,
            _midnight(self.until + timedelta(days=1)) if self.until else None,
        )


def under(source: str) -> tuple[str, str]:
    """Returns the half-open range of names, in byte order, that lie in a folder or under a web address.

    A range rather than a LIKE pattern: "%" and "_" in a name are literal, and an index on names can serve it.
    """
    mark = path_separator(source)
    folder = source if source.endswith(mark) else source + mark
    return folder, folder[:-1] + chr(ord(mark) + 1)


def document_type(source: str) -> str:
    """Returns a document's file extension in lower case, without the dot; "" if it has none."""
    name = host_and_path(source)[1] if is_url(source) else source
    suffix = PurePath(name.rsplit("/", 1)[-1]).suffix[1:].lower()
    return suffix or (WEB_PAGE if is_url(source) else "")


def tag_name(text: str) -> str:
    """Normalises a tag: lower case, single spaces.

    Raises:
        QuestionError: it is empty or too long, or has unprintable characters.
    """
    name = unicodedata.normalize("NFC", re.sub(r"\s+", " ", text).strip().lower())
    if not name or len(name) > MOST_TAG_CHARACTERS or any(unicodedata.category(c) in {"Cc", "Cs"} for c in name):
        raise QuestionError(
            f"{text!r} cannot be a tag. Use 1 to {MOST_TAG_CHARACTERS} characters, such as: contract, draft 2026."
        )
    return name


def tag_names(texts: Iterable[str]) -> tuple[str, ...]:
    """Normalises tags and removes duplicates. Raises as `tag_name` does."""
    return _each_once(map(tag_name, texts))


def period_name(text: str) -> str:
    """Normalises a period: "2023-Q3" for "Q3 2023".

    Raises:
        QuestionError: it is not one period.
    """
    if period := period_of(text):
        return period
    raise QuestionError(
        f"{text!r} is not a period. Write a year, half, quarter, month or day, such as: 2023, 2023-H1, 2023-Q3, "
        "May 2024, 2022-12-31."
    )


def _each_once(values: Iterable[str]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(values))


def _day(text: str | date | None, name: str) -> date | None:
    if text is None:
        return None
    try:
        day = text if isinstance(text, date) else date.fromisoformat(text.strip())
    except ValueError as error:
        raise QuestionError(f"{name}: {text!r} is not a date. Write it as in 2026-01-31.") from error
    if not FIRST_DAY <= day <= LAST_DAY:
        raise QuestionError(f"{name}: {day} is not between {FIRST_DAY} and {LAST_DAY}.")
    return day


def _midnight(day: date) -> float:
    return datetime.combine(day, datetime.min.time()).astimezone().timestamp()
