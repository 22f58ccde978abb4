"""history + question -> a question that can be searched alone."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

from app import terms
from app.models import Turn

# Words that point back at what was said before.
POINTING = re.compile(
    r"\b(it|its|they|them|their|theirs|he|she|him|his|her|hers|this|that|these|those|there|such|one|ones|the same|"
    r"former|latter|else|other|others|another)\b",
    re.IGNORECASE,
)
CONTINUING = re.compile(
    r"\s*(and|but|or|so|then|also|what about|how about|why|why not|how so|since when)\b", re.IGNORECASE
)
# A question with fewer content terms of its own than this leans on what was said before.
ENOUGH_TERMS = 2
MOST_CHARACTERS = 8_000


def standalone_question(
    question: str, history: Sequence[Turn], condense: Callable[[Sequence[Turn], str], str] | None = None
) -> str:
    """The question with what it leaves unsaid.

    Args:
        question: as the user wrote it.
        history: the turns before it, oldest first.
        condense: asks a language model to rewrite the question; without one, the terms of the questions that it
            leans on are put before it.

    Returns:
        The question unchanged where there is no history, or where it stands alone.
    """
    if not history:
        return question
    if condense is not None:
        return _one_line(condense(history, question)) or question
    earlier: list[str] = []
    leaning = question
    for turn in reversed(history):
        if not _leans(leaning):
            break
        leaning = turn.question
        earlier.insert(0, turn.question)
    return " ".join([*earlier, question])[-MOST_CHARACTERS:]


def _leans(question: str) -> bool:
    own = terms.content_terms(question)
    return len(own) < ENOUGH_TERMS or bool(CONTINUING.match(question) or POINTING.search(question))


def _one_line(answer: str) -> str:
    line = next((line for line in answer.splitlines() if line.strip()), "")
    return line.strip().strip("\"'\u201c\u201d")[:MOST_CHARACTERS]
