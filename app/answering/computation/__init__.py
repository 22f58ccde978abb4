"""Answers questions by calculating with the cells of tables, and shows the calculation with its footnotes."""

from app.answering.computation.calculator import Calculator
from app.answering.computation.whole_tables import ReadsText

__all__ = ["Calculator", "ReadsText"]
