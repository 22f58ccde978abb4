"""history + question -> what is searched: the question, with what it leaves unsaid."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from app.models import Turn
from app.text import content_terms
from ingest.models import Query

# Words that point back at what was said before.
POINTING = re.compile(
    r"\b(it|its|they|them|their|theirs|he|she|him|his|her|hers|this|that|these|those|there|such|one|ones|the same|"
    r"former|latter|else|other|others|another)\b",
    re.IGNORECASE,
)
CONTINUING = re.compile(
    r"\s*(and|but|or|so|then|also|what about|how about|why|why not|how so|since when)\b", re.IGNORECASE
)
# A reply that is quoted as a whole; quotes of its own stay.
QUOTED = re.compile(r"\A[\"'\u201c]([^\"\u201c\u201d]*)[\"'\u201d]\Z")
# A question with fewer content terms of its own than this leans on what was said before.
ENOUGH_TERMS = 2
# How much the questions before this one weigh against it: the last one SHARE, the one before it DECAY of that. They
# weigh so where this one is as near in meaning as RELATED to one of them, nothing where it is no nearer than STRANGE
# (cosines of the default model), and in proportion between. Where it points back or goes on, at least POINTED.
# `python -m bench history` has what that gains and costs. Chosen on its set: SHARE of 0.4 to 0.6, DECAY of 0.6 to 1 and
# 3 to 6 turns did as well; a wider gate lost where the topic changed, a narrower one where it did not.
SHARE, DECAY, MOST_TURNS = 0.5, 0.8, 3
STRANGE, RELATED = 0.15, 0.3
POINTED = 0.5
# An earlier question that weighs this much is part of how the question is put to whoever reads it.
SAID = 0.25
MOST_CHARACTERS = 8_000


def in_context(question: str, history: Sequence[Turn], similarity: Callable[[str, str], float]) -> Query:
    """What to search for where no language model rewrites the question.

    Args:
        question: as the user wrote it.
        history: the turns before it, oldest first.
        similarity: of two questions in meaning, a cosine.

    Returns:
        The question with those before it that bear on it, each with its weight; alone where none does.
    """
    earlier = [turn.question for turn in reversed(history[-MOST_TURNS:])]
    bearing = _bearing(question, earlier, similarity) if earlier else 0.0
    weighted = tuple((text, SHARE * DECAY**i * bearing) for i, text in enumerate(earlier)) if bearing else ()
    return Query(question, weighted, _stated(question, weighted))


def rewritten(question: str, reply: str) -> Query:
    """What to search for where a language model was asked to rewrite the question; itself if the reply is blank."""
    line = next((line for line in reply.splitlines() if line.strip()), "").strip()
    line = QUOTED.sub(r"\1", line)[:MOST_CHARACTERS].strip()
    return Query(line if any(map(str.isalnum, line)) else question)


def _bearing(question: str, earlier: Sequence[str], similarity: Callable[[str, str], float]) -> float:
    """How much what was asked before bears on a question, 0 to 1."""
    if len(content_terms(question)) < ENOUGH_TERMS:
        return 1.0
    nearest = max(similarity(question, one) for one in earlier)
    related = min(1.0, max(0.0, (nearest - STRANGE) / (RELATED - STRANGE)))
    return max(related, POINTED if POINTING.search(question) or CONTINUING.match(question) else 0.0)


def _stated(question: str, weighted: Sequence[tuple[str, float]]) -> str:
    """The question after those it leans on, back to one that says enough by itself; "" where it leans on none."""
    if not weighted or weighted[0][1] < SAID:
        return ""
    said = [question]
    for text, _ in weighted:
        said.insert(0, text)
        if len(content_terms(text)) >= ENOUGH_TERMS and not POINTING.search(text):
            break
    return " ".join(said)[-MOST_CHARACTERS:]
