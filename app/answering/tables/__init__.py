"""Answers questions for figures with the rows and cells of tables, and questions for lists with whole tables."""

from app.answering.tables.asked import Asked
from app.answering.tables.bounds import ReadsText, table_bounds, table_runs
from app.answering.tables.listing import add_listing
from app.answering.tables.parts import asks_causes, with_parts
from app.answering.tables.reading import Row, rows_with_figures
from app.answering.tables.rendering import add_tables
from app.answering.tables.rows import matching_rows

__all__ = [
    "Asked",
    "ReadsText",
    "Row",
    "add_listing",
    "add_tables",
    "asks_causes",
    "matching_rows",
    "rows_with_figures",
    "table_bounds",
    "table_runs",
    "with_parts",
]
