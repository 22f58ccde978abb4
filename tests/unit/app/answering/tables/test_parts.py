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
        ("| A | 100 |\n| Total | 100 |\n", []),
        ("| A | 0 |\n| B | 0 |\n| Total | 0 |\n", []),
    ],
)
def test_parts_are_the_rows_above_that_sum_to_it(rows, expected):
    assert parts(TABLE + rows, "Total") == expected


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


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("What are the main causes of the shift in costs?", True),
        ("Was sind die Gr\u00fcnde f\u00fcr den Anstieg?", True),
        ("What were net sales in the quarter?", False),
        ("Which because-clause is meant?", False),
    ],
)
def test_words_for_causes(question, expected):
    assert asks_causes(question) is expected
