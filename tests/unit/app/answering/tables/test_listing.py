"""Questions for a list, details or a breakdown: the whole table that is captioned so, with one footnote."""

from __future__ import annotations

from dataclasses import replace

import pytest

from app.answering.extractive import ExtractiveAnswerer
from app.models import Passage

HEADER = "| | September 30, 2031 | September 30, 2030 |\n| --- | --- | --- |\n"
NOTES = (
    "| Short: | | |\n| 3% notes | $800 | $700 |\n| Long: | | |\n| 4% notes | 400 | 300 |\n| Total | 1,200 | 1,000 |\n"
)
SALES = "| Boats | $80 | $70 |\n| Sails | 40 | 30 |\n| Net sales | 120 | 100 |\n"
TEXT = (
    "# Debt\n\nWe may borrow more. Our outstanding debt notes were as follows (in millions):\n\n"
    f"{HEADER}{NOTES}\n# Results\n\nNet sales by category (in thousands):\n\n{HEADER}{SALES}\nBoats sold well.\n"
)
TABLE = f"{HEADER}{NOTES}".rstrip()


class Yard:
    """Documents of a yard, each with its text, and the answers from passages of them."""

    def __init__(self, embedder, **texts: str) -> None:
        self._texts = texts
        self._answerer = ExtractiveAnswerer(embedder, self.read)

    def read(self, version: str, start: int, end: int) -> str:
        return self._texts[version][start:end]

    def passage(self, n: int, version: str, words: str, length: int, heading: str) -> Passage:
        text = self._texts[version]
        start = text.index(words)
        end = start + length
        name = f"/docs/{version[:4]} {version[4:]} Yard.md"
        return Passage(n, name, version, "Yard Inc.", None, ("Yard", heading), start, end, text[start:end], 1 / n)

    def ask(self, question: str, *passages: Passage):
        return self._answerer.answer(question, passages)


@pytest.fixture
def yard(word_embedder) -> Yard:
    return Yard(word_embedder, **{"2031Q3": TEXT, "2031Q2": TEXT.replace("800", "850")})


@pytest.fixture
def passages(yard) -> list[Passage]:
    return [
        yard.passage(1, "2031Q3", "| 3% notes", 40, "Debt"),  # found in its middle
        yard.passage(2, "2031Q3", "Net sales by", len(TEXT), "Results"),
    ]


@pytest.mark.parametrize(
    "question",
    [
        "What debt notes does Yard have outstanding (Q3 2031)?",
        "List the outstanding debt notes of Yard for the third quarter of 2031",
        "Give me the details of the debt notes",
        "What is the breakdown of outstanding notes in Q3 2031?",
    ],
)
def test_the_whole_table_is_the_answer_with_one_footnote(yard, passages, question):
    found = yard.ask(question, *passages)
    assert found.text == (
        "Our outstanding debt notes were as follows (in millions):\n\n"
        "|  | September 30, 2031 | September 30, 2030 |\n| --- | --- | --- |\n"
        "| Short: |  |  |\n| 3% notes | $800 | $700 [1] |\n| Long: |  |  |\n| 4% notes | 400 | 300 [1] |\n"
        "| Total | 1,200 | 1,000 [1] |"
    )
    (note,) = found.citations
    assert note.quote == TEXT[note.start : note.end] == TABLE
    assert [quote.text for one in found.sentences for quote in one.quotes] == [
        "3% notes | $800 | $700",
        "4% notes | 400 | 300",
        "Total | 1,200 | 1,000",
    ]
    assert all(TEXT[quote.start : quote.end] == quote.text for one in found.sentences for quote in one.quotes)


def test_what_something_was_by_a_kind_is_a_list(yard, passages):
    found = yard.ask("What were the net sales by category in Q3 2031?", *passages)
    assert found.text.startswith("Results \u2013 Net sales by category (in thousands):")
    assert "| Sails | 40 | 30 [1] |" in found.text


@pytest.mark.parametrize(
    ("caption", "question"),
    [
        ("Die ausstehenden Anleihen des Konzerns sind (in TEUR):", "Liste der ausstehenden Anleihen im Jahr 2031"),
        ("Die ausstehenden Anleihen des Konzerns sind (in TEUR):", "Wie ist die Zusammensetzung der Anleihen?"),
        ("Les emprunts du groupe sont les suivants (en k\u20ac) :", "Donne la liste des emprunts du groupe"),
        ("Los pr\u00e9stamos de la empresa son los siguientes:", "Muestra el desglose de los pr\u00e9stamos"),
    ],
)
def test_lists_are_asked_for_in_other_languages(word_embedder, caption, question):
    yard = Yard(
        word_embedder, **{"2031Q3": TEXT.replace("Our outstanding debt notes were as follows (in millions):", caption)}
    )
    passage = yard.passage(1, "2031Q3", caption, 200, "Debt")
    assert yard.ask(question, passage).text.startswith(f"{caption}\n\n|")


@pytest.mark.parametrize(
    "question",
    [
        "List the debt notes due in 2040",  # a word that nothing says
        "List the outstanding secured debt notes",
        "How has the list of debt notes changed over these quarters?",
        "Why does Yard have outstanding debt notes?",
        "What outstanding debt notes are there?",
        "What is the list price of debt notes?",
    ],
)
def test_other_questions_and_words_that_do_not_name_the_table_are_no_list(yard, passages, question):
    assert "as follows" not in yard.ask(question, *passages).text


def test_a_question_for_a_figure_that_a_row_states_is_answered_with_the_row(yard, passages):
    found = yard.ask("What net sales does Yard have (Q3 2031)?", *passages)
    assert "by category" not in found.text
    assert [note.quote for note in found.citations] == ["Net sales | 120 | 100"]


def test_tables_of_two_documents_that_the_question_does_not_tell_apart_are_not_listed(yard, passages):
    other = yard.passage(2, "2031Q2", "| 3% notes", 40, "Debt")
    assert "as follows" not in yard.ask("List the debt notes", passages[0], other).text
    assert "$850" in yard.ask("List the debt notes in Q2 2031", passages[0], other).text


def test_a_long_table_is_not_listed(word_embedder):
    rows = "".join(f"| Boat {n} | {n} | {n} |\n" for n in range(21))
    yard = Yard(word_embedder, **{"2031Q3": TEXT.replace(NOTES, rows)})
    passage = yard.passage(1, "2031Q3", "Our outstanding", 200, "Debt")
    assert "as follows" not in yard.ask("List the debt notes", passage).text


def test_the_note_of_a_table_is_not_the_caption_of_the_next(word_embedder):
    text = TEXT.replace("Net sales by category (in thousands):", "(1) Including notes that were in default.")
    yard = Yard(word_embedder, **{"2031Q3": text})
    passage = yard.passage(1, "2031Q3", "(1) Including", len(text), "Results")
    assert "| Boats |" not in yard.ask("List the notes in default", passage).text


def test_without_the_text_of_documents_nothing_is_listed(word_embedder, passages):
    found = ExtractiveAnswerer(word_embedder).answer("List the debt notes", [replace(one) for one in passages])
    assert "as follows" not in found.text
