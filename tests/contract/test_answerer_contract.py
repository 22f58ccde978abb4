"""Tests the guarantees of every kind of answer: quoted, or written by a good or a bad model."""

from __future__ import annotations

import re

import pytest
from tests_support import ScriptedLLM, passages_of

from app.answering.answerer import Answerer
from app.models import Answer, Retracted, Retrieval, Retrieved, Token, Waiting
from ingest.errors import LLMUnreachable

TEXTS = (
    "Apples are red. A crate holds 40 apples. It is made of pine.",
    "Bears are brown and sleep in winter. A bear eats 20 kilograms of berries a day.",
    "| Fruit | Price |\n| --- | --- |\n| Pears | 3.20 |\n| Plums | 2.10 |",
)
QUESTIONS = ("What colour are apples?", "How many apples does a crate hold?", "What do bears eat?")


MODELS = {
    "quotes": None,
    "true": ScriptedLLM("Apples are ", "red [1]. ", "A crate holds 40 apples [1]."),
    "false": ScriptedLLM("Apples are blue [1]. A crate holds 70 apples [1]."),
    "wrong footnotes": ScriptedLLM("Apples are red [2]. Bears are brown [9]."),
    "no footnotes": ScriptedLLM("Apples are red. Bears are brown."),
    "refuses": ScriptedLLM("The documents do not say."),
    "markup": ScriptedLLM(
        "# Apples\n\n- **red** [1]\n- `40` in a crate [1]\n\n| a | b |\n| --- | --- |\n| 1 | 2 [3] |"
    ),
    "code": ScriptedLLM("```python\nprint('red')\n```\nApples are red [1]."),
    "thoughts": ScriptedLLM("<think>Perhaps red.</think>Apples are red [1]."),
    "noise": ScriptedLLM("[1][2][3] ]] [[ [12345678901234567890] [^1] \ue001\x00\u202e"),
    "fails before a word": ScriptedLLM(error=LLMUnreachable("Nobody answers.")),
    "fails after some": ScriptedLLM("Apples are red [1]. A cra", error=LLMUnreachable("Nobody answers.")),
}


def without_markers(text: str) -> str:
    return "".join(re.sub(r"\[\d+\]", "", text).split())


@pytest.fixture(params=MODELS)
def events(request, settings, word_embedder):
    passages = passages_of(TEXTS)

    def retrieve(_question, k, *, within=None, tokens=0) -> Retrieval:
        return Retrieval(passages[:k])

    answerer = Answerer(retrieve, word_embedder, MODELS[request.param], settings)
    return lambda question: list(answerer.ask(question, ()))


@pytest.mark.parametrize("question", QUESTIONS)
class TestEveryAnswer:
    def test_passages_come_first_and_the_answer_last(self, events, question):
        first, *between, last = events(question)
        assert isinstance(first, Retrieved)
        assert isinstance(last, Answer)
        assert all(isinstance(one, Token | Waiting | Retracted) for one in between)

    def test_every_sentence_is_where_it_says(self, events, question):
        answer = events(question)[-1]
        at = 0
        for sentence in answer.sentences:
            assert at <= sentence.start < sentence.end <= len(answer.text)
            assert without_markers(answer.text[sentence.start : sentence.end]) == without_markers(sentence.text)
            at = sentence.end

    def test_every_footnote_opens_a_passage_and_its_quote_is_in_it(self, events, question):
        retrieved, answer = (events(question)[at] for at in (0, -1))
        passages = {one.document: one for one in retrieved.passages}
        assert {n for sentence in answer.sentences for n in sentence.citations} <= {one.n for one in answer.citations}
        for citation in answer.citations:
            passage = passages[citation.document]
            assert passage.start <= citation.start <= citation.end <= passage.end
            assert citation.quote == passage.text[citation.start - passage.start : citation.end - passage.start]

    def test_what_is_called_supported_has_a_footnote(self, events, question):
        for sentence in events(question)[-1].sentences:
            assert not sentence.supported or sentence.citations

    def test_a_false_figure_is_not_called_supported(self, events, question):
        for sentence in events(question)[-1].sentences:
            assert not (sentence.supported and ("70" in sentence.text or "blue" in sentence.text))

    def test_an_answer_can_be_stored_and_says_who_wrote_it(self, events, question):
        answer = events(question)[-1]
        answer.text.encode()
        assert answer.question == question
        assert answer.answerer
        assert not (answer.refused and answer.citations)
