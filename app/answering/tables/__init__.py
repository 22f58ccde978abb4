"""Answers questions for figures with the rows and cells of tables."""

from app.answering.tables.rendering import add_tables
from app.answering.tables.rows import Asked, Row, matching_rows, rows_with_figures

__all__ = [
    "Asked",
    "Row",
    "add_tables",
    "matching_rows",
    "rows_with_figures",
]
