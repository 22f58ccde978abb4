"""Completes a follow-up question from the conversation, for the search."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from app.models import Turn
from app.text import content_terms
from ingest.models import Query

# Words that refer to earlier turns.
POINTING = re.compile(
    r"\b(it|its|they|them|their|theirs|he|she|him|his|her|hers|this|that|these|those|there|such|one|ones|the same|"
    r"former|latter|else|other|others|another)\b",
    re.IGNORECASE,
)
CONTINUING = re.compile(
    r"\s*(and|but|or|so|then|also|what about|how about|why|why not|how so|since when)\b", re.IGNORECASE
)
# A reply that is in quotation marks as a whole; quotes inside it stay.
QUOTED = re.compile(r"\A[\"'\u201c]([^\"\u201c\u201d]*)[\"'\u201d]\Z")
# A question with fewer content terms than this depends on the earlier ones.
ENOUGH_TERMS = 2
# Weights of the earlier questions: SHARE for the last one, times DECAY for each one before it. The full weight applies
# if this question's similarity to one of them is at least RELATED, none if it is at most STRANGE (cosines of the
# default model), and a proportional weight in between; at least POINTED if it refers back or continues. `python -m
# bench history` measures the effect. Chosen on its set: SHARE of 0.4 to 0.6, DECAY of 0.6 to 1 and 3 to 6 turns did as
# well; a wider gate was worse where the topic changed, a narrower one where it did not.
SHARE, DECAY, MOST_TURNS = 0.5, 0.8, 3
STRANGE, RELATED = 0.15, 0.3
POINTED = 0.5
# An earlier question with at least this weight is included in the standalone question.
SAID = 0.25
MOST_CHARACTERS = 8_000


def in_context(question: str, history: Sequence[Turn], similarity: Callable[[str, str], float]) -> Query:
    """Builds the query without a language model.

    Args:
        question: as the user wrote it.
        history: the earlier turns, oldest first.
        similarity: the cosine similarity of two questions.

    Returns:
        The question with the relevant earlier ones and their weights; the question alone if none is relevant.
    """
    earlier = [turn.question for turn in reversed(history[-MOST_TURNS:])]
    bearing = _bearing(question, earlier, similarity) if earlier else 0.0
    weighted = tuple((text, SHARE * DECAY**i * bearing) for i, text in enumerate(earlier)) if bearing else ()
    return Query(question, weighted, _stated(question, weighted))


def rewritten(question: str, reply: str) -> Query:
    """Builds the query from a language model's rewritten question, or from the original if the reply is blank."""
    line = next((line for line in reply.splitlines() if line.strip()), "").strip()
    line = QUOTED.sub(r"\1", line)[:MOST_CHARACTERS].strip()
    return Query(line if any(map(str.isalnum, line)) else question)


def _bearing(question: str, earlier: Sequence[str], similarity: Callable[[str, str], float]) -> float:
    """Returns how relevant the earlier questions are to this one, 0 to 1."""
    if len(content_terms(question)) < ENOUGH_TERMS:
        return 1.0
    nearest = max(similarity(question, one) for one in earlier)
    related = min(1.0, max(0.0, (nearest - STRANGE) / (RELATED - STRANGE)))
    return max(related, POINTED if POINTING.search(question) or CONTINUING.match(question) else 0.0)


def _stated(question: str, weighted: Sequence[tuple[str, float]]) -> str:
    """Joins the question to those it depends on, back to a self-contained one; "" if it depends on none."""
    if not weighted or weighted[0][1] < SAID:
        return ""
    said = [question]
    for text, _ in weighted:
        said.insert(0, text)
        if len(content_terms(text)) >= ENOUGH_TERMS and not POINTING.search(text):
            break
    return " ".join(said)[-MOST_CHARACTERS:]
