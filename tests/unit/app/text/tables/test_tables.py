"""Rows of tables with their header, group, caption and currency."""

from __future__ import annotations

import pytest

from app.text import above_table, table_rows, with_scale

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
    ("row", "expected"),
    [
        ("| 7 | 7 |", ["7", "7"]),
        ("| | 7 |", ["", "7"]),
        ("| Larch | 7 |", ["Larch", "7"]),
    ],
)
def test_a_row_with_a_figure_is_data_even_if_all_cells_are_equal(row, expected):
    (found,) = table_rows(f"| a | b |\n| --- | --- |\n{row}\n")
    assert list(found.cells) == expected
    assert found.figures == (1,)


@pytest.mark.parametrize("row", ["| Trees | |", "| Trees | Trees |", "| 2031 | |", "| 2031 | 2031 |", "| | Trees |"])
def test_a_label_alone_begins_a_group(row):
    (found,) = table_rows(f"| a | b |\n| --- | --- |\n{row}\n| Larch | 4 |\n")
    assert found.cells == ("Larch", "4")
    assert found.group == next(filter(None, row.strip("| ").split(" | ")))


def test_a_table_of_one_column_has_no_groups():
    assert [row.cells for row in table_rows("| Plant |\n| --- |\n| Larch |\n| 7 |\n")] == [("Larch",), ("7",)]


def test_a_row_with_the_unit_alone_belongs_to_the_caption():
    (row,) = table_rows(
        "Costs\n\n| | 2031 | 2030 |\n| --- | --- | --- |\n| | Mio. EUR | Mio. EUR |\n| Boote | 4 | 5 |\n"
    )
    assert (row.group, row.caption) == ("", "Costs Mio. EUR")


@pytest.mark.parametrize("cell", ["1 234", "1\u202f234", "1\u2019234", "12 345 678"])
def test_a_number_with_spaces_between_its_digits_is_a_figure(cell):
    (row,) = table_rows(f"| a | b |\n| --- | --- |\n| x | {cell} |\n")
    assert row.figures == (1,)


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        ("Words.\n\n## Costs\n\n(in millions)\n\n", ("", "Costs (in millions)")),
        ("Old\n\n# Costs\n\n(in millions)\n\n(unaudited)\n\n", ("", "Costs (in millions) (unaudited)")),
        ("Words.\n\n(in millions)\n\n", ("", "(in millions)")),
        ("# Costs\n\nAll costs were\nas follows:\n\n", ("", "Costs \u2013 All costs were as follows:")),
        ("(1) A note to the table before\n\n", ("", "")),
        ("Costs\n\n| a | b |\n| --- | --- |\n", ("| a | b |", "Costs")),
        ("Costs\n\n| a | b |\n| --- | --- |\n| x | 1 |\n", ("| a | b |", "Costs")),
        ("| x | 1 |\n| y | 2 |\n", ("", "")),
        ("ut off\n| y | 2 |\n", ("", "")),
        ("Cut off in a row | 2", ("", "")),
        ("", ("", "")),
    ],
)
def test_the_header_and_the_caption_of_a_table_are_found_above_its_rows(before, expected):
    assert above_table(before) == expected


def test_rows_that_a_text_begins_with_have_the_unit_in_the_caption_above_it():
    (row,) = table_rows("| Larch | 4 |", "| Plant | Fee |", "Fees (in thousands)")
    assert with_scale(row, 1) == "4 thousand"


def test_a_long_caption_is_cut_between_words():
    (row,) = table_rows(f"{'words ' * 100}\n\n| a | b |\n| --- | --- |\n| x | 1 |\n")
    assert len(row.caption) <= 400
    assert set(row.caption.split()) == {"words"}


def test_a_group_ends_with_its_total():
    text = (
        "| | 2031 |\n| --- | --- |\n| Operating expenses: | |\n| Research | 40 |\n| Total operating expenses | 100 |\n"
        "| Operating income | 80 |\n| Other: | |\n| Interest | 3 |\n| Total income | 83 |\n| Taxes | 20 |\n"
    )
    groups = [(row.cells[0], row.group) for row in table_rows(text)]
    assert groups == [
        ("Research", "Operating expenses:"),
        ("Total operating expenses", "Operating expenses:"),
        ("Operating income", ""),
        ("Interest", "Other:"),
        ("Total income", "Other:"),
        ("Taxes", "Other:"),
    ]
