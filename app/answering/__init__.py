"""Turns a question into the events of its answer: generated, quoted or refused."""

from app.answering.answerer import EXTRACTIVE, STOPPED, STOPPED_EARLY, Answerer, stop, until_stopped
from app.answering.prompts import question_prompt
from app.answering.refusal import Refusal

__all__ = ["EXTRACTIVE", "STOPPED", "STOPPED_EARLY", "Answerer", "Refusal", "question_prompt", "stop", "until_stopped"]
