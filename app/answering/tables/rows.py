"""Finds the rows and columns of tables that a question asks for."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from app.models import Passage
from app.text import (
    NO_DATE,
    Date,
    TableRow,
    asks_latest,
    compared_words,
    content_terms,
    is_contents,
    latest_date,
    other_figure_names,
    table_rows,
    with_periods,
)

# Most names of rows that are compared in meaning; those that share most words with the question come first.
MOST_NAMES = 64
# Weights in a row's score: its name's similarity in meaning, the share of its name's words that the question has, and
# the share of the question's words that it has. Weights and least values were chosen on half of the questions of
# bench/answers/filings.py.
MEANING, NAMED, ASKED = 1.0, 0.5, 0.5
LEAST_SCORE, LEAST_NAMED = 1.0, 0.5
# Rows whose score is this close to the best answer as well as the best, if they are in other documents.
AS_GOOD = 0.15
# Rows of one document, for a question that asks for several things.
MOST_ROWS = 3

NOTE = re.compile(r"\(\d{1,2}\)|[\u00ae\u2122*\u2020\u2021\u00b9\u00b2\u00b3]")
SHARE = re.compile(
    r"%|\b(?:per ?cent\w*|share|proportion|rate|ratio|margin|Anteil|Prozent\w*|Quote|pourcent\w*|part|taux)\b",
    re.IGNORECASE,
)
SHARE_OF = re.compile(r"(?:as a )?(?:%|percent(?:age)?) of\b|in % ", re.IGNORECASE)
TOTAL = re.compile(r"\b(?:total|gesamte?|summe|insgesamt)\b", re.IGNORECASE)
QUARTER_NAME = re.compile(r"q[1-4]")
Scores = Mapping[tuple[str, int], float]
Similar = Callable[[Sequence[str]], NDArray[np.float32]]


@dataclass(frozen=True, slots=True)
class Row:
    """A row of a table with the passage that holds it."""

    passage: Passage
    row: TableRow

    @property
    def label(self) -> str:
        """Its first cell, without marks of notes."""
        return _without_notes(self.row.cells[0])

    @property
    def figure_name(self) -> str:
        """Its label case-folded and without "total", by which rows of the same figure are recognised."""
        return _without_total(self.label.casefold())

    @property
    def name(self) -> str:
        """Its label below the label of its group: "Cost of sales: Products"."""
        group = _without_notes(self.row.group).strip(" :")
        return f"{group}: {self.label}" if group else self.label

    @property
    def place(self) -> tuple[str, int]:
        """Its version, and its start in the text of the document."""
        return self.passage.version_id, self.passage.start + self.row.start


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

    @cached_property
    def latest(self) -> bool:
        """True if it asks for the latest period."""
        return asks_latest(self.question)


def _without_notes(label: str) -> str:
    return " ".join(NOTE.sub("", label).split())


def rows_with_figures(passages: Sequence[Passage]) -> list[Row]:
    """Returns the rows of all passages that state figures, each place once, in the order of the passages.

    Lines of tables of contents are left out.
    """
    found: dict[tuple[str, int], Row] = {}
    for passage in passages:
        rows = [row for row in table_rows(passage.text, passage.header, passage.caption) if row.figures]
        lines = [(" ".join(row.cells[: row.figures[0]]), [row.cells[i] for i in row.figures]) for row in rows]
        if not is_contents(lines, f"{passage.above}\n{passage.text}"):
            for row in rows:
                one = Row(passage, row)
                found.setdefault(one.place, one)
    return list(found.values())


def matching_rows(asked: Asked, rows: Sequence[Row], similar: Similar) -> list[list[Row]]:
    """Returns the rows that a question asks for, by document; several documents if it does not tell them apart.

    Args:
        asked: the question.
        rows: the rows that may answer.
        similar: names of rows -> their similarity in meaning to the question.
    """
    scores = _scores(asked, rows, similar)
    if not scores or max(scores.values()) < LEAST_SCORE:
        return []
    least = max(max(scores.values()) - AS_GOOD, LEAST_SCORE)
    good = [one for one in rows if scores.get(one.place, 0.0) >= least]
    if asked.compares:
        best = _same_row(good, [one for one in rows if one.place in scores], scores)
        return [[one, *_further(asked, one, rows, scores)] for one in best]
    best = _best_of_each(_in_place(asked, good), scores)
    if asked.latest:
        newest = max(map(dated, best))
        best = [one for one in best if dated(one) == newest]
    return [[one, *_further(asked, one, rows, scores)] for one in best]


def _best_of_each(rows: Sequence[Row], scores: Scores) -> list[Row]:
    """Returns the best row of each document."""
    best: dict[str, Row] = {}
    for one in sorted(rows, key=lambda one: -scores[one.place]):
        best.setdefault(one.passage.version_id, one)
    return list(best.values())


def _same_row(good: Sequence[Row], rows: Sequence[Row], scores: Scores) -> list[Row]:
    """Returns the same row of each document: of those that answer well, the one that most documents have.

    Rows are the same if they have the same name and figures of the same kind: shares or amounts.
    """
    kinds: dict[tuple[str, str, bool], list[Row]] = {}
    for one in rows:
        kinds.setdefault(_kind(one), []).append(one)
    documents = {kind: len({one.passage.version_id for one in some}) for kind, some in kinds.items()}
    lead = max(good, key=lambda one: (documents[_kind(one)], scores[one.place]))
    label, group, share = _kind(lead)
    alone = kinds.get((label, "", share), []) if group else []
    return _best_of_each([*kinds[_kind(lead)], *alone], scores)


def _kind(row: Row) -> tuple[str, str, bool]:
    """Returns a row's label without "total", the label of its group, and whether its figures are shares."""
    return row.figure_name, row.row.group.casefold(), _is_share(row)


