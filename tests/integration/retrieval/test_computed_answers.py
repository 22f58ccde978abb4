"""Computed answers over a stored spreadsheet: all of its rows, and footnotes that open them."""

from __future__ import annotations

import pytest
from durability import quick

from app.models import Answer

pytestmark = pytest.mark.usefixtures("shared_chroma")

PLACES = ("Arendal", "Bergen", "Drammen")
ORDERS = [f"W-{n:04},2031-{n % 12 + 1:02}-15,{PLACES[n % 3]},{n}.50" for n in range(400)]


@pytest.fixture
def answered(settings, write):
    source = write("orders.csv", "\n".join(["Order,Date,Place,Amount", *ORDERS]) + "\n")
    with quick(settings) as one:
        one.ingest([source])

        def ask(question: str) -> Answer:
            *_, last = one.ask(question)
            assert isinstance(last, Answer)
            surrounding = [one.surroundings(note) for note in last.citations]
            assert all(
                found and found.quote == note.quote for found, note in zip(surrounding, last.citations, strict=True)
            )
            return last

        yield ask


def test_all_rows_of_a_stored_table_are_used_and_the_answer_is_said_to_be_computed(answered):
    total = answered("What is the total amount of orders where place is Bergen?")
    assert f": {sum(n + 0.5 for n in range(1, 400, 3)):,.2f} [1]" in total.text
    assert "computed from 133 of 400 rows of orders.csv" in total.text
    assert total.notice.startswith("Computed from tables of your documents")
    assert total.sentences[0].verdict == "supported"
    assert [note.quote.split(" | ")[0] for note in total.citations[:2]] == ["W-0001", "W-0004"]
    counted = answered("How many orders in May 2031?")
    assert counted.text.startswith("Number of rows where Date is in May 2031, computed from 33 of 400 rows")


def test_a_question_that_is_not_understood_as_a_calculation_is_answered_with_quotes(answered):
    found = answered("How many orders were not from Bergen?")
    assert "computed" not in found.text.casefold()
    assert "Computed" not in found.notice
