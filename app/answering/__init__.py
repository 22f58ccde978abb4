"""Turns a question into the events of its answer: generated, quoted or refused."""

from app.answering.answerer import STOPPED, STOPPED_EARLY, Answerer, stop, until_stopped
from app.answering.citation_context import MARGIN, surroundings
from app.answering.course import EXTRACTIVE
from app.answering.prompts import question_prompt
from app.answering.refusal import Refusal
from app.answering.service import AnswerService, Lazy, Models

__all__ = [
    "EXTRACTIVE",
    "MARGIN",
    "STOPPED",
    "STOPPED_EARLY",
    "AnswerService",
    "Answerer",
    "Lazy",
    "Models",
    "Refusal",
    "question_prompt",
    "stop",
    "surroundings",
    "until_stopped",
]