def _without_total(label: str) -> str:
    return " ".join(TOTAL.sub("", label).split()) or label


def _is_share(row: Row) -> bool:
    return "%" in row.row.cells[row.row.figures[0]]


def _amounts(rows: Sequence[Row]) -> list[Row]:
    """Leaves out rows whose names are shares of something, and rows of shares that other tables give as amounts."""
    amounts = {one.label.casefold() for one in rows if not _is_share(one)}
    return [
        one
        for one in rows
        if not SHARE_OF.match(one.label) and not (_is_share(one) and one.label.casefold() in amounts)
    ]


def _scores(asked: Asked, rows: Sequence[Row], similar: Similar) -> dict[tuple[str, int], float]:
    """Returns the scores of the rows whose names share words with the question, by place."""
    rows = _of_named_groups(asked, rows if asked.asks_share else _amounts(rows))
    names = {one.name: content_terms(_without_total(one.label), asked.language) for one in rows}
    frequency = Counter(term for terms in names.values() for term in terms)

    def weight(terms: Collection[str]) -> float:
        return sum(asked.wanted.get(t, 1.0) * math.log(1 + len(names) / (1 + frequency[t])) for t in terms)

    near = {name: weight(asked.covered(terms)) for name, terms in names.items()}
    named = {name: weight(terms & asked.naming) / (weight(terms) or 1.0) for name, terms in names.items()}
    kept = sorted((name for name in names if named[name] >= LEAST_NAMED), key=lambda name: -near[name])[:MOST_NAMES]
    if not kept:
        return {}
    meaning = dict(zip(kept, map(float, similar(kept)), strict=True))
    held = {
        one.place: weight(
            asked.covered(content_terms(" ".join((one.row.group, *one.row.cells)), asked.language)) - asked.comparing
        )
        for one in rows
        if one.name in meaning
    }
    most = weight((asked.said - asked.comparing) & set[str]().union(*names.values())) or 1.0
    return {
        one.place: MEANING * meaning[one.name] + NAMED * named[one.name] + ASKED * held[one.place] / most
        for one in rows
        if one.name in meaning
    }


def _of_named_groups(asked: Asked, rows: Sequence[Row]) -> list[Row]:
    """Leaves out rows of groups that the question does not name, if a document has the row in several groups."""
    groups: dict[tuple[str, str], set[str]] = {}
    for one in rows:
        groups.setdefault((one.passage.version_id, one.label), set()).add(one.row.group)
    return [
        one
        for one in rows
        if not one.row.group
        or len(groups[one.passage.version_id, one.label]) == 1
        or asked.terms(one.row.group) & asked.naming
    ]


def _in_place(asked: Asked, rows: Sequence[Row]) -> list[Row]:
    """Keeps the rows whose document, table and columns have most of the question's words."""
    held = [asked.shared(one.passage.above, one.row.caption, *one.row.header, one.name) for one in rows]
    frequency = Counter(term for terms in held for term in terms)
    rare = [sum(1 / frequency[term] for term in terms if frequency[term] < len(rows)) for terms in held]
    return [one for one, weight in zip(rows, rare, strict=True) if weight >= max(rare) - 1e-6]


def _further(asked: Asked, first: Row, rows: Sequence[Row], scores: Mapping[tuple[str, int], float]) -> Iterator[Row]:
    """Yields rows of the same document that answer other parts of the question, first those it names in full."""
    done = asked.shared(first.name, first.passage.above) | asked.covered(asked.terms(first.name))
    named = {one.place: asked.terms(_without_total(one.label)) for one in rows if one.place in scores}
    others = [one for one in rows if one.passage.version_id == first.passage.version_id and one.place in scores]
    others.sort(key=lambda one: (not named[one.place] <= asked.naming, -scores[one.place]))
    for one in others[: MOST_ROWS * MOST_ROWS]:
        label = named[one.place]
        new = ((label & asked.placing) | asked.named_by(label)) - done
        if new and scores[one.place] >= LEAST_SCORE - ASKED:
            yield one
            done |= new


def dated(row: Row) -> Date:
    """Returns the latest date in the header of a row, or else in the names of its document."""
    own = max(map(latest_date, row.row.header), default=NO_DATE)
    return latest_date(row.passage.above) if own == NO_DATE else own
