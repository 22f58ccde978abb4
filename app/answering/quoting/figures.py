"""Scores sentences that hold a number, for questions that ask for one. Pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app.models import Passage
from app.text import content_terms, number, numbers_in

# Bonus for a sentence with a number of its own, if the question asks for a number.
FIGURE = 0.08
ASKS_FIGURE = re.compile(
    r"\b(how (much|many|long|large|big|high|often|old|far)|when|what (share|year|date|number|size|price|limit))\b",
    re.IGNORECASE,
)
# "What is the sum of 3 and 4?": matches the result asked for; the other numbers in the question are its inputs.
RECKONED = re.compile(
    r"\bwhat (?:is|are|was|were) the (.{1,100}?)(?= (?:of|for|in|with|at|from|between|when|if)\b)(?=.{0,300}\d)",
    re.IGNORECASE,
)
# The sentence with the result seldom repeats the inputs, so it gets this bonus if its passage has all of them.
RESULT = 0.12
STATED = re.compile(r"(?:=|\b(?:is|are|was|were|equals?|gives?|makes?)\b)\s*(?:about\s+)?[^\w\s]?(\d[\d,]*(?:\.\d+)?)")


class Candidate(Protocol):
    """A sentence of a passage."""

    @property
    def passage(self) -> Passage:
        """The passage that holds it."""
        ...

    @property
    def text(self) -> str:
        """Its words."""
        ...


def asks_figure(question: str) -> bool:
    """Returns True if a question asks for a number."""
    return bool(ASKS_FIGURE.search(question) or RECKONED.search(question))


def figure_bonus(question: str, candidates: Sequence[Candidate]) -> NDArray[np.float32]:
    """Returns each candidate's bonus for a number not in the question, if the question asks for one: float32 [n]."""
    named, reckoned = numbers_in(question), RECKONED.search(question)
    wanted = content_terms(reckoned.group(1)) if reckoned else set()
    if not wanted and not ASKS_FIGURE.search(question):
        return np.zeros(len(candidates), dtype=np.float32)

    def gain(candidate: Candidate) -> float:
        if not numbers_in(candidate.text) - named:
            return 0.0
        states = {number(value) for value in STATED.findall(candidate.text)} - named
        names = bool(wanted) and wanted <= content_terms(candidate.text)
        worked = states and names and named <= numbers_in(candidate.passage.text)
        return FIGURE + (RESULT if worked else 0.0)

    return np.array([gain(candidate) for candidate in candidates], dtype=np.float32)
