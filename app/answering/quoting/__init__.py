"""Selects and compares the sentences that an answer quotes."""

from app.answering.quoting.candidates import Candidate, Question
from app.answering.quoting.figures import figure_bonus
from app.answering.quoting.meaning import LEAST_FURTHER, MARGIN, MEANING, sentence_vectors
from app.answering.quoting.supersession import date_of, superseding

__all__ = [
    "LEAST_FURTHER",
    "MARGIN",
    "MEANING",
    "Candidate",
    "Question",
    "date_of",
    "figure_bonus",
    "sentence_vectors",
    "superseding",
]
