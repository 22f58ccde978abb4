"""Tests a language model's answers on the real page: waits, Stop, incomplete answers and usage."""

from __future__ import annotations

import re
import threading
from collections.abc import Iterator

import pytest
from conftest import Served, serving
from llm_servers import Script, answering, cut_after, refusing, scripted, silent_after
from playwright.sync_api import Page, expect

pytestmark = pytest.mark.browser
SECONDS = 60_000
QUESTION = "What is an embedding?"
WHOLE = answering("An embedding is a list of numbers ", "that stands for the meaning of a text [1].", usage=(1234, 56))


class Model:
    """A language model whose next answers a test writes."""

    def __init__(self, script: Script) -> None:
        self.script = script
        self.left = threading.Event()

    def __call__(self, handler) -> None:
        self.script(handler)


@pytest.fixture(scope="module")
def model() -> Model:
    return Model(WHOLE)


@pytest.fixture(scope="module")
def written(tmp_path_factory, model) -> Iterator[Served]:
    with scripted(model, left=model.left) as (url, _):
        variables = {"FOOTNOTE_LLM": "openai:scripted", "FOOTNOTE_LLM_BASE_URL": url}
        prices = {"FOOTNOTE_LLM_INPUT_PRICE": "0.25", "FOOTNOTE_LLM_OUTPUT_PRICE": "2"}
        with serving(tmp_path_factory.mktemp("written") / "data", **variables, **prices) as one:
            yield one


@pytest.fixture
def page(chromium, written) -> Iterator[Page]:
    context = chromium.new_context(viewport={"width": 1280, "height": 900})
    context.set_default_timeout(SECONDS)
    expect.set_options(timeout=SECONDS)
    page = context.new_page()
    page.goto(written.url)
    yield page
    context.close()


def begin(page: Page, question: str = QUESTION) -> None:
    page.get_by_test_id("stChatInputTextArea").fill(question)
    page.keyboard.press("Enter")


def test_an_answer_reports_its_usage_and_the_conversation_sums_it(model, page):
    model.script = WHOLE
    begin(page)
    used = page.locator(".fn-details")
    expect(used.locator("summary")).to_have_text("1,234 tokens read, 56 written, $0.00042")
    used.locator("summary").click()
    expect(used).to_contain_text("openai:scripted")
    expect(used).to_contain_text("answer.md, version ")
    expect(page.locator(".fn-total")).to_have_count(0)
    begin(page, "What is BM25?")
    expect(page.locator(".fn-details")).to_have_count(2)
    # The second question was rewritten by the model first: two requests.
    expect(page.locator(".fn-total")).to_have_text("This conversation: 3,702 tokens read, 168 written, $0.0013")


def test_a_wait_for_a_busy_server_counts_down_before_the_answer_is_written(model, page):
    model.script = _after_one(refusing(429, retry_after="8"), WHOLE)
    begin(page)
    waiting = page.locator(".fn-waiting")
    expect(waiting).to_contain_text(re.compile(r"received too many requests\. Asking again in [5-8] s"))
    expect(waiting).to_contain_text(re.compile(r"in [1-4] s"))
    expect(page.locator(".fn-details")).to_have_count(1)
    expect(page.locator(".fn-answer")).to_contain_text("a list of numbers")


def test_stop_ends_the_request_and_keeps_the_partial_answer_and_try_again_completes_it(model, page):
    model.left.clear()
    model.script = silent_after("An embedding is a list of numbers ", "that stands for")
    begin(page)
    expect(page.locator(".fn-answer")).to_contain_text("that stands for")
    page.get_by_role("button", name="Stop", exact=True).click()
    assert model.left.wait(30), "the connection to the model is closed"
    expect(page.locator(".fn-incomplete")).to_be_visible()
    expect(page.locator(".fn-answer")).to_contain_text("An embedding is a list of numbers that stands for")
    expect(page.get_by_role("button", name="Stop", exact=True)).to_have_count(0)
    page.reload()
    expect(page.locator(".fn-incomplete")).to_be_visible()
    model.script = WHOLE
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".fn-answer")).to_contain_text("the meaning of a text")
    expect(page.locator(".fn-incomplete")).to_have_count(0)
    expect(page.locator(".fn-question")).to_have_count(1)


def test_stop_before_the_first_word_leaves_the_question_to_be_asked_again(model, page):
    model.left.clear()
    model.script = silent_after()
    begin(page)
    expect(page.locator(".fn-waiting")).to_contain_text("openai:scripted is at work")
    page.get_by_role("button", name="Stop", exact=True).click()
    assert model.left.wait(30), "the connection to the model is closed"
    expect(page.get_by_text("Stopped before the first word")).to_be_visible()
    model.script = WHOLE
    page.get_by_role("button", name="Ask again").click()
    expect(page.locator(".fn-answer")).to_contain_text("the meaning of a text")


def test_a_cut_answer_is_kept_and_marked_and_a_failed_one_is_replaced_by_quotes(model, page):
    model.script = cut_after("An embedding is a list of numbers that")
    begin(page)
    expect(page.locator(".fn-incomplete")).to_be_visible()
    expect(page.locator(".fn-notice")).to_contain_text("was cut off")
    model.script = refusing(401)
    page.get_by_role("button", name="Try again").click()
    expect(page.locator(".fn-notice")).to_contain_text("did not accept the key. Check OPENAI_API_KEY")
    expect(page.locator(".fn-notice")).to_contain_text("quoted from your documents instead")
    model.script = WHOLE
    page.get_by_role("button", name="Ask the model").click()
    expect(page.locator(".fn-details")).to_have_count(1)


def _after_one(first: Script, then: Script) -> Script:
    """The first request gets one answer, all others another, whatever was asked before."""
    scripts = iter([first])

    def script(handler) -> None:
        next(scripts, then)(handler)

    return script
