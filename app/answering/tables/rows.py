"""Finds the rows and columns of tables that a question asks for."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from app.answering.tables.asked import Asked
from app.answering.tables.reading import TOTAL, Row, without_total
from app.text import NO_DATE, Date, content_terms, latest_date

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

# The statement in which the row "Inventories" is their change and not their amount.
CASH_FLOWS = re.compile(
    r"cash[ -]?flows?|kapitalfluss|flux de tr\u00e9sorerie|flujos? de efectivo|rendiconto finanziario|fluxos? de caixa",
    re.IGNORECASE,
)
# Words of a column that is a span of time, not a day.
SPAN = re.compile(
    r"\b(?:ended|ending|months?|quarters?|years?|weeks?|monate?n?|quartale?|jahre?|mois|trimestres?|exercice|meses|"
    r"ejercicio|mesi|trimestr[ei]|esercizio)\b",
    re.IGNORECASE,
)
SHARE_OF = re.compile(r"(?:as a )?(?:%|percent(?:age)?) of\b|in % ", re.IGNORECASE)
Scores = Mapping[tuple[str, int], float]
Similar = Callable[[Sequence[str]], NDArray[np.float32]]


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
        best = _same_row(asked, good, [one for one in rows if one.place in scores], scores)
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


def _same_row(asked: Asked, good: Sequence[Row], rows: Sequence[Row], scores: Scores) -> list[Row]:
    """Returns the same row of each document: of those that answer well, the one that most documents have.

    Rows are the same if they have the same name and figures of the same kind: shares or amounts.
    """
    labels: dict[tuple[str, str], set[str]] = {}
    for one in rows:
        labels.setdefault((one.passage.version_id, one.figure_name), set()).add(one.label.casefold())
    with_both = {name for (_, name), some in labels.items() if len(some) > 1}

    def kind(one: Row) -> tuple[str, str, bool]:
        """Returns a row's label, without "total" unless a document has both, its group, and if it is of shares."""
        label = one.label.casefold() if one.figure_name in with_both else one.figure_name
        return label, one.row.group.casefold(), _is_share(one)

    kinds: dict[tuple[str, str, bool], list[Row]] = {}
    for one in rows:
        kinds.setdefault(kind(one), []).append(one)
    documents = {key: len({one.passage.version_id for one in some}) for key, some in kinds.items()}
    of_total = bool(TOTAL.search(asked.question)) and bool(with_both)
    lead = max(
        good, key=lambda one: (of_total and bool(TOTAL.search(one.label)), documents[kind(one)], scores[one.place])
    )
    label, group, share = kind(lead)
    alone = kinds.get((label, "", share), []) if group else []
    return _best_of_each([*kinds[kind(lead)], *alone], scores)


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


def _without_flows(rows: Sequence[Row]) -> list[Row]:
    """Leaves out rows of statements of cash flows that the document has as balances of a day, too."""
    balances = {(one.passage.version_id, one.figure_name) for one in rows if _is_balance(one)}

    def is_change(one: Row) -> bool:
        is_flow = bool(CASH_FLOWS.search(f"{one.row.caption} {' '.join(one.passage.heading[-1:])}"))
        return is_flow and (one.passage.version_id, one.figure_name) in balances

    return [one for one in rows if not is_change(one)]


def _is_balance(row: Row) -> bool:
    """Returns True if its columns are days, and no spans of time."""
    names = [row.row.header[i] for i in row.row.figures if i < len(row.row.header)]
    return any(latest_date(name)[2] and not SPAN.search(name) for name in names)


def _scores(asked: Asked, rows: Sequence[Row], similar: Similar) -> dict[tuple[str, int], float]:
    """Returns the scores of the rows whose names share words with the question, by place."""
    rows = rows if CASH_FLOWS.search(asked.question) else _without_flows(rows)
    rows = _of_named_groups(asked, rows if asked.asks_share else _amounts(rows))
    names = {one.name: content_terms(without_total(one.label), asked.language) for one in rows}
    frequency = Counter(term for terms in names.values() for term in terms)

    def weight(terms: Collection[str]) -> float:
        return sum(asked.wanted.get(t, 1.0) * math.log(1 + len(names) / (1 + frequency[t])) for t in terms)

    near = {name: weight(asked.covered(terms)) for name, terms in names.items()}
    named = {name: weight(terms & asked.naming) / (weight(terms) or 1.0) for name, terms in names.items()}
    kept = sorted((name for name in names if named[name] >= LEAST_NAMED), key=lambda name: -near[name])[:MOST_NAMES]
    if not kept:
        return {}
    meaning = dict(zip(kept, map(float, similar(kept)), strict=True))
    totals = _totals(rows)
    held = {
        one.place: weight(
            asked.covered(content_terms(" ".join((one.row.group, totals[one.place], *one.row.cells)), asked.language))
            - asked.comparing
        )
        for one in rows
        if one.name in meaning
    }
    most = weight((asked.said - asked.comparing) & set[str]().union(*names.values())) or 1.0
    return {
        one.place: MEANING * meaning[one.name] + NAMED * named[one.name] + ASKED * held[one.place] / most
        for one in rows
        if one.name in meaning and asked.may_name(one)
    }


def _totals(rows: Sequence[Row]) -> dict[tuple[str, int], str]:
    """Returns for each row the label of the next total below it in its table; "" for a total and a row without one."""
    found: dict[tuple[str, int], str] = {}
    below: Row | None = None
    for one in reversed(rows):
        if below and one.table != below.table:
            below = None
        is_total = bool(TOTAL.search(one.label))
        found[one.place] = below.label if below and not is_total else ""
        below = one if is_total else below
    return found


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
    named = {one.place: asked.terms(without_total(one.label)) for one in rows if one.place in scores}
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
