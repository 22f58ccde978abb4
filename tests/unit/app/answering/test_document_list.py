"""Questions for every document that mentions something."""

from __future__ import annotations

import pytest
from tests_support import passages_of

from app.answering.document_list import listed, topic_of
from app.retrieval.mentions import mentions


@pytest.mark.parametrize(
    ("question", "topic"),
    [
        ("Which contracts mention a penalty for delay?", "a penalty for delay"),
        ("which of my invoices contain the word copper", "the word copper"),
        ('What documents mention "notice period"?', '"notice period"'),
        ("List all reports that mention Acme.", "Acme"),
        ("Welche Verträge erwähnen eine Kaution?", "eine Kaution"),
        ("Quels contrats mentionnent une caution ?", "une caution"),
        ("Which clause deals with renewal of the term?", ""),
        ("What does the contract say about delay?", ""),
        ("Which contract is the oldest?", ""),
    ],
)
def test_the_topic_of_a_question_for_documents(question, topic):
    assert topic_of(question) == topic


def test_all_words_of_a_topic_or_the_exact_words_in_marks_have_to_be_there():
    assert mentions("Penalties are due for each delayed day.", "a penalty for delay", "english")
    assert not mentions("A penalty is due.", "a penalty for delay", "english")
    assert mentions("The Notice  Period is a month.", '"notice period"', "english")
    assert not mentions("The period of notice is a month.", "\u201cnotice period\u201d", "english")


def test_every_document_is_listed_with_the_sentence_that_mentions_the_topic():
    found = passages_of(
        ["Rent is due. A deposit of 900 is paid.", "The deposit [1] is 50.", "No pets. The deposit is 7."]
    )
    answer = listed("a deposit", found)
    assert answer.text.splitlines() == [
        "- **1**: A deposit of 900 is paid. [1]",
        "- **2**: The deposit \\[1] is 50. [2]",
        "- **3**: The deposit is 7. [3]",
    ]
    assert [note.quote for note in answer.citations] == [
        "A deposit of 900 is paid.",
        "The deposit [1] is 50.",
        "The deposit is 7.",
    ]
    assert [answer.text[one.start : one.end] for one in answer.sentences] == answer.text.splitlines()
