"""A question for rows of tables: its terms, the other names of its figures, and what it compares. Pure."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from app.answering.tables.reading import Row
from app.text import asks_latest, compared_words, content_terms, other_figure_names, with_periods

SHARE = re.compile(
    r"%|\b(?:per ?cent\w*|share|proportion|rate|ratio|margin|Anteil|Prozent\w*|Quote|pourcent\w*|part|taux)\b",
    re.IGNORECASE,
)
# Words of figures that a row must have as well: a tax is no tax rate.
RATE = re.compile(
    r"\b(?:(?!(?:what|which|the|an?|any|this|that|you|we|they|i|to|at|same)\b)\w+ rates?"
    r"|(?:zins|steuer|hebe|prozent|beitrags|abschreibungs)(?:satz|s\u00e4tze)|taux|tasas?|tass[oi])\b",
    re.IGNORECASE,
)
QUARTER_NAME = re.compile(r"q[1-4]")


@dataclass(frozen=True)
class Asked:
    """A question for rows: its terms with their weights, and the language of the comparison."""

    question: str
    wanted: Mapping[str, float]
    language: str

    @cached_property
    def placing(self) -> frozenset[str]:
        """Its terms, with other names of its periods, by which documents and columns are chosen."""
        return frozenset(self.terms(self.question) | self.wanted.keys())

    @cached_property
    def naming(self) -> set[str]:
        """Its terms, and those of other names of the figures in it."""
        return {*self.wanted, *(term for _, names in self._other_names for name in names for term in name)}

    @cached_property
    def _other_names(self) -> list[tuple[set[str], list[set[str]]]]:
        """The terms of the names of figures in it, each with those of the other names."""
        found = other_figure_names(self.question)
        return [(self.terms(name), [self.terms(one) for one in others]) for name, others in found.items()]

    def covered(self, terms: set[str]) -> set[str]:
        """Returns the question's terms among others, and those of a figure that is there by another name."""
        by_name = (own for own, names in self._other_names if any(name <= terms for name in names))
        return (terms & self.wanted.keys()).union(*by_name)

    def named_by(self, terms: set[str]) -> set[str]:
        """Returns the question's terms for the figure whose other name has these terms and no more."""
        return set[str]().union(*(own for own, names in self._other_names if terms in names))

    def terms(self, *texts: str) -> set[str]:
        """Returns the content words of texts, with other names of their periods."""
        return content_terms(with_periods(" ".join(texts)), self.language)

    def shared(self, *texts: str) -> set[str]:
        """Returns the terms of texts by which the question places its rows."""
        return self.terms(*texts) & self.placing

    @cached_property
    def said(self) -> set[str]:
        """The question's own content words."""
        return content_terms(self.question, self.language)

    @cached_property
    def comparing(self) -> set[str]:
        """The words by which it asks for a comparison."""
        return content_terms(" ".join(compared_words(self.question)), self.language)

    @cached_property
    def compares(self) -> bool:
        """True if it asks how figures differ between periods or documents."""
        return bool(compared_words(self.question))

    def names_period(self, row: Row) -> bool:
        """Returns True if it asks about one period by the name of the row's document: "Q1 2023", "2024"."""
        named = self.shared(row.passage.above)
        return not self.compares and any(term.isdecimal() or QUARTER_NAME.fullmatch(term) for term in named)

    @cached_property
    def asks_share(self) -> bool:
        """True if it asks for a share."""
        return bool(SHARE.search(self.question))

    def may_name(self, row: Row) -> bool:
        """Returns False if it asks for a rate and a row's name, group and caption have no such word."""
        texts = f"{row.name} {row.row.group} {row.row.caption}"
        return not RATE.search(self.question) or bool(RATE.search(texts))

    @cached_property
    def latest(self) -> bool:
        """True if it asks for the latest period."""
        return asks_latest(self.question)
