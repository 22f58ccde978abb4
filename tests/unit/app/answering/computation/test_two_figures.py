"""Calculations with two cells: the right cells, the exact result, and nothing where a word is not accounted for."""

from __future__ import annotations

import pytest

from app.answering.computation import Calculator
from app.models import Passage
from ingest.models import Query

HEADER = (
    "| | Three Months Ended June 30, 2031 | Three Months Ended June 30, 2030 | Three Months Ended Change "
    "| Six Months Ended June 30, 2031 |\n| --- | --- | --- | --- | --- |\n"
)
ACCOUNTS = (
    "STATEMENTS OF OPERATIONS (In millions, except shares)\n\n" + HEADER + "| Net sales: | | | | |\n"
    "| Boats | $800 | $700 | 14% | $1,500 |\n| Sails | 400 | 300 | 33% | 760 |\n"
    "| Total net sales | 1,200 | 1,000 | 20% | 2,260 |\n| Cost of sales: | | | | |\n"
    "| Boats | 500 | 450 | 11% | 960 |\n| Research and development | 150 | 160 | | 290 |\n"
    "| Other income/(expense), net | (20) | 30 | | 5 |\n"
)


def passage(text: str, document: str = "2031 Q2 Yard.pdf", start: int = 70) -> Passage:
    return Passage(1, f"/docs/{document}", document, "Yard Inc.", None, (), start, start + len(text), text, 1.0)


def answer(question: str, *texts: str) -> str:
    passages = [passage(text, f"{n} report", n) for n, text in enumerate(texts)] or [passage(ACCOUNTS)]
    return Calculator().answer(Query(question), passages).text


@pytest.mark.parametrize(
    ("question", "result"),
    [
        ("What was Sails as a share of total net sales in the quarter ended June 30, 2031?", "33.3%"),
        ("What percentage of total net sales came from boats in Q2 2031?", "66.7%"),
        ("How much higher was research and development in June 2031 than in June 2030?", ""),
        (
            "What is the difference between boats and sails net sales for the three months ended June 30, 2031?",
            "$400 million",
        ),
        (
            "How much lower were total net sales in the three months ended June 30, 2030 than in Q2 2031?",
            "\u2212$200 million",
        ),
        (
            "How much were boats and sails net sales combined for the three months ended June 30, 2030?",
            "$1,000 million",
        ),
        ("By what percentage did research and development change in Q2 2031 year over year?", "\u22126.3%"),
        ("What was the ratio of boats net sales to sails net sales in Q2 2031?", "2.00"),
        (
            "Um wie viel ist Research and development in Q2 2031 gegen\u00fcber dem Vorjahresquartal gesunken?",
            "\u2212$10 million",
        ),
        (
            (
                "By how much did other income/(expense), net change from the three months ended June 30, 2030 to the"
                " three months ended June 30, 2031?"
            ),
            "\u2212$50 million",
        ),
        ("What is the average of boats and sails net sales in the six months ended June 30, 2031?", "$1,130 million"),
    ],
)
def test_the_result_is_exact_and_has_the_unit_of_its_cells(question, result):
    found = answer(question)
    assert found.endswith(f"= {result}") if result else found == ""


def test_both_figures_are_shown_with_footnotes_that_open_their_rows():
    quotes = Calculator().answer(
        Query("What was Sails as a share of total net sales in the quarter ended June 30, 2031?"), [passage(ACCOUNTS)]
    )
    assert quotes.text == (
        "Share, computed: $400 million (Net sales: Sails, Three Months Ended June 30, 2031) [1] \u00f7 "
        "$1,200 million (Net sales: Total net sales, Three Months Ended June 30, 2031) [2] = 33.3%"
    )
    first, second = quotes.citations
    assert ACCOUNTS[first.start - 70 : first.end - 70] == first.quote == "Sails | 400 | 300 | 33% | 760"
    assert second.quote == "Total net sales | 1,200 | 1,000 | 20% | 2,260"
    (sentence,) = quotes.sentences
    assert sentence.supported
    assert sentence.citations == (1, 2)
    assert [quotes.text[start:end] for start, end in sentence.spans] == ["33.3%"]


def test_a_change_that_the_table_states_is_quoted():
    stated = answer(
        "By what percentage did total net sales grow from the three months ended June 30, 2030 to the three months"
        " ended June 30, 2031?"
    )
    assert stated == "Net sales: Total net sales, Three Months Ended Change: 20% [1]"


def test_a_stated_change_has_the_unit_of_its_table():
    head = "(dollars in millions)\n\n| | 2031 | 2030 | $ Change |\n| --- | --- | --- | --- |\n"
    table = f"{head}| Boats | $500 | $450 | $50 |\n"
    assert answer("By how much did boats change from 2030 to 2031?", table) == "Boats, $ Change: $50 million [1]"


@pytest.mark.parametrize(
    "question",
    [
        "What were total net sales in Q2 2031?",
        "What share of total net sales was boats excluding barges in Q2 2031?",
        "What share of total net sales was boats in Norway in Q2 2031?",
        "What share of total net sales was boats?",  # of which period?
        "What share of total net sales was boats in June 2029?",
        "By how much did net sales change?",
        "By how much did boats change in Q2 2031 year over year?",  # sold, or their cost?
        "What is the difference between boats and rafts net sales in Q2 2031?",
        "How much higher were total net sales in 2031 than in 2030?",  # no column is for a year
    ],
)
def test_nothing_is_computed_if_a_word_or_a_cell_is_unclear(question):
    assert answer(question) == ""


