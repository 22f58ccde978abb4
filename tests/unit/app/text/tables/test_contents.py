"""Tables of contents are told from tables of figures."""

from __future__ import annotations

import pytest

from app.text import is_contents

ITEMS = [("Item 1. Financial Statements", ["3"]), ("Item 2. Discussion", ["15"]), ("Item 1A. Risk Factors", ["21"])]
PLAIN = [("Financial Statements", ["3"]), ("Discussion", ["15"]), ("Risk Factors", ["21"])]


@pytest.mark.parametrize(
    ("lines", "above"),
    [
        (ITEMS, ""),
        (PLAIN, "TABLE OF CONTENTS"),
        (PLAIN, "Inhaltsverzeichnis"),
        ([("2.1 Aufbau", ["4"]), ("2.2 Betrieb", ["4"]), ("3. Wartung", ["19"])], ""),
    ],
)
def test_ascending_pages_below_a_title_or_of_numbered_lines_are_contents(lines, above):
    assert is_contents(lines, above)


@pytest.mark.parametrize(
    ("lines", "above"),
    [
        (PLAIN, "Prices of the plans"),
        (PLAIN[:2], "TABLE OF CONTENTS"),
        ([*ITEMS, ("Item 4. Controls", ["2"])], "Contents"),
        ([(label, [*pages, "7"]) for label, pages in ITEMS], "Contents"),
        ([(label, [f"${page}" for page in pages]) for label, pages in ITEMS], "Contents"),
        ([("Basic", ["10"]), ("Plus", ["20"]), ("Pro", ["50"])], "The subscription contains"),
    ],
)
def test_prices_falling_numbers_and_several_figures_are_none(lines, above):
    assert not is_contents(lines, above)


@pytest.mark.parametrize(
    ("column", "expected"), [("", True), ("Page", True), ("12", True), ("2031", True), ("Fee", False)]
)
def test_a_column_with_another_name_than_page_has_no_pages(column, expected):
    assert is_contents(ITEMS, "", column) is expected


def test_a_title_stands_on_its_own_line():
    assert not is_contents(PLAIN, "This note sums up the contents of the report.")
    assert is_contents(PLAIN, "Yard Inc.\n\n## Table of contents\n\n| ...")
