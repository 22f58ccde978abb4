"""Periods named in texts and file names."""

from __future__ import annotations

from datetime import date

import pytest

from ingest.text.periods import days_in, last_day, most_specific, parts_of, period_of, periods_in, periods_in_name


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("Q3 2023", {"2023-Q3", "2023"}),
        ("the first quarter of fiscal 2024", {"2024-Q1", "2024"}),
        ("Q2 of fiscal year 2024", {"2024-Q2", "2024"}),
        ("Q4 FY2022", {"2022-Q4", "2022"}),
        ("drittes Quartal 2023", {"2023-Q3", "2023"}),
        ("im 3. Quartal 2023", {"2023-Q3", "2023"}),
        ("H1 2023", {"2023-H1", "2023"}),
        ("zweites Halbjahr 2021", {"2021-H2", "2021"}),
        ("the quarter ended December 31, 2022", {"2022-12-31", "2022-12", "2022"}),
        ("am 31. Dezember 2022", {"2022-12-31", "2022-12", "2022"}),
        ("el 4 de mayo de 2024", {"2024-05-04", "2024-05", "2024"}),
        ("31.12.2022", {"2022-12-31", "2022-12", "2022"}),
        ("2022-12-31", {"2022-12-31", "2022-12", "2022"}),
        ("May 2024", {"2024-05", "2024"}),
        ("FY2018", {"2018"}),
        ("31 June 2022", {"2022-06", "2022"}),
        ("H3 2023", {"2023"}),
        ("12,023 pieces in room 2.2023", set()),
    ],
)
def test_periods_are_found_in_all_common_forms(text, found):
    assert periods_in(text) == found


@pytest.mark.parametrize("name", ["2023 Q3 AAPL.pdf", "aapl_2023_Q3.pdf", "report.Q3.2023.docx", "2023Q3-report.xlsx"])
def test_file_names_separate_words_with_marks(name):
    assert periods_in_name(name) == {"2023-Q3", "2023"}


def test_the_most_specific_periods_leave_out_what_contains_them():
    assert most_specific({"2023", "2023-Q3", "2022", "2024-05-04", "2024-05", "2024"}) == {
        "2023-Q3",
        "2022",
        "2024-05-04",
    }


@pytest.mark.parametrize(
    ("period", "day"),
    [
        ("2023-Q3", date(2023, 9, 30)),
        ("2023-H1", date(2023, 6, 30)),
        ("2024-02", date(2024, 2, 29)),
        ("2024-05-04", date(2024, 5, 4)),
        ("2022", date(2022, 12, 31)),
    ],
)
def test_the_last_day_of_a_period(period, day):
    assert last_day(period) == day


@pytest.mark.parametrize(
    ("text", "period"),
    [
        ("2023", "2023"),
        (" FY 2023 ", "2023"),
        ("Q3 2023", "2023-Q3"),
        ("2023-q3", "2023-Q3"),
        ("third quarter of fiscal 2023", "2023-Q3"),
        ("2023-H1", "2023-H1"),
        ("May 2024", "2024-05"),
        ("2024-05", "2024-05"),
        ("31. Dezember 2022", "2022-12-31"),
        ("2022-12-31", "2022-12-31"),
    ],
)
def test_a_text_that_is_one_period_is_that_period(text, period):
    assert period_of(text) == period
    assert period_of(period) == period


@pytest.mark.parametrize(
    "text", ["", " ", "before 2023", "2022 and 2023", "2023-2024", "Q5 2023", "31 June 2022", "2023-13", "soon"]
)
def test_a_text_with_other_words_is_no_period(text):
    assert period_of(text) is None


def test_days_are_in_the_order_in_which_a_text_names_them():
    text = "For the period ended April 1, 2023. Outstanding on 2023-02-01, filed on 5 May 2023, not April 1, 2023."
    assert days_in(text) == ("2023-04-01", "2023-02-01", "2023-05-05")
    assert days_in("on 31 June 2022, and in May 2022") == ()


def test_a_half_is_made_of_its_quarters():
    assert parts_of("2023-H1") == ["2023-H1", "2023-Q1", "2023-Q2"]
    assert parts_of("2023-H2") == ["2023-H2", "2023-Q3", "2023-Q4"]
    assert parts_of("2023-Q4") == ["2023-Q4"]
