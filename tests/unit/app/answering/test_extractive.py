"""Tests quoting: the answering sentence word for word, or nothing."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests_support import WordEmbedder

from app.answering.extractive import ExtractiveAnswerer
from app.answering.highlights import answer_spans
from app.answering.quoting import Question
from app.answering.quoting.meaning import FIRST
from app.models import Passage
from ingest.models import Query


def passage(n: int, text: str, heading: tuple[str, ...] = (), start: int = 0, header: str = "") -> Passage:
    return Passage(
        n=n,
        document=f"/docs/{n}.md",
        version_id="v",
        title="",
        page=None,
        heading=heading,
        start=start,
        end=start + len(text),
        text=text,
        score=1 / n,
        header=header,
    )


@pytest.fixture
def answerer(word_embedder) -> ExtractiveAnswerer:
    return ExtractiveAnswerer(word_embedder)


def test_the_sentence_that_answers_is_quoted_with_its_place(answerer):
    text = "Leave is granted by managers. The notice period is four weeks. Lunch is at noon."
    quotes = answerer.answer("How long is the notice period?", [passage(1, text, start=50)])
    assert quotes.text == "The notice period is four weeks. [1]"
    (note,) = quotes.citations
    assert text[note.start - 50 : note.end - 50] == note.quote == "The notice period is four weeks."
    assert quotes.sentences[0].supported is True


def test_equal_sentences_are_quoted_once(answerer):
    same = "The notice period is four weeks."
    quotes = answerer.answer("How long is the notice period?", [passage(1, same), passage(2, same)])
    assert len(quotes.sentences) == 1


def test_quotes_come_in_reading_order_and_never_more_than_four(answerer):
    text = " ".join(f"The limit of group {name} is {i} euros." for i, name in enumerate("abcdefgh", start=11))
    quotes = answerer.answer("What is the limit of the groups in euros?", [passage(1, text)])
    assert 1 <= len(quotes.sentences) <= 4
    assert [note.start for note in quotes.citations] == sorted(note.start for note in quotes.citations)
    assert [note.n for note in quotes.citations] == list(range(1, len(quotes.citations) + 1))


def test_the_result_is_quoted_although_its_neighbours_repeat_the_givens_of_the_question(answerer):
    text = (
        "Let a = (3, 4) and b = (4, 3) have an angle. Of (3, 4) and (4, 3) it is known: 3 and 4 make 24 of them. "
        "The cosine similarity is therefore 24 / 25 = 0.96."
    )
    quotes = answerer.answer("What is the cosine similarity of (3, 4) and (4, 3)?", [passage(1, text)])
    assert "0.96" in quotes.text


def test_a_row_of_the_number_that_is_asked_for_comes_before_other_rows(answerer):
    text = "The price of plan 2 is 30 euros. The price of plan 3 is 40 euros. The price of plan 4 is 50 euros."
    quotes = answerer.answer("What is the price of plan 3?", [passage(1, text)])
    assert "The price of plan 3 is 40 euros." in quotes.text


def test_earlier_questions_weigh_less_than_the_current_one(answerer):
    text = "Parental leave takes sixteen weeks. Sick leave needs a note."
    earlier = "How many weeks of parental leave are granted?"
    quotes = answerer.answer(Query("What about sick leave?", ((earlier, 0.4),)), [passage(1, text)])
    assert "Sick leave needs a note." in quotes.text
    together = answerer.answer(f"{earlier} What about sick leave?", [passage(1, text)])
    assert together.text == "Parental leave takes sixteen weeks. [1]"


def test_text_that_answers_only_the_previous_question_is_not_quoted_again(answerer):
    text = "A tyre change for the van costs 88 pounds. A service for the van costs 275 pounds."
    earlier = "How much is a tyre change for the van?"
    quotes = answerer.answer(Query("What about a service?", ((earlier, 0.5),)), [passage(1, text)])
    assert [one.text for one in quotes.sentences] == ["A service for the van costs 275 pounds."]


def test_nothing_relevant_gives_no_quotes(answerer):
    assert answerer.answer("Who won the cup?", [passage(1, "Bread is baked at dawn.")]).sentences == ()


def test_a_row_of_a_table_is_quoted_under_its_header_and_headings_are_not(answerer):
    text = (
        "# Notice period\n\n| Kind | Notice period |\n| --- | --- |\n| Other | x |\n| Trial | notice period two weeks |"
    )
    quotes = answerer.answer("What is the notice period on trial?", [passage(1, text)])
    assert quotes.text == "| Kind | Notice period |\n| --- | --- |\n| Trial | notice period two weeks [1] |"
    assert quotes.citations[0].quote == "Trial | notice period two weeks"


def test_a_header_has_no_footnotes_of_its_own(answerer):
    rows = passage(1, "| Trial | two weeks |", header="| Kind | Notice [1] |")
    found = answerer.answer("How many weeks of notice on trial?", [rows])
    assert found.text.startswith("| Kind | Notice \\[1] |")


@pytest.mark.parametrize(
    ("header", "rows", "quoted"),
    [
        ("", "| Trial | two weeks |", "Trial | two weeks [1]"),
        ("| Kind | Notice |", "| Trial | two weeks |", "| Kind | Notice |\n| --- | --- |\n| Trial | two weeks [1] |"),
        (r"| Kind \| sort |", "| x |\n| Trial, two weeks |", "| Kind \\| sort |\n| --- |\n| Trial, two weeks [1] |"),
        ("| Kind |", "| x |\n\nOf others:\n\n| Trial | two weeks |", "Trial | two weeks [1]"),
    ],
)
def test_a_row_of_a_table_that_began_earlier_is_quoted_under_its_header_where_that_is_known(
    answerer, header, rows, quoted
):
    found = answerer.answer("How many weeks of notice on trial?", [passage(1, rows, header=header)])
    assert found.text == quoted


def test_a_header_that_is_too_long_to_be_embedded_with_its_rows_is_shown_but_not_compared():
    for header, is_read in (("| Plant | Fee |", True), (f"| Plant | {'Fee ' * 200} |", False)):
        row = passage(1, "| Larch | 4 euros |", header=header)
        (candidate,) = Question.of(Query("What is the fee of larch?"), [row]).candidates([row])
        assert "Fee" in candidate.header
        assert ("Fee" in candidate.read) is is_read


@pytest.mark.parametrize(
    ("question", "sentence", "highlighted"),
    [
        ("How long is the notice period?", "The notice period is 4 weeks for 2 groups.", "4 weeks"),
        ("How much does the plan cost?", "The plan costs $1,200 a year.", "$1,200"),
        ("What is the limit of 3 groups?", "The limit of 3 groups is 500 euros.", "500 euros"),
        ("When did the bridge open?", "The bridge did open on 4 March 1931 after 7 years.", "4 March 1931"),
        ("When was the law passed in 1931 changed?", "The law passed in 1931 was changed in 1950.", "1950"),
        (
            "Does the shop open on Mondays?",
            "It is large, and the shop does not open on Mondays.",
            "and the shop does not open on Mondays",
        ),
        (
            "What are the colours of the flag?",
            "The colours of the flag are black, red and gold.",
            "black, red and gold",
        ),
        ("Why is the sky blue?", "The sky is blue because of 2 things.", ""),
    ],
)
def test_the_answering_words_are_found(answerer, question, sentence, highlighted):
    quotes = answerer.answer(question, [passage(1, sentence)])
    found = [quotes.text[start:end] for start, end in quotes.sentences[0].spans]
    assert found == ([highlighted] if highlighted else [])


@given(st.text(max_size=60), st.text(max_size=120))
def test_spans_lie_in_the_sentence(question, sentence):
    assert all(0 <= start < end <= len(sentence) for start, end in answer_spans(question, sentence))


def test_brackets_in_a_quote_are_not_read_as_footnotes(answerer):
    quotes = answerer.answer("What did earlier work show?", [passage(1, "Earlier work did show this effect [12].")])
    assert quotes.text == "Earlier work did show this effect \\[12]. [1]"
    assert quotes.sentences[0].text == "Earlier work did show this effect [12]."


LEASE = (
    "# 4. Termination\n\n4.1 Either party may leave for good cause.\n4.2 The tenant may leave early for four rents.\n"
)
HANDOVER = "Step 1: Sign the acceptance form.\nStep 2: Leave both keys.\nStep 3: Send photographs to the insurer.\n"


@pytest.mark.parametrize(
    ("question", "quoted"),
    [
        ("What does clause 4.2 say?", "4.2 The tenant may leave early for four rents. [1]"),
        ("clause 4.1", "4.1 Either party may leave for good cause. [1]"),
        ("What is step 2?", "Step 2: Leave both keys. [1]"),
        ("Which photographs are sent in step 3?", "Step 3: Send photographs to the insurer. [1]"),
    ],
)
def test_an_item_asked_for_by_its_number_is_quoted(answerer, question, quoted):
    passages = [passage(1, LEASE, ("Lease",)), passage(2, HANDOVER, ("Handover",))]
    assert answerer.answer(question, passages, relevant=True).text == quoted


def test_a_whole_section_asked_for_by_its_number_is_quoted_in_order(answerer):
    quotes = answerer.answer("What does section 4 say?", [passage(1, LEASE)], relevant=True)
    assert [note.quote[:3] for note in quotes.citations] == ["4.1", "4.2"]


class CountingEmbedder(WordEmbedder):
    """Remembers the sentences that it embedded; its texts have no vectors made of their tokens'."""

    pools_tokens = False

    def __init__(self) -> None:
        self.read: list[str] = []

    def encode_sentences(self, texts):
        self.read += texts
        return super().encode_sentences(texts)


def test_sentences_that_could_not_be_quoted_are_not_embedded():
    embedder = CountingEmbedder()
    others = " ".join(f"Room {number} has windows and grey walls." for number in range(20, 50))
    text = f"{others} The notice period for staff is four weeks."
    quotes = ExtractiveAnswerer(embedder).answer("How long is the notice period for staff?", [passage(1, text)])
    assert quotes.text == "The notice period for staff is four weeks. [1]"
    assert len(embedder.read) == FIRST


def test_where_words_do_not_decide_all_sentences_are_embedded():
    embedder = CountingEmbedder()
    text = " ".join(f"Team {number} may leave after {number} weeks of notice." for number in range(20, 40))
    ExtractiveAnswerer(embedder).answer("What is the notice of teams?", [passage(1, text)])
    assert len(embedder.read) == len(set(embedder.read)) == 20
