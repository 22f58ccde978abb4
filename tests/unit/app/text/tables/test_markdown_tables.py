"""Rows of tables: their cells, and which header names them."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from app.text.tables.markdown import header_of, row_cells, without_rule

TABLE = "| Plant | Fee |\n| --- | ---: |\n| Larch | 4 |\n| Pine | 5 |\n\nMore of it:\n| Fir | 6 |"


@pytest.mark.parametrize(
    ("row", "found"),
    [
        ("| a | b |", ["a", "b"]),
        ("  | a |  | c |  ", ["a", "", "c"]),
        ("| a | b", ["a", "b"]),
        ("a | b", ["a", "b"]),
        (r"| a \| b | c |", [r"a \| b", "c"]),
        ("| a |", ["a"]),
        ("|", [""]),
    ],
)
def test_cells_stand_between_bars(row, found):
    assert row_cells(row) == found


@pytest.mark.parametrize("header", ["| a | b |", "| a | b", r"| a \| b | c |", "| a |"])
def test_a_header_with_its_rule_is_a_table_of_its_columns(header):
    html = MarkdownIt("commonmark").enable("table").render(f"{without_rule(header)}\n| x |")
    assert html.count("<th>") == len(row_cells(header))


def test_no_header_is_no_table():
    assert without_rule("") == ""


@pytest.mark.parametrize(
    ("row", "above", "header"),
    [
        ("| Larch | 4 |", "", "| Plant | Fee |"),
        ("| Pine | 5 |", "| Other | Header |", "| Plant | Fee |"),
        ("| Fir | 6 |", "| Other | Header |", ""),
        ("| Plant | Fee |", "", ""),
        ("More of it:", "| Other |", ""),
    ],
)
def test_a_row_is_named_by_the_header_of_its_own_table(row, above, header):
    assert header_of(TABLE, TABLE.index(row), above) == header


def test_rows_that_a_text_begins_with_are_named_by_the_header_above_it_where_they_have_its_columns():
    text = "| Larch | 4 |\n| 15 | Berlin | x |"
    assert header_of(text, 0, "| Plant | Fee |") == "| Plant | Fee |"
    assert header_of(text, text.index("| 15"), "| Plant | Fee |") == ""
