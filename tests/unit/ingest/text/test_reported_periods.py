"""The periods that a document reports on."""

from __future__ import annotations

from ingest.text import DocumentPeriods, document_periods, in_order
from ingest.text.reported_periods import OPENING_CHARACTERS

OPENING = "QUARTERLY REPORT\nFor the period ended April 1, 2023\nShares outstanding as of May 3, 2023: 5"


def test_periods_come_from_the_file_name_the_title_and_the_days_of_the_opening():
    assert document_periods("/reports 1999/2023_Q2.pdf", "Annual report 2022", OPENING) == DocumentPeriods(
        frozenset({"2023-Q2", "2023", "2022"}), "2023-04-01", frozenset({"2023-04-01", "2023-05-03"})
    )


def test_days_after_the_opening_are_not_of_the_document():
    assert document_periods("/a.txt", "", " " * OPENING_CHARACTERS + "April 1, 2023") == DocumentPeriods()


def test_the_last_day_comes_from_the_name_before_the_opening():
    opening = "as of January 5, 2024 and January 6, 2024"
    assert document_periods("/2023 Q3 report.pdf", "", opening).last == "2023-09-30"
    assert document_periods("/report.pdf", "", opening).last == "2024-01-06"
    assert document_periods("/report.pdf", "", "nothing").last == ""


def test_periods_are_listed_by_their_last_days_without_those_that_contain_them():
    found = {"2023", "2023-Q3", "2022-12-31", "2022-12", "2022", "2023-H1"}
    assert in_order(found) == ("2022-12-31", "2023-H1", "2023-Q3")
