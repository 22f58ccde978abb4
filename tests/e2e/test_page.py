"""Tests the content of the page and its buttons, without a browser."""

from __future__ import annotations

from dataclasses import replace

import pytest
from pages import labels, open_page, shown

from app.bootstrap import open_footnote
from app.models import Answer, Citation, Sentence, Usage
from app.ui.components.rendering import plain
from app.ui.pages.chat import SHOWN_EXCHANGES, STARTERS
from ingest.library import Library

pytestmark = pytest.mark.usefixtures("shared_chroma")


# An address without a language model.
GONE = "http://127.0.0.1:9/v1"


def test_an_empty_collection_invites_documents(footnote):
    page = open_page(footnote)
    assert "This collection is empty" in shown(page)
    assert not page.exception


@pytest.mark.slow
def test_a_newcomer_is_offered_four_questions_that_the_samples_answer(sampled):
    page = open_page(sampled)
    assert set(STARTERS) <= set(labels(page))
    for question in STARTERS:
        *_, answer = sampled.ask(question)
        assert not answer.refused


def test_a_question_is_answered_with_footnotes_and_kept(filled):
    page = open_page(filled)
    page.chat_input[0].set_value("What colour are apples?").run()
    assert not page.exception
    assert "Apples are red." in shown(page)
    assert 'class="fn-marker"' in shown(page)
    assert "<mark" in shown(page)
    (chat,) = filled.conversations.all()
    again = open_page(filled, chat.id)
    assert "Apples are red." in shown(again)
    assert chat.title in [label.replace("\\", "") for label in labels(again)]


def test_a_question_that_was_searched_in_other_words_says_so(filled):
    page = open_page(filled)
    page.chat_input[0].set_value("What colour are apples?").run()
    assert "Searched for" not in shown(page)
    page.chat_input[0].set_value("And bears?").run()
    assert "Searched for: " in shown(page)
    searched = filled.conversations.exchanges(filled.conversations.all()[0].id)[1].answer.searched
    assert searched != "And bears?"
    assert searched in shown(page)


def test_an_internal_error_is_shown_without_a_traceback(filled):
    class Broken(Library):
        def documents(self, _collection):
            raise ZeroDivisionError

    with open_footnote(filled.settings, Broken) as footnote:
        page = open_page(footnote)
    assert "Something went wrong" in page.error[0].value
    assert not page.exception


def test_an_unsupported_sentence_is_marked_and_the_reason_is_there(filled):
    chat = filled.conversations.create("default")
    text = "Apples are blue [1]."
    citation = Citation(1, "/docs/a.txt", "gone", "", None, (), 0, 15, "Apples are red.")
    wrong = Sentence("Apples are blue.", (1,), supported=False, start=0, end=len(text), reason="blue is not there")
    answer = Answer("q", "q", text, False, "openai:test", (wrong,), (citation,), notice="Cut short.")
    filled.conversations.keep(filled.conversations.add_question(chat.id, "What colour?"), answer)
    page = open_page(filled, chat.id)
    assert '<span class="fn-unsupported">Apples are blue' in shown(page)
    assert "Not supported: blue is not there" in shown(page)
    assert "Cut short." in shown(page)
    assert "is no longer in the index" in shown(page)


@pytest.mark.slow
@pytest.mark.usefixtures("dead_proxy")
@pytest.mark.parametrize(
    ("fields", "configured", "offered"),
    [
        ({"answerer": "openai:m", "incomplete": True}, "openai:m", "Try again"),
        ({"answerer": "extractive"}, "openai:m", "Ask the model"),
        ({"answerer": "extractive"}, "extractive", None),
        ({"answerer": "openai:m"}, "openai:m", None),
    ],
)
def test_an_answer_that_is_not_all_it_could_be_can_be_asked_for_again(
    filled, with_settings, fields, configured, offered
):
    chat = filled.conversations.create("default")
    note = Citation(1, "/docs/a.txt", "gone", "", None, (), 0, 15, "Apples are red.")
    found = Answer("q", "q", "Apples are", refused=False, sentences=(), citations=(note,), **fields)
    filled.conversations.keep(filled.conversations.add_question(chat.id, "What colour are apples?"), found)
    gone = {} if configured == "extractive" else {"llm": configured, "llm_base_url": GONE}
    page = open_page(with_settings(filled, **gone), chat.id)
    assert not page.exception
    assert {"Try again", "Ask the model"} & set(labels(page)) == ({offered} if offered else set())
    if offered:
        next(button for button in page.button if button.label == offered).click().run()
        assert "Apples are red." in shown(page)
        assert not filled.conversations.exchanges(chat.id)[0].answer.incomplete


