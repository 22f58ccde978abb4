"""Rows of tables with their header, group, caption and currency."""

from __future__ import annotations

import pytest

from app.text import stated_scale, table_rows, without_scale

REPORT = (
    "STATEMENTS OF OPERATIONS\n\n(In millions, except per share amounts)\n\n"
    "| | Three Months Ended June 30, 2031 | Three Months Ended June 30, 2030 |\n| --- | --- | --- |\n"
    "| Sales: | | |\n| Boats | $1,200 | $900 |\n| Sails | 300 | (20) |\n| Earnings per share | $1.20 | $0.90 |\n"
)


def test_a_row_has_its_header_its_group_and_the_caption_of_its_table():
    boats, sails, earnings = table_rows(REPORT)
    assert REPORT[boats.start : boats.end] == "Boats | $1,200 | $900"
    assert boats.group == sails.group == "Sales:"
    assert sails.header[1] == "Three Months Ended June 30, 2031"
    assert sails.caption == "STATEMENTS OF OPERATIONS (In millions, except per share amounts)"
    assert sails.figures == (1, 2)
    assert earnings.signs == ("", "$", "$")


def test_rows_that_a_text_begins_with_have_the_header_above_it():
    (row,) = table_rows("| Larch | 4 |", "| Plant | Fee |")
    assert row.header == ("Plant", "Fee")
    assert table_rows("| Larch | 4 | x |", "| Plant | Fee |")[0].header == ()


@pytest.mark.parametrize(
    ("line", "cells"),
    [
        ("Total net sales 81,797 82,959", ("Total net sales", "81,797", "82,959")),
        ("Total net sales $ 81,797 $ 82,959 (1)%", ("Total net sales", "$81,797", "$82,959", "(1)%")),
    ],
)
def test_a_label_with_figures_is_a_row_without_a_header(line, cells):
    (row,) = table_rows(f"Some words.\n{line}\nOther words.")
    assert row.cells == cells
    assert row.header == ()


@pytest.mark.parametrize("line", ["In 2022 there were 12 boats.", "They met on June 3 2022", "12 13 14", "Boats 12"])
def test_a_sentence_and_a_lone_figure_are_no_row(line):
    assert [row for row in table_rows(line) if len(row.cells) > 3 or row.cells[0][0].isdigit()] == []
    assert table_rows("Boats 12") == []


@pytest.mark.parametrize(
    ("cell", "is_figure"),
    [
        ("$1,200", True),
        ("(2)%", True),
        ("49 euros", True),
        ("\u2014", False),
        ("Berlin", False),
        ("12 km per hour on land", False),
    ],
)
def test_figures_are_numbers_with_signs_and_units(cell, is_figure):
    (row,) = table_rows(f"| a | b |\n| --- | --- |\n| x | {cell} |\n")
    assert bool(row.figures) is is_figure


@pytest.mark.parametrize(
    ("text", "name", "currency"),
    [
        ("(In millions, except per share amounts)", "million", ""),
        ("as follows (dollars in thousands):", "thousand", "$"),
        ("amounts in billions of euros", "billion", "\u20ac"),
    ],
)
def test_a_scale_is_read_with_its_currency(text, name, currency):
    scale = stated_scale(text)
    assert scale is not None
    assert (scale.name, scale.currency) == (name, currency)


def test_a_text_without_a_scale_has_none():
    assert stated_scale("in the millions of years since") is None
    assert without_scale("June 30, 2031 ($ in millions)") == "June 30, 2031"
