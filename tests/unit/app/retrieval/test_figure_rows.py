"""Rows of figures and their labels."""

from __future__ import annotations

import pytest

from app.retrieval.figure_rows import FIGURES, LABEL, figure_scores, labels

STATEMENT = """| | 2023 | 2022 |
|---|---|---|
| Total net sales | $117,154 | $123,945 |
| Cost of sales | (66,822) | 69,702 |
| Operating income | 36,016 | — |"""


@pytest.mark.parametrize(
    ("line", "figures"),
    [
        ("| Total net sales | $117,154 | $123,945 |", 2),
        ("Total net sales 117,154 123,945 (5)%", 3),
        ("Sales of 2023 were 117,154 million", 0),
        ("In 2023, sales grew by 5", 1),
        ("| a | b |", 0),
        ("117,154", 0),
        ("a b c d e f g h i j k l m 5", 0),
    ],
)
def test_a_row_is_a_short_label_with_nothing_but_figures_after_it(line, figures):
    assert sum(n for _, n in labels(line, "english")) == figures


def test_the_table_whose_label_is_asked_for_scores_best():
    texts = {
        "statement": STATEMENT,
        "other": STATEMENT.replace("Total net sales", "Deferred taxes").replace("Cost of sales", "Goodwill"),
        "prose": "Total net sales were lower than in the year before.",
    }
    scores = figure_scores("What were the total net sales?", texts, "english")
    assert scores.keys() == {"statement", "other"}
    assert scores["statement"] > scores["other"]
    assert max(scores.values()) <= FIGURES + LABEL


def test_text_without_rows_has_no_scores():
    assert figure_scores("What were the sales?", {"a": "Sales rose.", "b": ""}, "english") == {}


def test_words_that_no_label_has_do_not_weigh_against_a_label():
    texts = {"statement": STATEMENT, "other": STATEMENT.replace("Cost of sales", "Goodwill")}
    short = figure_scores("Cost of sales?", texts, "english")["statement"]
    long = figure_scores("Cost of sales, and what may that say about suppliers?", texts, "english")["statement"]
    assert short == pytest.approx(long)


def test_lines_of_a_table_of_contents_are_no_rows():
    contents = "Contents\n\n| Total net sales | 3 |\n| --- | --- |\n| Cost of sales | 15 |\n| Operating income | 21 |"
    assert labels(contents, "english") == ()
    assert labels(contents.replace("Contents", "Accounts"), "english")
