"""Questions for figures: the cell that was asked for, the same cell of several documents, and its unit."""

from __future__ import annotations

import pytest

from app.answering.extractive import ExtractiveAnswerer
from app.models import Passage

HEADER = (
    "| | Three Months Ended {now} | Three Months Ended {before} | Nine Months Ended {now} |\n"
    "| --- | --- | --- | --- |\n"
)
BODY = (
    "| Net sales: | | | |\n| Boats | $800 | $700 | $2,400 |\n| Sails | 400 | 300 | 1,100 |\n"
    "| Total net sales | 1,200 | 1,000 | 3,500 |\n| Operating expenses | 150 | 140 | (410) |\n"
)
UNIT = "STATEMENTS OF OPERATIONS (In millions, except shares)\n\n"


def report(now: str, before: str) -> str:
    return UNIT + HEADER.format(now=now, before=before) + BODY


def passage(n: int, text: str, document: str = "", header: str = "", start: int = 0) -> Passage:
    name = document or f"report {n}"
    return Passage(
        n, f"/docs/{name}.md", name, "Yard Inc.", None, (), start, start + len(text), text, 1 / n, header=header
    )


@pytest.fixture
def answerer(word_embedder) -> ExtractiveAnswerer:
    return ExtractiveAnswerer(word_embedder)


JUNE = passage(1, report("June 30, 2031", "June 30, 2030"), "2031 Q2 Yard", start=70)
SEPTEMBER = passage(2, report("September 30, 2031", "September 30, 2030").replace("1,200", "1,350"), "2031 Q3 Yard")


def test_the_cell_of_the_row_and_the_column_is_the_answer_with_its_unit(answerer):
    found = answerer.answer("What were the total net sales for the three months ended June 30, 2030?", [JUNE])
    assert found.text == "Net sales: Total net sales, Three Months Ended June 30, 2030: $1,000 million [1]"
    (note,) = found.citations
    assert note.quote == JUNE.text[note.start - 70 : note.end - 70] == "Total net sales | 1,200 | 1,000 | 3,500"
    (sentence,) = found.sentences
    assert [found.text[start:end] for start, end in sentence.spans] == ["$1,000 million"]


def test_a_row_has_all_of_its_columns_if_the_question_names_none(answerer):
    found = answerer.answer("What were the total net sales?", [JUNE])
    assert "| Net sales: Total net sales | 1,200 | 1,000 | 3,500 [1] |" in found.text
    assert found.text.startswith("| (in millions) | Three Months Ended June 30, 2031 |")


def test_the_latest_of_several_documents_and_columns_is_given_if_it_is_asked_for(answerer):
    found = answerer.answer("What were the total net sales in the latest quarter?", [JUNE, SEPTEMBER])
    assert found.text == "Net sales: Total net sales, Three Months Ended September 30, 2031: $1,350 million [1]"


def test_the_name_of_a_document_dates_a_table_without_dates(answerer):
    older, newer = (
        passage(n, f"| | Amount |\n| --- | --- |\n| Total net sales | {amount} |\n", f"{year} Yard")
        for n, (year, amount) in enumerate([(2031, 1_200), (2032, 1_350)], start=1)
    )
    found = answerer.answer("What were the latest total net sales?", [older, newer])
    assert [note.document for note in found.citations] == ["/docs/2032 Yard.md"]


def test_a_row_of_words_with_one_figure_is_no_answer_to_a_question_for_a_definition(answerer):
    table = "| Measure | Looks at | Best | Use it when |\n| --- | --- | --- | --- |\n"
    row = "| Recall at k | how many passages are found | 1 | a model reads all passages |\n\n"
    said = "Recall at k is the share of the relevant passages among the first k."
    found = answerer.answer("What is recall at k?", [passage(1, table + row + said)])
    assert said in found.text


def test_a_document_is_chosen_by_the_period_that_the_question_names(answerer):
    found = answerer.answer("What were the total net sales in Q2 2031?", [SEPTEMBER, JUNE])
    assert [note.document for note in found.citations] == ["/docs/2031 Q2 Yard.md"]
    assert "$1,200 million" in found.text
    assert "3,500" not in found.text


def test_several_documents_that_a_question_does_not_tell_apart_are_compared(answerer):
    found = answerer.answer("How have total net sales changed over these quarters?", [SEPTEMBER, JUNE])
    assert found.text == (
        "|  | Period | Total net sales |\n| --- | --- | --- |\n"
        "| 2031 Q2 Yard | Three Months Ended June 30, 2031 | $1,200 million [1] |\n"
        "| 2031 Q3 Yard | Three Months Ended September 30, 2031 | $1,350 million [2] |"
    )
    assert [note.document for note in found.citations] == ["/docs/2031 Q2 Yard.md", "/docs/2031 Q3 Yard.md"]
    assert [sentence.citations for sentence in found.sentences] == [(1,), (2,)]
    assert all(found.text[one.start : one.end].endswith(f"[{one.citations[0]}] |") for one in found.sentences)


def test_two_figures_that_are_asked_for_are_both_given(answerer):
    found = answerer.answer("What were boats and sails for the three months ended June 30, 2030?", [JUNE])
    assert {note.quote for note in found.citations} == {"Boats | $800 | $700 | $2,400", "Sails | 400 | 300 | 1,100"}


def test_a_value_that_the_question_gives_is_no_answer(answerer):
    plans = "| Plan | Seats | Price |\n| --- | --- | --- |\n| Basic | 5 | 19 euros |\n| Basic | 20 | 49 euros |\n"
    found = answerer.answer("How much is the Basic plan with 20 seats?", [passage(1, plans)])
    assert found.text == "Basic, Seats 20, Price: 49 euros [1]"


def test_figures_are_read_from_wide_passages_and_prose_is_quoted_from_narrow_ones(answerer):
    prose = passage(1, "Total net sales grew because of new fleets.", "2031 Q2 Yard")
    asked = "Did new fleets grow total net sales for the three months ended June 30, 2031?"
    found = answerer.answer(asked, [prose], wide=[JUNE])
    assert "$1,200 million" in found.text
    assert "Total net sales grew because of new fleets." in found.text


def test_a_figure_with_a_unit_of_its_own_and_one_that_the_unit_excepts_are_given_as_written(answerer):
    text = "(In millions, except number of shares)\n\n| | 2031 |\n| --- | --- |\n| Shares | 12 |\n| Tax rate | 12% |\n"
    assert "12 [1]" in answerer.answer("How many shares were there?", [passage(1, text)]).text
    assert "12% [1]" in answerer.answer("What was the tax rate?", [passage(1, text)]).text


def test_a_line_of_figures_without_a_table_is_quoted_as_it_is(answerer):
    text = "The figures are below.\nTotal net sales 81,797 82,959\nOther things were said."
    assert answerer.answer("What were total net sales?", [passage(1, text)]).text == "Total net sales 81,797 82,959 [1]"


def test_a_header_and_a_label_alone_are_never_quoted(answerer):
    text = "| Position | Cost |\n| --- | --- |\n| Cost of venue: | |\n| Venue | none yet |\n"
    found = answerer.answer("What is the position of the cost of the venue?", [passage(1, text)])
    assert [note.quote for note in found.citations] == ["Venue | none yet"]
