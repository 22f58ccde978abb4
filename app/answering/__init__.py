"""Turns a question into the events of its answer: generated, quoted or refused."""

from app.answering.answerer import Answerer
from app.answering.citation_context import MARGIN, surroundings
from app.answering.course import EXTRACTIVE
from app.answering.prompts import question_prompt
from app.answering.refusal import Refusal
from app.answering.service import AnswerService, Lazy, Models

__all__ = [
    "EXTRACTIVE",
    "MARGIN",
    "AnswerService",
    "Answerer",
    "Lazy",
    "Models",
    "Refusal",
    "question_prompt",
    "surroundings",
]
