"""Finds rows of figures in chunks, and compares their labels with a question. Pure."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Iterable, Mapping
from functools import lru_cache

from app.text import content_terms, is_contents

# A cell of a row of figures: a number with its signs, or a dash for none.
CELL = re.compile(r"[(\-\u2013\u2014$€£¥]*\d[\d.,]*[)%]*|[\u2014\u2013-]+|[$€£¥%)(]+")
MOST_LABEL_WORDS = 12
# Number of figures in rows from which a chunk counts as a table.
ENOUGH_FIGURES = 10
# Weights of a chunk's figures, and of its best label, in its score. Labels of 1.0, 1.2 and 1.5 put 0.448, 0.486 and
# 0.492 of the figures into four passages, with all questions of bench/answers/filings.py in view.
FIGURES, LABEL = 0.3, 1.2


@lru_cache(maxsize=16_384)
def labels(text: str, language: str) -> tuple[tuple[frozenset[str], int], ...]:
    """Returns the terms of the label of each row of figures, and the number of its figures.

    A row is a line of one to twelve words followed by nothing but figures, with or without the bars of a table. Lines
    of a table of contents are ignored.
    """
    found: list[tuple[str, list[str]]] = []
    for line in text.splitlines():
        words = line.replace("|", " ").split()
        end = len(words)
        while end and CELL.fullmatch(words[end - 1]):
            end -= 1
        figures = [word for word in words[end:] if any(map(str.isdigit, word))]
        if figures and 0 < end <= MOST_LABEL_WORDS:
            found.append((" ".join(words[:end]), figures))
    if is_contents(found, text):
        return ()
    return tuple((frozenset(content_terms(label, language)), len(figures)) for label, figures in found)


def figure_scores(question: str, texts: Mapping[str, str], language: str) -> dict[str, float]:
    """Scores the chunks with rows of figures, 0 to FIGURES + LABEL; chunks without such rows are left out.

    Part of the score is for having such rows at all, because nothing in the words of a table is like a question. The
    other part is for the label that fits best: the share of the label's terms that the question has, times the share
    of the question's terms that the label has, both weighted by rarity among the labels. Terms that no label has do not
    count: most of a question may be about what the figures mean.

    Args:
        question: the question.
        texts: the chunks' texts by id.
        language: the language of question and chunks.
    """
    rows = {key: found for key, text in texts.items() if (found := labels(text, language))}
    asked = content_terms(question, language)
    if not rows or not asked:
        return {}
    having = Counter(term for one in rows.values() for term in frozenset().union(*(terms for terms, _ in one)))

    def weigh(terms: Iterable[str]) -> float:
        return sum(math.log(1 + len(rows) / (1 + having[term])) for term in terms)

    whole = weigh(asked & having.keys())
    scores = {}
    for key, found in rows.items():
        figures = min(1.0, sum(n for _, n in found) / ENOUGH_FIGURES)
        best = 0.0
        for terms, _ in found:
            if shared := weigh(terms & asked):
                best = max(best, shared / weigh(terms) * shared / whole)
        scores[key] = FIGURES * figures + LABEL * best
    return scores
