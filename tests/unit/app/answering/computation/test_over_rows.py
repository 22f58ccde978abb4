"""Counts, sums and extremes over the rows of a table: all of them, however few a search found, or no answer."""

from __future__ import annotations

import pytest

from app.answering.computation import Calculator
from app.answering.quotes import Quotes
from app.models import Passage
from ingest.models import Query

ORDERS = (
    "# Orders\n\n| Order | Date | Region | Status | Pieces | Amount (EUR) |\n| --- | --- | --- | --- | --- | --- |\n"
    "| A-1 | 03/05/2031 | North | open | 4 | 1,200.50 |\n| A-2 | 14/05/2031 | South | closed | 2 | 300 |\n"
    "| A-3 | 28/05/2031 | North | closed | 9 | 450.25 |\n| A-4 | 02/06/2031 | West | open | 1 | 99.25 |\n"
    "| A-5 | 30/06/2031 | North | returned | 7 | 50 |\n| A-6 | 01/07/2031 | South | open | 3 | \u2014 |\n"
)


class Documents:
    """The stored texts of documents."""

    def __init__(self, **texts: str) -> None:
        self.texts = texts

    def read(self, version: str, start: int, end: int) -> str:
        return self.texts[version][start:end]

    def passage(self, version: str, start: int = 0, end: int | None = None, place: str = "") -> Passage:
        text = self.texts[version][start:end]
        return Passage(
            1, f"/docs/{version}.xlsx", version, "", None, (), start, start + len(text), text, 1.0, place=place
        )

    def ask(self, question: str, *passages: Passage) -> Quotes:
        found = passages or tuple(map(self.passage, self.texts))
        return Calculator(self.read).answer(Query(question), found)


def figure(quotes: Quotes) -> str:
    """The figure of an answer; "" if there is none."""
    return "".join(quotes.text[start:end] for one in quotes.sentences for start, end in one.spans)


@pytest.mark.parametrize(
    ("question", "result"),
    [
        ("How many orders are there?", "6"),
        ("How many orders in May 2031?", "3"),
        ("How many orders in May?", "3"),
        ("How many orders in Q2 2031 are open?", "2"),
        ("How many rows where status is open?", "3"),
        ("How many orders from North or West are there?", "4"),
        ("How many orders have more than 3 pieces?", ""),
        ("How many orders have pieces above 3?", "3"),
        ("How many different regions are in the orders?", "3"),
        ("What is the total amount where region is North?", "1,700.75"),
        ("What is the sum of pieces for South in May 2031?", ""),
        ("What is the total number of pieces?", "26"),
        ("What is the average of pieces?", "4.33"),
        ("What is the median of pieces for North?", "7"),
        ("Which order has the highest amount?", "1,200.50"),
        ("What is the lowest amount in June 2031?", "50"),
        ("Wie viele Zeilen haben Status open?", "3"),
        ("Combien de lignes avec Status open ?", "3"),
        ("\u00bfCu\u00e1ntas filas hay con el Status closed?", "2"),
    ],
)
def test_the_figure_is_that_of_the_rows_that_the_question_selects(question, result):
    assert figure(Documents(orders=ORDERS).ask(question)) == result


@pytest.mark.parametrize(
    "question",
    [
        "How many orders are not open?",
        "How many orders per region?",
        "How many orders before May 2031?",
        "How many orders from May 2031?",  # in May, or since May?
        "How many orders in 2031 and 2032 are there?",
        "How many urgent orders are there?",
        "How many regions are there?",  # rows, or different regions?
        "How many columns are in the orders?",
        "How many pieces were in order A-3?",  # one cell, which is quoted
        "What is the total amount by region?",
        "What is the total amount and the average of pieces?",
        "What is the second highest amount?",
        "What is the total price?",
        "What is the amount where region is North?",
        "Which region has the highest amount?",  # of one order, or in total?
        "How many orders from North-West are there?",
    ],
)
def test_nothing_is_computed_if_a_word_of_the_question_is_left_over(question):
    assert Documents(orders=ORDERS).ask(question).text == ""


def test_the_answer_names_the_table_and_its_footnotes_open_the_rows_that_were_used():
    quotes = Documents(orders=ORDERS).ask("What is the total amount where region is South?")
    assert quotes.text == ""  # one of the two rows has no amount, so one cell is left, which is quoted
    quotes = Documents(orders=ORDERS).ask("What is the total amount where region is North?")
    assert quotes.text == (
        "Sum of Amount (EUR) where Region is North, computed from 3 of 6 rows of orders.xlsx: 1,700.75 [1] [2] [3] [4]"
    )
    assert all(ORDERS[note.start : note.end] == note.quote for note in quotes.citations)
    assert [note.quote.split(" | ")[0] for note in quotes.citations] == ["A-1", "A-3", "A-5", "| Order"]
    assert quotes.citations[-1].quote == ORDERS[ORDERS.index("| Order") :].rstrip("\n")


