"""Questions for the causes of a figure get the rows that sum to it."""

from __future__ import annotations

import pytest

from app.answering.extractive import ExtractiveAnswerer
from app.answering.tables import asks_causes, rows_with_figures
from app.answering.tables.parts import parts_of
from app.models import Passage

HEADER = "| (in millions) | Quarter ended {day}, 2031 | {day}, 2030 |\n| --- | --- | --- |\n"
EXPENSES = (
    "| Net sales | 900 | 800 |\n| Research and development | {a} | 30 |\n| Percentage of net sales | 4% | 4% |\n"
    "| Selling and administration | {b} | 50 |\n| Total operating expenses | {c} | 80 |\n"
)


def report(n: int, day: str, a: str, b: str, c: str) -> Passage:
    text = HEADER.format(day=day) + EXPENSES.format(a=a, b=b, c=c)
    return Passage(n, f"/docs/Q{n}.md", f"Q{n}", "Yard Inc.", None, (), 0, len(text), text, 1 / n)


def parts(text: str, label: str, *, comma_expected: bool = False) -> list[str]:
    whole = Passage(1, "/docs/a.md", "a", "", None, (), 0, len(text), text, 1.0)
    rows = rows_with_figures([whole])
    total = next(one for one in rows if one.label == label)
    return [one.label for one in parts_of(total, rows, comma_expected=comma_expected)]


TABLE = "| | Q2 |\n| --- | --- |\n"


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ("| A | 40 |\n| B | 60 |\n| Total | 100 |\n", ["A", "B"]),
        ("| Sales | 500 |\n| A | 40 |\n| B | 60 |\n| Total | 100 |\n", ["A", "B"]),
        ("| A | 40 |\n| Share | 4% |\n| B | 60 |\n| Total | 100 |\n", ["A", "B"]),
        ("| A | $140 |\n| B | (40) |\n| Total | $100 |\n", ["A", "B"]),
        ("| A | 33.3 |\n| B | 33.3 |\n| C | 33.3 |\n| Total | 100.0 |\n", ["A", "B", "C"]),
        ("| A | 40 |\n| B | 50 |\n| Total | 100 |\n", []),
        ("| A | 1 |\n| B | 60 |\n| C | 39 |\n| Total | 100 |\n", ["A", "B", "C"]),
        ("| Staff | 61 |\n| Orders | 40 |\n| Total | 100 |\n", []),
        ("| A | $30 |\n| B | 20 kg |\n| Total | 50 |\n", []),
        ("| A | 2.0% |\n| B | 3.0% |\n| Total | 5.0% |\n", []),
        ("| A | 100 |\n| Total | 100 |\n", []),
        ("| A | 0 |\n| B | 0 |\n| Total | 0 |\n", []),
    ],
)
def test_parts_are_the_rows_above_that_sum_to_it(rows, expected):
    assert parts(TABLE + rows, "Total") == expected


def test_a_row_that_is_not_called_a_total_has_to_be_the_sum_in_two_columns():
    header = "| | 2031 | 2030 |\n| --- | --- | --- |\n"
    assert parts(TABLE + "| Buildings | 10 |\n| Vehicles | 20 |\n| Debt | 30 |\n", "Debt") == []
    assert parts(f"{header}| Buildings | 10 | 90 |\n| Vehicles | 20 | 80 |\n| Debt | 30 | 7 |\n", "Debt") == []
    rows = "| A | 10 | 90 |\n| B | \u2014 | 5 |\n| C | 20 | 80 |\n| Net cash | 30 | 175 |\n"
    assert parts(header + rows, "Net cash") == ["A", "B", "C"]


def test_parts_with_a_decimal_comma():
    rows = "| Material | 1.200,50 |\n| Personal | 799,50 |\n| Summe | 2.000,00 |\n"
    assert parts(TABLE + rows, "Summe", comma_expected=True) == ["Material", "Personal"]


def test_a_question_for_causes_gets_the_parts_of_each_document(word_embedder):
    reports = [report(1, "March 31", "40", "60", "100"), report(2, "June 30", "45", "70", "115")]
    question = "How have operating expenses changed over the quarters, and what are the key drivers?"
    found = ExtractiveAnswerer(word_embedder).answer(question, reports).text
    lines = [line for line in found.splitlines() if line.startswith("| Q")]
    assert "Total operating expenses | Research and development | Selling and administration" in found
    assert all(figure in lines[0] for figure in ("100", "40", "60"))
    assert all(figure in lines[1] for figure in ("115", "45", "70"))
    without = ExtractiveAnswerer(word_embedder).answer(question.partition(",")[0], reports).text
    assert "Research and development" not in without


def test_a_figure_of_another_group_or_period_does_not_replace_the_one_that_is_asked_for(word_embedder):
    text = (
        "| (in millions) | 2031 |\n| --- | --- |\n| Europe | |\n| Net sales | 70 |\n| Other income | 7 |\n"
        "| Americas | |\n| Hardware | 60 |\n| Software | 40 |\n| Total net sales | 100 |\n"
    )
    whole = Passage(1, "/docs/a.md", "a", "", None, (), 0, len(text), text, 1.0)
    found = ExtractiveAnswerer(word_embedder).answer("Why did net sales in Europe fall in 2031?", [whole])
    assert "Europe: Net sales, 2031: 70 million" in found.text
    assert "100" not in found.text


def test_parts_with_one_name_in_two_groups_have_a_column_each(word_embedder):
    reports = []
    for n in (1, 2):
        text = HEADER.format(day="March 31") + (
            f"| Products | | |\n| Hardware | 4{n} | 40 |\n| Other | 1{n} | 10 |\n| Services | | |\n"
            f"| Cloud | 20 | 20 |\n| Other | 5 | 5 |\n| Total net sales | {75 + 2 * n} | 75 |\n"
        )
        reports.append(Passage(n, f"/docs/Q{n}.md", f"Q{n}", "Yard Inc.", None, (), 0, len(text), text, 1 / n))
    found = ExtractiveAnswerer(word_embedder).answer("What drove total net sales over the years?", reports)
    assert "Total net sales | Hardware | Products: Other | Cloud | Services: Other" in found.text


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("How many drivers were there?", False),
        ("Wie hoch war der Beitrag 2031?", False),
        ("What are the main causes of the shift in costs?", True),
        ("Was sind die Gr\u00fcnde f\u00fcr den Anstieg?", True),
        ("What were net sales in the quarter?", False),
        ("Which because-clause is meant?", False),
    ],
)
def test_words_for_causes(question, expected):
    assert asks_causes(question) is expected


def test_rows_with_one_header_share_it(word_embedder):
    whole = report(1, "March 31", "40", "60", "100")
    question = "What drove operating expenses?"
    found = ExtractiveAnswerer(word_embedder).answer(question, [whole]).text
    assert found == (
        "| (in millions) | Quarter ended March 31, 2031 | March 31, 2030 |\n| --- | --- | --- |\n"
        "| Total operating expenses | 100 | 80 [1] |\n| Research and development | 40 | 30 [2] |\n"
        "| Selling and administration | 60 | 50 [3] |"
    )