def test_the_page_reports_problems_with_the_language_model(filled, dead_proxy, with_settings):
    assert not open_page(filled).warning
    asking = with_settings(filled, llm="openai:m", llm_base_url=GONE)
    said = asking.answerer_problem()
    assert said.startswith(f"openai:m at {GONE} cannot be reached.")
    page = open_page(asking)
    assert [one.value for one in page.sidebar.warning] == [plain(said)]


def test_the_sum_of_a_conversation_includes_earlier_attempts_and_hidden_exchanges(filled):
    chat = filled.conversations.create("default")
    answer = Answer("q", "q", "Apples", False, "openai:m", (), (), usage=Usage(1_000, 10), prompt="0123456789ab")
    first, *_, second = (
        filled.conversations.add_question(chat.id, "What colour are apples?") for _ in range(SHOWN_EXCHANGES + 1)
    )
    filled.conversations.keep(first, answer)
    filled.conversations.keep(second, replace(answer, incomplete=True))
    filled.conversations.keep(second, replace(answer, usage=None, incomplete=True))
    said = (
        "This conversation: 2,000 tokens read, 20 written (2 of 3 answers; the server reported no count for the others)"
    )
    page = open_page(filled, chat.id)
    assert said in shown(page)
    next(button for button in page.button if button.label == "Try again").click().run()
    assert not filled.conversations.exchanges(chat.id)[-1].answer.incomplete
    assert said in shown(page)


def test_a_conversation_is_renamed_and_deleted_after_a_second_look(filled):
    chat = filled.conversations.create("default")
    filled.conversations.add_question(chat.id, "First question")
    page = open_page(filled, chat.id)
    page.text_input[0].set_value("Renamed")
    next(button for button in page.button if button.label == "Rename").click().run()
    assert filled.conversations.get(chat.id).title == "Renamed"
    next(button for button in page.button if button.label == "Delete conversation").click().run()
    assert filled.conversations.get(chat.id) is not None
    next(button for button in page.button if button.label == "Delete").click().run()
    assert filled.conversations.get(chat.id) is None
    assert not page.exception


def test_an_address_of_a_deleted_conversation_opens_a_new_one(filled):
    page = open_page(filled, "no-such-chat")
    assert not page.exception
    assert not page.error
    assert "Ask your documents" in shown(page)


def test_another_collection_is_asked_and_a_new_one_made(filled, write):
    filled.ingest([write("c.txt", "Cats are grey.")], collection="pets")
    page = open_page(filled)
    page.selectbox[0].set_value("pets").run()
    page.chat_input[0].set_value("What colour are cats?").run()
    assert "Cats are grey." in shown(page)
    (chat,) = filled.conversations.all()
    assert chat.collection == "pets"


@pytest.mark.parametrize(("name", "expected"), [("../evil", "Use letters"), ("default", "already")])
def test_a_name_that_cannot_be_a_collections_is_explained(filled, name, expected):
    page = open_page(filled)
    page.selectbox[0].set_value("New collection …").run()
    page.text_input[0].set_value(name)
    next(button for button in page.button if button.label == "Create").click().run()
    assert expected in page.error[0].value


def test_the_library_lists_documents_with_their_failures_and_removes_them(filled, write):
    filled.ingest([write("broken.pdf", "no pdf")])
    page = open_page(filled)
    next(button for button in page.button if button.label == "1 document, 1 failed").click().run()
    listed = "\n".join(element.proto.body for element in page.get("html"))
    assert "a.txt" in listed
    assert "broken.pdf is not a PDF" in listed
    next(button for button in page.button if button.label == "Remove").click().run()
    assert [row.source.rsplit("/", 1)[-1] for row in filled.documents("default")] == ["broken.pdf"]
    assert not page.exception
