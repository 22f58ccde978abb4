"""The choice of rows: other names of figures, groups, shares, and the same row of every document."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.answering.extractive import ExtractiveAnswerer
from app.answering.tables import rows_with_figures
from app.models import Passage

HEADER = "| (in millions) | Three Months Ended {day} |\n| --- | --- |\n"


def passage(n: int, text: str, document: str) -> Passage:
    return Passage(n, f"/docs/{document}.md", document, "Yard Inc.", None, (), 0, len(text), text, 1 / n)


def report(n: int, day: str, rows: str, document: str) -> Passage:
    return passage(n, HEADER.format(day=day) + rows, document)


@pytest.fixture
def answerer(word_embedder) -> ExtractiveAnswerer:
    return ExtractiveAnswerer(word_embedder)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("What was the revenue?", "Net sales | 900"),
        ("What was the R&D spending?", "Research and development | 40"),
        ("What was the turnover?", "Net sales | 900"),
        ("How high was EPS?", "Earnings per share | 3"),
    ],
)
def test_a_figure_is_found_by_another_name(answerer, question, row):
    rows = "| Net sales | 900 |\n| Research and development | 40 |\n| Earnings per share | 3 |\n| Other | 7 |\n"
    found = answerer.answer(question, [report(1, "June 30, 2031", rows, "Q2")])
    assert [note.quote for note in found.citations] == [row]


GROUPS = "| North: | |\n| Net sales | 500 |\n| South: | |\n| Net sales | 400 |\n"


def test_a_row_in_several_groups_is_that_of_the_group_that_is_named(answerer):
    found = answerer.answer("What were the net sales of the South?", [report(1, "June 30, 2031", GROUPS, "Q2")])
    assert "$400" in found.text or "400" in found.text
    assert "500" not in found.text


def test_the_total_is_given_rather_than_a_group_that_is_not_named(answerer):
    whole = passage(2, "| (in millions) | June 30, 2031 |\n| --- | --- |\n| Total net sales | 900 |\n", "Q2")
    found = answerer.answer("What were the net sales?", [report(1, "June 30, 2031", GROUPS, "Q2"), whole])
    assert [note.quote for note in found.citations] == ["Total net sales | 900"]


def test_amounts_come_before_shares_unless_a_share_is_asked_for(answerer):
    shares = "| Net sales | 100.0% |\n| Cost of sales | 40.0% |\n"
    amounts = "| Net sales | 900 |\n| Cost of sales | 360 |\n"
    both = [report(1, "June 30, 2031", shares, "Q2"), report(2, "June 30, 2031", amounts, "Q2")]
    assert "360" in answerer.answer("What was the cost of sales?", both).text
    assert "40.0%" in answerer.answer("What percentage was the cost of sales?", both).text


def test_a_comparison_has_the_same_row_of_each_document(answerer):
    reports = [
        report(n, f"{day}, 2031", f"| Boats | {n}00 |\n| Services | {n}0.5% |\n{total} | {n}50 |\n", f"Q{n}")
        for n, day, total in (
            (1, "March 31", "| Operating expenses"),
            (2, "June 30", "| Total operating expenses"),
            (3, "September 30", "| Operating expenses"),
        )
    ]
    found = answerer.answer("How have operating expenses changed over the quarters?", reports)
    assert [f"{n}50" in found.text for n in (1, 2, 3)] == [True, True, True]
    assert [note.document for note in found.citations] == ["/docs/Q1.md", "/docs/Q2.md", "/docs/Q3.md"]


def test_figures_of_documents_that_are_not_meant_are_left_out(answerer):
    reports = [
        report(1, "June 30, 2031", "| Net sales | 900 |\n", "A"),
        report(2, "June 30, 2031", "| Net sales | 700 |\n", "B"),
    ]
    found = answerer.answer("What were the net sales?", reports, meant=frozenset({"/docs/B.md"}))
    assert [note.document for note in found.citations] == ["/docs/B.md"]


def test_a_row_of_a_group_that_is_named_comes_before_the_total_of_the_group(answerer):
    rows = "| Revenue by segment: | |\n| Services | 300 |\n| Boats | 600 |\n| Total revenue | 900 |\n"
    found = answerer.answer("What was the revenue of the Services segment?", [report(1, "June 30, 2031", rows, "Q2")])
    assert [note.quote for note in found.citations] == ["Services | 300"]


def test_two_figures_are_found_by_their_names_in_full_and_not_by_one_of_their_words(answerer):
    rows = (
        "| Total operating expenses | 250 |\n| Deferred revenue | 77 |\n| Cost of sales | 60 |\n"
        "| Total net sales | 900 |\n"
    )
    question = "How did operating expenses compare to revenue?"
    found = answerer.answer(question, [report(1, "June 30, 2031", rows, "Q2")])
    assert [note.quote for note in found.citations] == ["Total operating expenses | 250", "Total net sales | 900"]


def test_research_and_development_is_no_comparison(answerer):
    reports = [
        report(1, "June 30, 2031", "| Research and development | 40 |\n", "Q2 2031"),
        report(2, "June 30, 2030", "| Research and development | 30 |\n", "Q2 2030"),
    ]
    found = answerer.answer("How high was research and development in 2031?", reports)
    assert [note.document for note in found.citations] == ["/docs/Q2 2031.md"]


def test_a_level_comes_before_the_group_of_changes(answerer):
    rows = "| Changes in assets: | |\n| Inventories | (25) |\n"
    level = passage(2, "| (in millions) | June 30, 2031 |\n| --- | --- |\n| Total inventories | 900 |\n", "Q2")
    found = answerer.answer("How have inventories changed?", [report(1, "June 30, 2031", rows, "Q2"), level])
    assert "900" in found.text


def test_lines_of_a_table_of_contents_are_no_rows_of_figures():
    lines = "| Net sales | 3 |\n| --- | --- |\n| Costs | 7 |\n| Inventories | 12 |\n| Other | 30 |\n"
    assert rows_with_figures([passage(1, f"TABLE OF CONTENTS\n\n{lines}", "Q2")]) == []
    assert len(rows_with_figures([passage(1, f"Accounts\n\n{lines}", "Q2")])) == 3


BALANCE = passage(1, "Balance sheet\n\n| (in millions) | June 30, 2031 |\n| --- | --- |\n| Stocks | 70 |\n", "Q2")
FLOWS = passage(
    2,
    "Statement of cash flows\n\n| (in millions) | Six Months Ended June 30, 2031 |\n| --- | --- |\n"
    "| Stocks | (9) |\n| Proceeds | 5 |\n",
    "Q2",
)


@pytest.mark.parametrize(
    ("question", "row"),
    [
        ("How large were the stocks?", "Stocks | 70"),
        ("How large were the stocks in the cash flows?", "Stocks | (9)"),
        ("How large were the proceeds?", "Proceeds | 5"),  # in no other table
    ],
)
def test_a_change_among_cash_flows_is_not_taken_for_the_amount(answerer, question, row):
    flows = replace(FLOWS, start=1_000, end=1_000 + len(FLOWS.text))
    assert [note.quote for note in answerer.answer(question, [flows, BALANCE]).citations] == [row]


def test_an_amount_of_a_span_of_time_is_read_from_the_cash_flows_too(answerer):
    spent = "| Depreciation | 139 |\n"
    flows = passage(1, f"Statement of cash flows\n\n| | Six Months Ended June 30, 2031 |\n| --- | --- |\n{spent}", "Q2")
    quarter = report(2, "June 30, 2031", spent.replace("139", "70"), "Q2")
    quarter = replace(quarter, start=1_000, end=1_000 + len(quarter.text))
    found = answerer.answer("How high was depreciation in the six months ended June 30, 2031?", [flows, quarter])
    assert [note.quote for note in found.citations] == ["Depreciation | 139"]


def test_umsatz_is_no_rate(answerer):
    rows = passage(1, "| in Mio. | 2023 |\n| --- | --- |\n| Ums\u00e4tze | 428 |\n| Materialaufwand | 90 |\n", "B")
    found = answerer.answer("Wie hoch war der Umsatz 2023?", [rows])
    assert [note.quote for note in found.citations] == ["Ums\u00e4tze | 428"]


@pytest.mark.parametrize(("label", "found"), [("Effective tax rate", True), ("Income tax", False)])
def test_a_rate_is_read_only_from_a_row_of_a_rate(answerer, label, found):
    rows = f"| {label} | 14.6 |\n| Other | 2 |\n"
    answer = answerer.answer("What was the effective income tax rate?", [report(1, "June 30, 2031", rows, "Q2")])
    assert answer.text.startswith(f"{label}, Three Months Ended") is found
