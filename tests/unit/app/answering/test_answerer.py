"""Tests the events of an answer, with models that behave, refuse and fail."""

from __future__ import annotations

import hashlib
import threading

import pytest
from tests_support import ScriptedLLM, passages_of

from app.answering.answerer import NOTHING_INDEXED, Answerer
from app.answering.refusal import Judgement
from app.cancellation import STOPPED, CancelToken
from app.models import Answer, Passage, Retracted, Retrieval, Retrieved, Token, Turn, Waiting
from ingest.errors import LLMContextTooLong, LLMInterrupted, LLMUnreachable, QuestionError

HISTORY = [Turn("What colour are apples?", "Red.")]
TEXTS = ("Apples are red. A crate holds 40 apples.", "Bears are brown and sleep in winter.")


@pytest.fixture
def ask(settings, word_embedder):
    def asked(question="What colour are apples?", llm=None, texts=TEXTS, history=(), *, k=None, read=list, cancel=None):
        def retrieve(_question: str, _k: int, *, within=None, tokens=0) -> Retrieval:
            return Retrieval(passages_of(texts))

        return read(Answerer(retrieve, word_embedder, llm, settings).ask(question, history, k=k, cancel=cancel))

    return asked


def parts(events: list) -> tuple[str, Answer]:
    assert isinstance(events[0], Retrieved)
    assert all(isinstance(event, Token) for event in events[1:-1])
    return "".join(event.text for event in events[1:-1]), events[-1]


def test_the_tokens_are_the_answer_and_only_valid_markers_pass(ask):
    said, answer = parts(
        ask(llm=ScriptedLLM("  Bears sleep in win", "ter [2", "]. Apples are red [1][8]. Moons are far [7]."))
    )
    assert said == answer.text == "Bears sleep in winter [1]. Apples are red [2]. Moons are far."
    assert [citation.document for citation in answer.citations] == ["/docs/2.txt", "/docs/1.txt"]
    assert [sentence.supported for sentence in answer.sentences] == [True, True, False]
    assert set(answer.timings) == {"condense", "search", "answer", "verify", "total"}


def test_text_that_turns_out_to_be_reasoning_leaves_no_words_or_footnotes(ask):
    llm = ScriptedLLM("Bears [2] are not asked for.", Retracted(), "Apples are red [1].")
    events = ask(llm=llm, read=list)
    answer = events[-1]
    assert (answer.text, [one.document for one in answer.citations]) == ("Apples are red [1].", ["/docs/1.txt"])
    shown = [event for event in events if isinstance(event, Token | Retracted)]
    assert "".join(one.text for one in shown[shown.index(Retracted()) + 1 :]) == "Apples are red [1]."


def test_a_footnote_in_the_wrong_place_is_corrected_after_the_stream(ask):
    said, answer = parts(ask(llm=ScriptedLLM("Bears sleep in winter [1]. A crate holds 50 apples [1].")))
    assert said == "Bears sleep in winter [1]. A crate holds 50 apples [1]."
    assert answer.text == "Bears sleep in winter [1]. A crate holds 50 apples."
    assert [citation.document for citation in answer.citations] == ["/docs/2.txt", "/docs/1.txt"]
    assert [(s.verdict, s.reason) for s in answer.sentences] == [
        ("supported", ""),
        ("unsupported", "the source says 40, not 50"),
    ]


FEES = ("| | 2031 | 2030 |\n| --- | --- | --- |\n| Mooring fees | 40 | 30 |\n| Other fees | 8 | 7 |\n",)


def test_a_question_that_is_wholly_a_calculation_is_computed_and_the_model_is_not_asked(ask):
    llm = ScriptedLLM("The difference is 11 [1].")
    said, answer = parts(ask("What is the difference in mooring fees between 2031 and 2030?", llm, FEES))
    assert said == answer.text
    assert answer.text.startswith("Difference, computed: 40 (Mooring fees, 2031) [1]")
    assert answer.text.endswith("= 10")
    assert (answer.asked_model, answer.answerer) == (False, "extractive")
    assert answer.notice == "Computed from tables of your documents; the language model was not asked."
    assert [one.verdict for one in answer.sentences] == ["supported"]
    assert llm.prompts == []


