"""Finds the periods that a document reports on: in its file name, its title and its opening. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import PurePath

from ingest.text.periods import days_in, last_day, most_specific, periods_in, periods_in_name

# Characters at a document's beginning that say what it is.
OPENING_CHARACTERS = 1_500


@dataclass(frozen=True, slots=True)
class DocumentPeriods:
    """The periods that a document names where it says what it is, in the form of `periods_in`.

    Attributes:
        named: the periods in its file name and title.
        day: the first day in its opening, such as the last one of its period; "" if there is none.
        days: all days in its opening.
    """

    named: frozenset[str] = frozenset()
    day: str = ""
    days: frozenset[str] = frozenset()

    @property
    def all(self) -> frozenset[str]:
        """The periods in its file name and title, and the days in its opening."""
        return self.named | self.days

    @property
    def last(self) -> str:
        """The last day of its latest period, as an ISO date; "" if it names none."""
        found = most_specific(self.named) or self.days
        return max((last_day(one).isoformat() for one in found), default="")


def document_periods(source: str, title: str, opening: str) -> DocumentPeriods:
    """Finds the periods of a document.

    Args:
        source: its path or address.
        title: its title; "" if it has none.
        opening: the beginning of its text; characters after `OPENING_CHARACTERS` are ignored.
    """
    path, opening = PurePath(source), opening[:OPENING_CHARACTERS]
    named = periods_in_name(f"{path.name} {path.stem}") | periods_in(title)
    days = days_in(opening)
    return DocumentPeriods(named, days[0] if days else "", frozenset(days))


def in_order(periods: Iterable[str]) -> tuple[str, ...]:
    """Returns the most specific periods, in order of their last days: "2023-Q3", and not "2023" besides."""
    return tuple(sorted(most_specific(periods), key=lambda one: (last_day(one), one)))
