"""Reads the tables of Markdown: their rows, headers, units and scales."""

from app.text.tables.cell_scales import cell_scale, with_scale
from app.text.tables.contents import is_contents
from app.text.tables.figures import Figure, Unit, decimal_mark, figure_at, percent, read_figure, rounded, without_zeros
from app.text.tables.markdown import header_of, is_data_row, row_cells, without_rule
from app.text.tables.rows import MOST_LEAD, TableRow, above_table, table_rows
from app.text.tables.scales import Scale, StatedScales, stated_scales, without_scale

__all__ = [
    "MOST_LEAD",
    "Figure",
    "Scale",
    "StatedScales",
    "TableRow",
    "Unit",
    "above_table",
    "cell_scale",
    "decimal_mark",
    "figure_at",
    "header_of",
    "is_contents",
    "is_data_row",
    "percent",
    "read_figure",
    "rounded",
    "row_cells",
    "stated_scales",
    "table_rows",
    "with_scale",
    "without_rule",
    "without_scale",
    "without_zeros",
]