def test_a_question_that_is_more_than_a_calculation_is_put_to_the_model(ask):
    llm = ScriptedLLM("Mooring fees rose from 30 to 40 [1].")
    answer = ask("Why is there a difference in mooring fees between 2031 and 2030?", llm, FEES)[-1]
    assert (answer.text, answer.asked_model) == ("Mooring fees rose from 30 to 40 [1].", True)


def test_a_model_that_fails_before_its_first_word_is_replaced_by_quotes(ask):
    said, answer = parts(ask(llm=ScriptedLLM(error=LLMUnreachable("The server is away."))))
    assert said == answer.text == "Apples are red. [1]"
    assert answer.answerer == "extractive"
    assert answer.notice.startswith("The server is away.")
    assert not answer.incomplete


def test_a_model_that_fails_later_keeps_its_partial_answer(ask):
    said, answer = parts(ask(llm=ScriptedLLM("Apples are red [1]. And", error=LLMInterrupted("Cut."))))
    assert said == answer.text == "Apples are red [1]. And"
    assert (answer.incomplete, answer.notice, answer.answerer) == (True, "Cut.", "scripted:model")


def test_a_stopped_answer_keeps_its_partial_text_and_ends_the_request(ask):
    llm, cancel = ScriptedLLM("Apples are red [1]. ", "And", " pears are"), CancelToken()
    events = ask(llm=llm, read=iter, cancel=cancel)
    while not (isinstance(event := next(events), Token) and "And" in event.text):
        assert not llm.closed
    cancel.cancel()
    (answer,) = events
    assert llm.closed
    assert (answer.text, answer.incomplete, answer.notice) == ("Apples are red [1]. And", True, STOPPED)
    assert answer.sentences[0].supported is True


def test_an_answer_that_is_stopped_before_its_first_word_leaves_nothing(ask):
    llm, cancel = ScriptedLLM(Waiting("busy", 5.0), "Apples are red [1]."), CancelToken()
    events = ask(llm=llm, read=iter, cancel=cancel)
    while not isinstance(next(events), Waiting):
        pass
    cancel.cancel()
    assert list(events) == []
    assert llm.closed


def test_an_answer_read_until_ctrl_c_ends_with_its_partial_text(ask):
    ctrl_c = threading.Event()
    cancel = CancelToken(ctrl_c)
    events = []
    for event in ask(llm=ScriptedLLM("Apples are red [1]. ", "And ", "pears"), read=iter, cancel=cancel):
        events.append(event)
        if isinstance(event, Token):
            ctrl_c.set()
    assert (events[-1].text, events[-1].incomplete) == ("Apples are red [1].", True)
    assert not any(isinstance(one, Answer | Token) for one in ask(llm=ScriptedLLM("Apples."), cancel=cancel))
    assert not ask(llm=ScriptedLLM("Apples."), cancel=CancelToken())[-1].incomplete


@pytest.mark.parametrize("history", [(), HISTORY])
def test_an_answer_that_is_cancelled_beforehand_asks_no_model(ask, history):
    llm, cancel = ScriptedLLM("Apples are red [1]."), CancelToken()
    cancel.cancel()
    assert not any(isinstance(one, Answer | Token) for one in ask(llm=llm, history=history, cancel=cancel))
    assert not any(prompt.passages for prompt in llm.prompts)


def test_an_answer_keeps_the_reason_that_it_was_cancelled_for(ask):
    cancel = CancelToken()
    events = ask(llm=ScriptedLLM("Apples are red [1]. ", "And"), read=iter, cancel=cancel)
    while not isinstance(next(events), Token):
        pass
    cancel.cancel("Something went wrong here.")
    *_, answer = events
    assert (answer.incomplete, answer.notice) == (True, "Something went wrong here.")


