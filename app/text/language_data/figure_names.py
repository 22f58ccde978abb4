"""Other names of the figures that a question asks for: "net sales" for "revenue". Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path

DATA = Path(__file__).with_name("figure_names.toml")


def other_figure_names(question: str) -> dict[str, tuple[str, ...]]:
    """Returns the names of figures in a question with their other names; {} if it names none.

    A shorter name inside a longer one does not count: "operating expenses" are not all "expenses".
    """
    pattern, others = _names()
    return {match[0]: others[match[0].casefold()] for match in pattern.finditer(question)}


def renamed_figures(text: str) -> Iterator[tuple[str, str]]:
    """Yields other names of the figures in a text, each with the text that has it instead."""
    pattern, others = _names()
    for match in pattern.finditer(text):
        yield from (
            (other, f"{text[: match.start()]}{other}{text[match.end() :]}") for other in others[match[0].casefold()]
        )


@lru_cache
def _names() -> tuple[re.Pattern[str], dict[str, tuple[str, ...]]]:
    """Returns a pattern of all names, the longest first, and the other names of each, casefolded."""
    groups: list[list[str]] = tomllib.loads(DATA.read_text(encoding="utf-8"))["names"]
    others: dict[str, tuple[str, ...]] = {}
    for group in groups:
        for name in group:
            others[name.casefold()] = (*others.get(name.casefold(), ()), *(one for one in group if one != name))
    alternatives = "|".join(re.escape(name) for name in sorted(others, key=len, reverse=True))
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)", re.IGNORECASE), others
