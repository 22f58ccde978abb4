"""Answers questions for figures with the rows and cells of tables."""

from app.answering.tables.periods import NO_DATE, Date, latest_date
from app.answering.tables.rendering import add_tables
from app.answering.tables.rows import Asked, Row, matching_rows, rows_with_figures

__all__ = [
    "NO_DATE",
    "Asked",
    "Date",
    "Row",
    "add_tables",
    "latest_date",
    "matching_rows",
    "rows_with_figures",
]
