"""Tests the token counts of answers, as reported by servers."""

from __future__ import annotations

import pytest
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessageChunk
from langchain_core.messages.ai import UsageMetadata
from langchain_core.outputs import ChatGenerationChunk
from llm_servers import answering, in_turn, refusing, scripted

from app.llm.client import ChatLLM
from app.llm.usage import Spending
from app.models import Prompt, Usage

PROMPT = Prompt("Be brief.", "Why?")


class InParts(BaseChatModel):
    """A model whose pieces each report the tokens since the previous one, as Google's do."""

    parts: list[tuple[str, tuple[int, int]]]
    _llm_type = "in-parts"

    def _generate(self, *_args, **_more):
        raise NotImplementedError

    async def _astream(self, *_args, **_more):
        for text, (read, wrote) in self.parts:
            usage = UsageMetadata(input_tokens=read, output_tokens=wrote, total_tokens=read + wrote)
            message = AIMessageChunk(text, usage_metadata=usage, response_metadata={"finish_reason": "STOP"})
            yield ChatGenerationChunk(message=message)


def words(llm: ChatLLM, spending: Spending | None = None) -> list[str]:
    return [piece for piece in llm.stream(PROMPT, spending) if isinstance(piece, str)]


def test_tokens_are_counted_as_the_server_reports_them(llm):
    with scripted(answering("Fine.", usage=(120, 8))) as (url, requests):
        spending = Spending()
        model = llm(url, llm_input_price=2.0, llm_output_price=10.0)
        words(model, spending)
        words(model, spending)
    assert requests[0]["stream_options"] == {"include_usage": True}
    assert spending.usage(model._settings) == Usage(240, 16, pytest.approx(0.00064))


@pytest.mark.parametrize(("name", "counted"), [("google_genai:gemini", (1_000, 50)), ("openai:test", (0, 20))])
def test_token_counts_that_langchain_reports_in_parts_are_summed(settings, name, counted):
    spending = Spending()
    parts = [("One ", (1_000, 30)), ("two.", (0, 20))]
    list(ChatLLM(name, InParts(parts=parts), settings).stream(PROMPT, spending))
    assert (spending.input_tokens, spending.output_tokens) == counted


def test_a_server_that_reports_no_token_counts_gets_none(llm):
    with scripted(in_turn(answering("Fine.", usage=(120, 8)), answering("Fine."))) as (url, _):
        spending = Spending()
        model = llm(url)
        words(model, spending)
        assert spending.usage(model._settings) == Usage(120, 8)
        words(model, spending)
    assert spending.usage(model._settings) is None


def test_a_server_that_cannot_report_tokens_still_answers(llm):
    refuse = refusing(400, "unknown field: stream_options")
    with scripted(in_turn(refuse, answering("Fine."))) as (url, requests):
        model = llm(url)
        assert words(model) == words(model) == ["Fine."]
    assert ["stream_options" in request for request in requests] == [True, False, False]


def test_a_server_that_cannot_report_tokens_answers_two_simultaneous_questions(llm):
    def refuse_both(handler) -> None:
        model._counts_tokens = False  # the other one was refused a moment before
        refusing(400, "unknown field: stream_options")(handler)

    with scripted(in_turn(refuse_both, answering("Fine."))) as (url, _):
        model = llm(url)
        assert words(model) == ["Fine."]
