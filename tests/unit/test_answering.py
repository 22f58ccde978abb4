"""From a question to the events of its answer, with models that behave, refuse and fail."""

from __future__ import annotations

import pytest

from app.answering import NOTHING_INDEXED, Answerer
from app.models import Answer, Passage, Retrieved, Token, Turn
from ingest.errors import LLMInterrupted, LLMUnreachable, QuestionError

TEXTS = ("Apples are red. A crate holds 40 apples.", "Bears are brown and sleep in winter.")


class ScriptedLLM:
    name = "scripted:model"

    def __init__(self, *pieces: str, error: Exception | None = None, rewritten: str | Exception = "") -> None:
        self.pieces, self.error, self.rewritten = pieces, error, rewritten
        self.prompts = []

    def stream(self, prompt):
        self.prompts.append(prompt)
        yield from self.pieces
        if self.error:
            raise self.error

    def complete(self, prompt):
        self.prompts.append(prompt)
        if isinstance(self.rewritten, Exception):
            raise self.rewritten
        return self.rewritten


@pytest.fixture
def ask(settings, word_embedder):
    def passage(n: int, text: str) -> Passage:
        return Passage(n, f"/docs/{n}.txt", "v", "", None, (), 0, len(text), text, 1 / n)

    def asked(question="What colour are apples?", llm=None, texts=TEXTS, history=(), k=None) -> list:
        def retrieve(_question: str, _k: int) -> list[Passage]:
            return [passage(n, text) for n, text in enumerate(texts, start=1)]

        return list(Answerer(retrieve, word_embedder, llm, settings).ask(question, history, k=k))

    return asked


def parts(events: list) -> tuple[str, Answer]:
    assert isinstance(events[0], Retrieved)
    assert all(isinstance(event, Token) for event in events[1:-1])
    return "".join(event.text for event in events[1:-1]), events[-1]


def test_the_tokens_are_the_answer_and_only_valid_markers_pass(ask):
    said, answer = parts(ask(llm=ScriptedLLM("  Bears sleep in win", "ter [2", "]. Apples are red [1][8]. Moon [7].")))
    assert said == answer.text == "Bears sleep in winter [1]. Apples are red [2]. Moon."
    assert [citation.document for citation in answer.citations] == ["/docs/2.txt", "/docs/1.txt"]
    assert [sentence.supported for sentence in answer.sentences] == [True, True, False]
    assert set(answer.timings) == {"condense", "search", "answer", "verify", "total"}


def test_a_model_that_fails_before_its_first_word_is_stood_in_for(ask):
    said, answer = parts(ask(llm=ScriptedLLM(error=LLMUnreachable("The server is away."))))
    assert said == answer.text == "Apples are red. [1]"
    assert answer.answerer == "extractive"
    assert answer.notice.startswith("The server is away.")
    assert not answer.incomplete


def test_a_model_that_fails_later_leaves_what_it_said(ask):
    said, answer = parts(ask(llm=ScriptedLLM("Apples are red [1]. And", error=LLMInterrupted("Cut."))))
    assert said == answer.text == "Apples are red [1]. And"
    assert (answer.incomplete, answer.notice, answer.answerer) == (True, "Cut.", "scripted:model")


@pytest.mark.parametrize("llm", [None, ScriptedLLM("I could not find this in the documents.")])
def test_a_refusal_shows_the_nearest_passages_and_cites_nothing(ask, llm):
    _, answer = parts(ask("Who won the cup?", llm=llm))
    assert answer.refused
    assert [citation.quote for citation in answer.nearest] == list(TEXTS)
    assert answer.citations == ()
    assert [sentence.supported for sentence in answer.sentences] == [None]


def test_nothing_to_answer_from_is_said(ask):
    said, answer = parts(ask(texts=()))
    assert said == answer.text == NOTHING_INDEXED
    assert answer.refused


@pytest.mark.parametrize(("question", "k"), [("", None), (" \n", None), ("x" * 100_000, None), ("a", 0), ("a", 10_000)])
def test_what_cannot_be_asked_is_refused_at_once(settings, word_embedder, question, k):
    answerer = Answerer(lambda _q, _k: [], word_embedder, None, settings)
    with pytest.raises(QuestionError):
        answerer.ask(question, k=k)


HISTORY = [Turn("What colour are apples?", "Red.")]


def test_a_follow_up_is_rewritten_by_the_model(ask):
    events = ask("And bears?", llm=ScriptedLLM("Brown.", rewritten="What colour are bears?"), history=HISTORY)
    assert events[0].searched == events[-1].searched == "What colour are bears?"
    assert events[-1].question == "And bears?"


def test_a_follow_up_that_the_model_cannot_rewrite_is_searched_with_what_came_before(ask):
    llm = ScriptedLLM("Bears are brown [2].", rewritten=LLMUnreachable("Away."))
    events = ask("And bears?", llm=llm, history=HISTORY)
    assert events[0].searched == "What colour are apples? And bears?"
    assert "searched without the model's help" in events[-1].notice
