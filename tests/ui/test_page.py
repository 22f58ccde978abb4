"""The page without a browser: what is drawn, and what its buttons do."""

from __future__ import annotations

import pytest
from streamlit.testing.v1 import AppTest

from app.models import Answer, Citation, Sentence
from app.views import upload
from app.views.chat import STARTERS
from ingest.errors import VectorStoreError


def script(footnote):
    from app.views.page import page

    page(footnote)


def open_page(footnote, chat: str = "") -> AppTest:
    page = AppTest.from_function(script, kwargs={"footnote": footnote}, default_timeout=60)
    if chat:
        page.query_params["chat"] = chat
    return page.run()


def shown(page: AppTest) -> str:
    return "\n".join(element.proto.body for element in page.main.get("html"))


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


@pytest.fixture(autouse=True)
def no_jobs():
    upload.jobs.clear()


@pytest.fixture
def filled(footnote, write):
    footnote.ingest([write("a.txt", "Apples are red. Bears are brown.")])
    return footnote


def test_an_empty_collection_invites_documents(footnote):
    page = open_page(footnote)
    assert "This collection is empty" in shown(page)
    assert not page.exception


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
    (chat,) = filled.chats.conversations()
    again = open_page(filled, chat.id)
    assert "Apples are red." in shown(again)
    assert chat.title in [label.replace("\\", "") for label in labels(again)]


def test_an_error_is_a_message_and_the_question_can_be_asked_again(filled, monkeypatch):
    message = "Chroma is not there. Start it."

    def failing(*_args, **_more):
        raise VectorStoreError(message)

    page = open_page(filled)
    with monkeypatch.context() as patch:
        patch.setattr(filled, "ask", failing)
        page.chat_input[0].set_value("What colour are bears?").run()
    assert [warning.value for warning in page.warning] == [message]
    assert not page.exception
    next(button for button in page.button if button.label == "Ask again").click().run()
    assert "Bears are brown." in shown(page)
    assert not page.warning


def test_a_mistake_of_ours_is_admitted_without_a_traceback(filled, monkeypatch):
    monkeypatch.setattr(filled, "documents", lambda _collection: 1 / 0)
    page = open_page(filled)
    assert "Something went wrong" in page.error[0].value
    assert not page.exception


def test_an_unsupported_sentence_is_marked_and_the_reason_is_there(filled):
    chat = filled.chats.create("default")
    text = "Apples are blue [1]."
    citation = Citation(1, "/docs/a.txt", "gone", "", None, (), 0, 15, "Apples are red.")
    wrong = Sentence("Apples are blue.", (1,), supported=False, start=0, end=len(text), reason="blue is not there")
    answer = Answer("q", "q", text, False, "openai:test", (wrong,), (citation,), notice="Cut short.")
    filled.chats.add_answer(filled.chats.add_question(chat.id, "What colour?"), answer)
    page = open_page(filled, chat.id)
    assert 'class="fn-unsupported" title="Not supported: blue is not there"' in shown(page)
    assert "Cut short." in shown(page)
    assert "has changed or is no longer in the index" in shown(page)


def test_a_conversation_is_renamed_and_deleted_after_a_second_look(filled):
    chat = filled.chats.create("default")
    filled.chats.add_question(chat.id, "First question")
    page = open_page(filled, chat.id)
    page.text_input[0].set_value("Renamed")
    next(button for button in page.button if button.label == "Rename").click().run()
    assert filled.chats.get(chat.id).title == "Renamed"
    next(button for button in page.button if button.label == "Delete conversation").click().run()
    assert filled.chats.get(chat.id) is not None
    next(button for button in page.button if button.label == "Delete").click().run()
    assert filled.chats.get(chat.id) is None
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
    (chat,) = filled.chats.conversations()
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
