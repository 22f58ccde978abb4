"""The documents that a question means."""

from __future__ import annotations

import pytest

from app.retrieval.document_scope import DocumentFacts, facts_of, scope
from ingest.text import document_periods

OPENING = (
    "UNITED STATES\nQUARTERLY REPORT\n{company}\nFor the quarterly period ended {day}\n" + "A long line of prose. " * 9
)


def facts(source: str, opening: str) -> DocumentFacts:
    return facts_of(source, "", opening, document_periods(source, "", opening))


REPORTS = {
    "acme-q1": facts("/reports/2023 Q1 ACM.pdf", OPENING.format(company="Acme Inc.", day="April 1, 2023")),
    "acme-q2": facts("/reports/2023 Q2 ACM.pdf", OPENING.format(company="Acme Inc.", day="July 1, 2023")),
    "bolt-q1": facts("/reports/2023 Q1 BLT.pdf", OPENING.format(company="Bolt Corp", day="March 26, 2023")),
    "bolt-q2": facts("/reports/2023 Q2 BLT.pdf", OPENING.format(company="Bolt Corp", day="June 25, 2023")),
}


def meant(question: str, earlier: str = "") -> set[str]:
    scores = scope(question, REPORTS, earlier)
    return {key for key, score in scores.items() if score == max(scores.values())}


@pytest.mark.parametrize(
    ("question", "documents"),
    [
        ("What was Acme's revenue in Q1 2023?", {"acme-q1"}),
        ("what was the revenue of acme in q2 2023", {"acme-q2"}),
        ("Revenue of Bolt for the first quarter of 2023", {"bolt-q1"}),
        ("Revenue for the quarter ended July 1, 2023", {"acme-q2"}),
        ("What does Bolt's latest report say about debt?", {"bolt-q2"}),
        ("How has Acme's revenue changed across these quarters?", {"acme-q1", "acme-q2"}),
        ("How does Bolt's latest quarter compare to previous ones?", {"bolt-q1", "bolt-q2"}),
        ("Revenue in Q1 2023", {"acme-q1", "bolt-q1"}),
        ("Revenue of BLT", {"bolt-q1", "bolt-q2"}),
    ],
)
def test_names_and_periods_tell_documents_apart(question, documents):
    assert meant(question) == documents


@pytest.mark.parametrize("question", ["What is the revenue?", "Which risks are reported?", "Revenue of Zenith in 1999"])
def test_a_question_that_tells_no_document_apart_has_no_scope(question):
    assert scope(question, REPORTS) == {}


def test_a_follow_up_takes_the_name_from_earlier_questions_and_keeps_its_own_period():
    assert meant("And in Q2 2023?", "What was Acme's revenue in Q1 2023?") == {"acme-q2"}


def test_words_of_the_prose_name_no_document():
    assert "zenith" not in facts("/a.txt", "Prose that mentions Zenith " * 4).names


def test_common_words_of_a_letterhead_are_no_names():
    documents = {
        "acme": facts("/a.pdf", "Acme Inc.\nReport\n"),
        "bolt": facts("/b.pdf", "Bolt Corp\nReport\nNotes\nIndicate by check mark\n"),
    }
    question = "What do the notes of Acme indicate about debt?"
    assert {key for key, score in scope(question, documents).items() if score} == {"acme"}