def test_nothing_is_computed_from_tables_that_differ():
    other = ACCOUNTS.replace("$800 ", "$810 ")
    question = "What is the difference between boats and sails net sales for the three months ended June 30, 2031?"
    assert answer(question, ACCOUNTS, ACCOUNTS).endswith("= $400 million")
    assert answer(question, ACCOUNTS, other) == ""


def test_a_share_is_of_a_whole_in_the_same_table():
    head = "| | 2031 |\n| --- | --- |\n"
    kinds, places = f"Net sales\n\n{head}| Boats | 50 |\n| Total net sales | 90 |\n", f"{head}| Norway | 20 |\n"
    assert answer("What percentage of boats net sales came from Norway in 2031?", kinds, places) == ""
    assert answer("What percentage of total net sales came from boats in 2031?", kinds, places).endswith("= 55.6%")


def test_the_same_row_of_two_documents_is_compared_by_their_periods():
    first, second = (f"| | Amount |\n| --- | --- |\n| Members | {n} |\n| Boats | 7 |\n" for n in (310, 290))
    passages = [passage(first, "club 2031.md"), passage(second, "club 2030.md")]
    quotes = Calculator().answer(Query("By how much did members change between 2030 and 2031?"), passages)
    assert quotes.text.startswith("Change, computed: 310 (Members, Amount, ")
    assert quotes.text.endswith("= 20")
    assert len(quotes.citations) == 2


def test_a_table_may_have_a_row_for_each_period():
    table = "| Year | Ducks | Salt water ducks |\n| --- | --- | --- |\n| 2029 | 200 | 80 |\n| 2030 | 230 | 90 |\n"
    assert answer("By how much did ducks change between 2029 and 2030?", table).endswith("= 30")


def test_decimal_commas_are_read_and_written():
    table = "| Ort | Gas 2030 | Gas 2031 |\n| --- | --- | --- |\n| Ulm | 1.250,50 | 1.300,25 |\n| Jena | 2,5 | 3,5 |\n"
    assert answer("Wie gro\u00df ist die Differenz zwischen Gas 2031 von Ulm und Jena?", table).endswith("= 1.296,75")


def test_growth_from_a_loss_is_not_computed():
    table = "| | 2030 | 2031 |\n| --- | --- | --- |\n| Net income | (50) | 20 |\n"
    assert answer("By what percentage did net income grow from 2030 to 2031?", table) == ""
    assert answer("By how much did net income change from 2030 to 2031?", table).endswith("= 70")


@pytest.mark.parametrize(
    ("question", "result"),
    [
        ("What percentage of total revenue did boats contribute in Q2 2031?", "= 66.7%"),
        ("In Q2 2031, what proportion of revenue was generated by the sails business?", "= 33.3%"),
        ("How much higher was revenue in Q2 2031 than its R&D?", "$1,050 million"),
    ],
)
def test_figures_are_found_by_other_names(question, result):
    assert answer(question).endswith(result)


def test_a_share_is_of_the_whole_in_the_same_table():
    other = HEADER + "| Total net sales | 700 | 650 | 8% | 1,300 |\n| Costs | 5 | 5 | | 9 |\n"
    question = Query("What percentage of total net sales came from boats in Q2 2031?")
    both = [passage(ACCOUNTS), passage(other, "2031 Q2 Other.pdf", 1)]
    assert Calculator().answer(question, both).text.endswith("= 66.7%")


BUSINESS = (
    "Accounts (in millions)\n\n| | 2031 | 2030 |\n| --- | --- | --- |\n| Residential revenue | 60 | 50 |\n"
    "| Revenue | 100 | 80 |\n"
)
CLASSES = "Seats\n\n| | 2031 |\n| --- | --- |\n| Economy | 60 |\n| Business | 40 |\n| Total | 100 |\n"
STAFF = "Employees by department\n\n| | 2031 |\n| --- | --- |\n| Marketing | 5 |\n| Sales | 10 |\n| Research | 3 |\n"
SEGMENT = "Europe (in millions)\n\n| | 2031 |\n| --- | --- |\n| Cloud | 10 |\n| Net sales | 20 |\n"
COMPANY = "Company (in millions)\n\n| | 2031 |\n| --- | --- |\n| Products | 60 |\n| Net sales | 100 |\n"


@pytest.mark.parametrize(
    ("question", "texts", "result"),
    [
        ("How much did business revenue grow in percent from 2030 to 2031?", (BUSINESS,), ""),
        ("What is the difference between economy and business in 2031?", (CLASSES,), "= 20"),
        ("What share of revenue was marketing in 2031?", (STAFF,), ""),
        ("What share of net sales was cloud in 2031?", (SEGMENT, COMPANY), ""),
        ("What share of net sales was cloud in 2031?", (SEGMENT,), "= 50.0%"),
    ],
)
def test_words_and_wholes_that_may_be_of_something_else(question, texts, result):
    passages = [passage(text, "report", 70 * n) for n, text in enumerate(texts)]
    found = Calculator().answer(Query(question), passages).text
    assert found.endswith(result)
    assert bool(found) == bool(result)