def test_all_rows_are_used_although_the_search_found_few():
    rows = "".join(f"| P-{i:05} | {'red' if i % 3 else 'blue'} | {i} |\n" for i in range(12_000))
    text = "# Parts\n\nAll parts\n\n| Part | Colour | Weight |\n| --- | --- | --- |\n" + rows + "\nEnd of the list.\n"
    documents = Documents(parts=text)
    start = text.index("| P-06000")
    found = documents.passage("parts", start, text.index("| P-06010"))
    quotes = documents.ask("What is the total weight where colour is blue?", found)
    assert figure(quotes) == f"{sum(range(0, 12_000, 3)):,}"
    assert "computed from 4,000 of 12,000 rows" in quotes.text
    assert quotes.citations[-1].quote == "| Part | Colour | Weight |"  # a long table is opened at its header
    assert all(text[note.start : note.end] == note.quote for note in quotes.citations)


def test_a_row_whose_cells_are_the_same_number_is_a_row():
    table = "| Part | Price |\n| --- | --- |\n| Mast | 5 |\n| 7 | 7 |\n| Sail | 5 |\n"
    assert figure(Documents(parts=table).ask("What is the sum of price?")) == "17"


def test_a_total_that_the_table_states_is_not_added_and_has_to_agree():
    table = "| Zone | Sales |\n| --- | --- |\n| North | 10 |\n| South | 20 |\n| Total | {} |\n"
    assert figure(Documents(zones=table.format(30)).ask("What is the sum of sales?")) == "30"
    assert Documents(zones=table.format(31)).ask("What is the sum of sales?").text == ""


@pytest.mark.parametrize(
    "table",
    [
        "| Part | Price |\n| --- | --- |\n| Mast | $5 |\n| Sail | \u20ac5 |\n",
        "| Part | Currency | Price |\n| --- | --- | --- |\n| Mast | USD | 5 |\n| Sail | EUR | 5 |\n",
        "| Part | Price |\n| --- | --- |\n| Mast | 5 |\n| Rig | 6 |\n| Sail | on request |\n",
        "| Part | Price |\n| --- | --- |\n| Mast | 1.5 |\n| Sail | 2,5 |\n",
        "| Part | Price |\n| --- | --- |\n| Hull: | |\n| Mast | 5 |\n| Sail | 5 |\n",
        "| Part | Price |\n| --- | --- |\n| Mast | 15% |\n| Sail | 20% |\n",
    ],
)
def test_figures_that_cannot_be_added_are_not(table):
    assert Documents(parts=table).ask("What is the sum of price?").text == ""


def test_equal_questions_of_two_tables_are_answered_only_if_they_agree():
    table = "| Zone | Sales |\n| --- | --- |\n| North | 10 |\n| South | {} |\n"
    same = Documents(one=table.format(20), two=table.format(20))
    assert figure(same.ask("What is the sum of sales?")) == "30"
    other = Documents(one=table.format(20), two=table.format(21))
    assert other.ask("What is the sum of sales?").text == ""
    assert figure(other.ask("What is the sum of sales in the file two?")) == "31"


def test_a_cell_that_is_a_word_of_grammar_is_a_condition_only_after_the_name_of_its_column():
    table = "| Device | State |\n| --- | --- |\n| D-1 | on |\n| D-2 | off |\n| D-3 | on |\n"
    assert Documents(devices=table).ask("How many devices are on?").text == ""
    assert figure(Documents(devices=table).ask("How many devices with state on are there?")) == "2"
    assert figure(Documents(devices=table).ask("How many devices are off?")) == "1"


def test_a_table_on_a_page_may_go_on_and_is_not_counted():
    documents = Documents(orders=ORDERS)
    question = "How many orders are there?"
    assert figure(documents.ask(question, documents.passage("orders", place="sheet Orders"))) == "6"
    assert documents.ask(question, documents.passage("orders", place="page 3")).text == ""


def test_days_and_months_that_could_change_places_are_not_dates():
    table = "| Order | Date |\n| --- | --- |\n| A-1 | 03/05/2031 |\n| A-2 | 04/05/2031 |\n"
    assert Documents(orders=table).ask("How many orders in May 2031?").text == ""
    us = table.replace("04/05/2031", "05/30/2031")
    assert figure(Documents(orders=us).ask("How many orders in May 2031?")) == "1"
