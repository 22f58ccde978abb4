"""Tells which documents a question means, by their names and the periods they report on. Pure."""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from app.text import asks_latest
from ingest.text import COMMON_WORDS, DocumentPeriods, most_specific, periods_in

# The longest line of a document's opening that may name it: a letterhead, not prose.
MOST_LINE_CHARACTERS = 60
WORD = re.compile(r"[^\W_]+")
COMMON: frozenset[str] = frozenset().union(*COMMON_WORDS.values())


@dataclass(frozen=True, slots=True)
class DocumentFacts:
    """What tells a document apart from others like it.

    Attributes:
        names: case-folded words of its path and title.
        letterhead: case-folded words with a capital in the short lines at its beginning.
        periods: the periods it reports on.
    """

    names: frozenset[str]
    letterhead: frozenset[str]
    periods: DocumentPeriods


def facts_of(source: str, title: str, opening: str, periods: DocumentPeriods) -> DocumentFacts:
    """Finds the names of a document, and adds its periods.

    Args:
        source: its path or address.
        title: its title; "" if it has none.
        opening: the first characters of its text.
        periods: its periods, as the document store has them.
    """
    lines = [line for line in opening.splitlines() if len(line) <= MOST_LINE_CHARACTERS]
    above = [word for word in WORD.findall("\n".join(lines)) if not word[0].islower()]
    titled = [word for word in WORD.findall(title) if not word[0].islower()]
    return DocumentFacts(_folded([*WORD.findall(source), *titled]), _folded(above), periods)


def scope(question: str, documents: Mapping[str, DocumentFacts], earlier: str = "") -> dict[str, float]:
    """Scores how well each document fits the names and the period in a question, 0 to 1.

    A name counts by its rarity among the documents; one that all or none of them have does not count. A word of a
    letterhead counts if the question writes it as a name, or has no capitals at all. Names and period have equal
    shares. Returns {} if the question tells no document from another.

    Args:
        question: the question.
        documents: the facts of the documents to choose from, by any key.
        earlier: earlier questions, whose names and period count where the question has none.
    """
    named = _named(question, documents) or _named(earlier, documents)
    best = max(named.values(), default=0.0)
    candidates = [key for key, score in named.items() if score == best] or list(documents)
    dated = _dated(question, documents, candidates) or _dated(earlier, documents, candidates)
    scores = {key: (named.get(key, 0.0) + dated.get(key, 0.0)) / 2 for key in documents}
    return scores if len(set(scores.values())) > 1 else {}


def _named(question: str, documents: Mapping[str, DocumentFacts]) -> dict[str, float]:
    asked = WORD.findall(question)
    capitals = {word.casefold() for word in asked[1:] if _is_capital(word)} or {word.casefold() for word in asked}
    weights = {}
    holding = {}
    for word in {one.casefold() for one in asked} - COMMON:
        having = {
            key
            for key, facts in documents.items()
            if word in facts.names or (word in capitals and word in facts.letterhead)
        }
        if 0 < len(having) < len(documents) and not _is_of_a_period(word):
            holding[word], weights[word] = having, math.log(len(documents) / len(having))
    total = sum(weights.values())
    if not total:
        return {}
    return {key: sum(weight for word, weight in weights.items() if key in holding[word]) / total for key in documents}


def _is_capital(word: str) -> bool:
    return not (word[0].islower() or word[0].isdigit())


def _folded(words: Iterable[str]) -> frozenset[str]:
    return frozenset(word.casefold() for word in words if len(word) > 1)


def _dated(question: str, documents: Mapping[str, DocumentFacts], candidates: Iterable[str]) -> dict[str, float]:
    asked = most_specific(periods_in(question))
    if asked:
        return {
            key: float(bool(asked & (facts.periods.named | facts.periods.days))) for key, facts in documents.items()
        }
    if asks_latest(question):
        last = {key: documents[key].periods.last for key in candidates}
        latest = max(last.values(), default="")
        return {key: 1.0 for key, day in last.items() if day and day == latest}
    return {}


def _is_of_a_period(word: str) -> bool:
    return bool(re.fullmatch(r"q[1-4]|h[12]|\d+", word))
