"""Answers questions by calculating with the cells of tables, and shows the calculation with its footnotes."""

from app.answering.computation.calculator import Calculator

__all__ = ["Calculator"]
