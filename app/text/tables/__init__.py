"""Reads the tables of Markdown: their rows, headers, units and scales."""

from app.text.tables.cell_scales import cell_scale, with_scale
from app.text.tables.markdown import header_of, is_data_row, row_cells, without_rule
from app.text.tables.rows import MOST_LEAD, TableRow, above_table, table_rows
from app.text.tables.scales import Scale, StatedScales, stated_scales, without_scale

__all__ = [
    "MOST_LEAD",
    "Scale",
    "StatedScales",
    "TableRow",
    "above_table",
    "cell_scale",
    "header_of",
    "is_data_row",
    "row_cells",
    "stated_scales",
    "table_rows",
    "with_scale",
    "without_rule",
    "without_scale",
]
