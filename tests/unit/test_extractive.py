"""Quoting: the sentence that answers, word for word, and nothing where nothing answers."""

from __future__ import annotations

import pytest

from app.extractive import ExtractiveAnswerer
from app.models import Passage


def passage(n: int, text: str, heading: tuple[str, ...] = (), start: int = 0) -> Passage:
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


def test_nothing_relevant_gives_no_quotes(answerer):
    assert answerer.answer("Who won the cup?", [passage(1, "Bread is baked at dawn.")]).sentences == ()


def test_headings_and_rules_of_tables_are_not_quoted(answerer):
    text = "# Notice period\n\n| Kind | Notice period |\n| --- | --- |\n| Trial | notice period two weeks |"
    quotes = answerer.answer("What is the notice period on trial?", [passage(1, text)])
    assert "#" not in quotes.text
    assert "---" not in quotes.text
    assert "Trial | notice period two weeks [" in quotes.text


def test_brackets_in_a_quote_are_not_read_as_footnotes(answerer):
    quotes = answerer.answer("What did earlier work show?", [passage(1, "Earlier work did show this effect [12].")])
    assert quotes.text == "Earlier work did show this effect \\[12]. [1]"
    assert quotes.sentences[0].text == "Earlier work did show this effect [12]."