def test_a_prompt_that_is_too_long_is_tried_with_fewer_passages_and_says_so(ask):
    class Small(ScriptedLLM):
        def stream(self, prompt, spending=None):
            self.prompts.append(prompt)
            if len(prompt.passages) > 2:
                raise LLMContextTooLong("Too long.", context_tokens=2048)
            yield from self.pieces

        def learn_context(self, tokens):
            self.context_tokens = tokens

    llm = Small("Apples are red [1].")
    _, answer = parts(ask(llm=llm, texts=[*TEXTS, *(f"Text {n}." for n in range(7))]))
    assert [len(prompt.passages) for prompt in llm.prompts] == [9, 4, 2]
    assert llm.context_tokens == 2048
    assert answer.answerer == "scripted:model"
    assert answer.notice.count("Not all passages fit") == 1
    assert "the best 2 passages were used" in answer.notice


def test_a_prompt_that_is_too_long_with_one_passage_is_answered_with_quotes(ask):
    llm = ScriptedLLM(error=LLMContextTooLong("Longer than it reads."))
    _, answer = parts(ask(llm=llm))
    assert len(llm.prompts) == 2
    assert answer.answerer == "extractive"
    assert "Longer than it reads. The answer below is quoted" in answer.notice


def test_an_answer_says_which_prompt_it_was_written_with(ask, settings):
    _, answer = parts(ask(llm=ScriptedLLM("Apples are red [1].")))
    text = (settings.prompts_dir / "answer.md").read_bytes()
    assert answer.prompt == hashlib.sha256(text).hexdigest()[:12]
    assert parts(ask())[1].prompt == ""


@pytest.mark.parametrize("llm", [None, ScriptedLLM("I could not find this in the documents.")])
def test_a_refusal_shows_the_nearest_passages_and_cites_nothing(ask, llm):
    _, answer = parts(ask("Who won the cup?", llm=llm))
    assert answer.refused
    assert [citation.quote for citation in answer.nearest] == list(TEXTS)
    assert answer.citations == ()
    assert [sentence.supported for sentence in answer.sentences] == [None]


def test_a_refusal_names_the_words_that_documents_would_need(ask):
    _, answer = parts(ask("Who won the apples cup?"))
    assert (
        answer.notice.startswith("An answer would need documents about \u201cwon\u201d, \u201ccup\u201d")
        is answer.refused
    )


def test_a_calibrated_refusal_comes_before_any_quote(settings, word_embedder):
    class Never:
        def judge(self, question, passages, embedder, **_more):
            return Judgement(answers=False, confidence=0.25)

    retrieve = Passage(1, "/docs/1.txt", "v", "", None, (), 0, len(TEXTS[0]), TEXTS[0], 1.0)
    answerer = Answerer(lambda _q, _k, **_more: Retrieval((retrieve,)), word_embedder, None, settings, refusal=Never())
    *_, answer = answerer.ask("What colour are apples?")
    assert (answer.refused, answer.confidence) == (True, 0.25)
    assert [citation.quote for citation in answer.nearest] == [TEXTS[0]]


def test_a_refusal_without_any_passage_says_that_nothing_is_indexed(ask):
    said, answer = parts(ask(texts=()))
    assert said == answer.text == NOTHING_INDEXED
    assert answer.refused


@pytest.mark.parametrize(("question", "k"), [("", None), (" \n", None), ("x" * 100_000, None), ("a", 0), ("a", 10_000)])
def test_an_invalid_question_is_refused_immediately(settings, word_embedder, question, k):
    answerer = Answerer(lambda _q, _k: Retrieval(()), word_embedder, None, settings)
    with pytest.raises(QuestionError):
        answerer.ask(question, k=k)


def test_a_follow_up_is_rewritten_by_the_model(ask):
    events = ask("And bears?", llm=ScriptedLLM("Brown.", rewritten="What colour are bears?"), history=HISTORY)
    assert events[0].searched == events[-1].searched == "What colour are bears?"
    assert events[-1].question == "And bears?"


def test_a_follow_up_that_the_model_cannot_rewrite_is_searched_with_the_earlier_questions(ask):
    llm = ScriptedLLM("Bears are brown [2].", rewritten=LLMUnreachable("Away."))
    events = ask("And bears?", llm=llm, history=HISTORY)
    assert events[0].searched == "What colour are apples? And bears?"
    assert "searched without the model's help" in events[-1].notice
