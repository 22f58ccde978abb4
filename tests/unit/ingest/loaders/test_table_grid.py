"""Tables have one header row that names each column in full, whatever their file's header looks like."""

from __future__ import annotations

import pytest

from ingest.loaders.table_grid import Merge, is_value, shape

NUMBERS = [["Oslo", "1", "2", "3", "4"], ["Rome", "5", "6", "7", "8"]]
FULL = ["Site", "Gas 2023", "Gas 2024", "Power 2023", "Power 2024"]


def header_of(rows, merges=(), headers=0) -> list[str]:
    return shape(rows, merges, headers)[1][0]


def test_merged_names_are_over_each_column_that_they_cover():
    rows = [["Site", "Gas", "", "Power", ""], ["", "2023", "2024", "2023", "2024"], *NUMBERS]
    merges = [Merge(0, 0, 2, 1), Merge(0, 1, 1, 2), Merge(0, 3, 1, 2)]
    titles, shaped = shape(rows, merges)
    assert (titles, shaped) == ([], [FULL, *NUMBERS])


@pytest.mark.parametrize(
    "rows",
    [
        [["Site", "Gas", "", "Power", ""], ["", "2023", "2024", "2023", "2024"]],
        [["", "Gas", "", "Power", ""], ["Site", "2023", "2024", "2023", "2024"]],
        [["Site", "", "Gas", "", "Power"], ["", "2023", "2024", "2023", "2024"]],
    ],
    ids=["over the first", "corner below", "over the last"],
)
def test_names_that_are_not_merged_are_over_groups_of_the_same_columns(rows):
    assert header_of([*rows, *NUMBERS]) == FULL


def test_a_group_may_have_other_columns_than_the_next():
    rows = [["Site", "Gas", "", "Power", ""], ["", "used", "sold", "bought", "lost"], *NUMBERS]
    assert header_of(rows) == ["Site", "Gas used", "Gas sold", "Power bought", "Power lost"]


def test_headers_of_three_rows():
    rows = [
        ["Site", "Energy", "", "", ""],
        ["", "Gas", "", "Power", ""],
        ["", "2023", "2024", "2023", "2024"],
        *NUMBERS,
    ]
    merges = [Merge(0, 0, 3, 1), Merge(0, 1, 1, 4), Merge(1, 1, 1, 2), Merge(1, 3, 1, 2)]
    assert header_of(rows, merges)[1] == "Energy Gas 2023"


def test_declared_header_rows_are_joined():
    rows = [["Item", "Weight"], ["", "in kg"], ["pear", "heavy"]]
    assert shape(rows, headers=2)[1] == [["Item", "Weight in kg"], ["pear", "heavy"]]
    assert shape(rows)[1] == rows


@pytest.mark.parametrize(
    ("rows", "merges"),
    [
        ([["Contact", "", "Remarks"], ["Anna", "Oslo", "ok"], ["Bob", "Rome", ""]], [Merge(0, 0, 1, 2)]),
        ([["Name", "Price", ""], ["Pear", "1.20", "EUR"], ["Fig", "3", "EUR"]], []),
        ([["Range", "", "Count"], ["1999", "2004", "12"], ["2005", "2009", "7"]], [Merge(0, 0, 1, 2)]),
        ([["A", "B"], ["C", "D"], ["E", "F"]], []),
    ],
    ids=["text", "amounts", "years", "plain"],
)
def test_a_row_of_data_does_not_become_a_header(rows, merges):
    assert shape(rows, merges)[1] == rows


def test_a_cell_over_the_whole_width_is_a_title():
    rows = [["Plan of 2026", "", ""], ["Task", "Who", "Days"], ["dig", "Ann", "3"]]
    assert shape(rows, [Merge(0, 0, 1, 3)]) == (["Plan of 2026"], rows[1:])


def test_a_unit_and_a_period_at_the_ends_of_a_row_are_a_title():
    rows = [["EUR million", "", "January to June 2026"], ["", "Sales", "Profit"], ["North", "12", "(3)"]]
    assert shape(rows) == (["EUR million, January to June 2026"], rows[1:])


def test_merged_cells_fill_what_they_cover():
    rows = [["Plan", "Seats", "Price", "Note"], ["Basic", "5", "19", ""], ["", "20", "49", ""], ["All", "n/a", "", "x"]]
    merges = [Merge(1, 0, 2, 1), Merge(3, 1, 1, 2)]
    assert shape(rows, merges)[1][2:] == [["Basic", "20", "49", ""], ["All", "n/a", "n/a", "x"]]


def test_the_name_of_a_row_is_in_its_first_cell_alone():
    rows = [["Item", "Kind", "Price"], ["pear", "fruit", "2"], ["Total", "", "2"]]
    assert shape(rows, [Merge(2, 0, 1, 2)])[1][2] == ["Total", "", "2"]


def test_merged_cells_of_damaged_files_are_ignored():
    rows = [["A", "B"], ["1", "2"]]
    merges = [Merge(0, 0, 1, 9), Merge(0, 1, 9, 1), Merge(7, 7, 1, 1), Merge(1, 0, 10**6, 10**6)]
    assert len(shape(rows, merges)[1]) >= 1
    assert shape([], merges) == ([], [])


@pytest.mark.parametrize("cell", ["12", "1,200.50", "-3", "(35)", "7.5%", "€ 12", "12 EUR", "$1.20"])
def test_numbers_are_values(cell):
    assert is_value(cell)


@pytest.mark.parametrize("cell", ["2024", "FY 2024", "2023/24", "31.12.2024", "Q1", "12 months", "EUR", ""])
def test_periods_and_names_are_not_values(cell):
    assert not is_value(cell)


def test_an_empty_corner_over_two_rows_shows_a_header_of_two_rows():
    rows = [["", "Class 1", "", "Class 2", ""], ["", "A", "B", "C", "D"], ["R1", "yes", "no", "no", "yes"]]
    merges = [Merge(0, 1, 1, 2), Merge(0, 3, 1, 2)]
    assert header_of(rows, merges) == ["", "Class 1 A", "Class 1 B", "Class 2 C", "Class 2 D"]
    assert shape([rows[0], rows[2]], merges)[1][1] == rows[2]
    assert shape([rows[0], rows[2], rows[2]], merges)[1][1] == rows[2]
