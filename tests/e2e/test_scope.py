"""Tests the selection of documents to ask: it is shown, saved with the conversation, and cleared in one click."""

from __future__ import annotations

import unicodedata

import pytest
from pages import open_page, shown
from streamlit.testing.v1 import AppTest

from app.bootstrap import open_footnote
from app.ui.components.rendering import plain
from app.ui.components.scope import MOST_OPTIONS, folders, label
from ingest.docstore import Choices
from ingest.filters import Filter
from ingest.library import Library

pytestmark = pytest.mark.usefixtures("shared_chroma")


def field(page: AppTest, name: str):
    return next(one for one in page.multiselect if one.label == name)


def buttons(page: AppTest, name: str) -> list:
    return [one for one in page.button if one.label == name]


@pytest.fixture
def filled(footnote, write):
    footnote.ingest([write("fruit/a.txt", "Apples are red."), write("fruit/p.md", "Pears are green.")])
    footnote.ingest([write("animals/b.txt", "Bears are brown.")], tags=["Wild"])
    return footnote


def test_chosen_documents_are_asked_and_kept_with_the_conversation(filled, tmp_path):
    page = open_page(filled)
    assert not buttons(page, "Ask all documents")
    folder = str(tmp_path / "docs" / "fruit")
    assert folder in field(page, "Documents and folders").options
    field(page, "Documents and folders").select(folder).run()
    field(page, "Types").select("txt").run()
    assert not page.exception
    assert "Ask: fruit · txt" in shown(page)
    page.chat_input[0].set_value("What colour are bears?").run()
    assert "Bears are brown." not in shown(page)
    (chat,) = filled.conversations.all()
    assert chat.within == Filter(sources=(folder,), types=("txt",))
    again = open_page(filled, chat.id)
    assert "Ask: fruit · txt" in shown(again)
    assert filled.conversations.exchanges(chat.id)[0].answer.within == chat.within
    assert field(again, "Types").value == ["txt"]


def test_a_document_whose_name_is_decomposed_is_offered_as_it_is_typed(footnote, write):
    path = write(unicodedata.normalize("NFD", "Geschäftsführung.md"), "Bears are brown.")
    footnote.ingest([path, write("a.txt", "Apples are red.")])
    page = open_page(footnote)
    typed = unicodedata.normalize("NFC", str(path))
    assert typed in field(page, "Documents and folders").options
    field(page, "Documents and folders").select(typed).run()
    assert not page.exception
    page.chat_input[0].set_value("What colour are bears?").run()
    (chat,) = footnote.conversations.all()
    assert chat.within == Filter(sources=(str(path),))
    assert "Bears are brown." in shown(page)


def test_an_answer_says_that_only_some_documents_were_asked_also_when_all_are_asked_from_then_on(filled):
    chat = filled.conversations.create("default", Filter(types=("md",), tags=()))
    page = open_page(filled, chat.id)
    page.chat_input[0].set_value("What colour are pears?").run()
    buttons(page, "Ask all documents")[0].click().run()
    page.chat_input[0].set_value("What colour are bears?").run()
    assert "Bears are brown." in shown(page)
    again = open_page(filled, chat.id)
    assert "Ask: md" not in shown(again)
    assert shown(again).count("Only these documents were searched: md") == 1


def test_all_documents_are_asked_again_after_one_click(filled):
    chat = filled.conversations.create("default", Filter(tags=("wild",)))
    filled.conversations.add_question(chat.id, "First?")
    page = open_page(filled, chat.id)
    assert field(page, "Tags").value == ["wild"]
    buttons(page, "Ask all documents")[0].click().run()
    assert not page.exception
    assert not filled.conversations.get(chat.id).within
    assert field(page, "Tags").value == []
    assert "Ask: wild" not in shown(page)
    assert "Only these documents were searched" not in shown(page)
    page.chat_input[0].set_value("What colour are apples?").run()
    assert "Apples are red." in shown(page)


def test_a_new_conversation_begins_with_all_documents(filled):
    page = open_page(filled)
    field(page, "Tags").select("wild").run()
    assert "Ask: wild" in shown(page)
    buttons(page, "New conversation")[0].click().run()
    assert "Ask: wild" not in shown(page)
    assert field(page, "Tags").value == []


def test_a_choice_that_fits_no_document_any_more_says_so(filled):
    chat = filled.conversations.create("default", Filter(tags=("wild",), types=("md",)))
    filled.conversations.add_question(chat.id, "First?")
    page = open_page(filled, chat.id)
    page.chat_input[0].set_value("What colour are bears?").run()
    assert not page.exception
    assert any(plain("matches the filter: of type md; tagged wild") in one.value for one in page.warning)


def test_another_collection_is_asked_without_the_filter(filled, write):
    filled.ingest([write("c.txt", "Cats are grey.")], collection="pets")
    chat = filled.conversations.create("default", Filter(tags=("wild",)))
    filled.conversations.add_question(chat.id, "First?")
    page = open_page(filled, chat.id)
    page.selectbox[0].set_value("pets").run()
    assert not page.exception
    assert (filled.conversations.get(chat.id).collection, filled.conversations.get(chat.id).within) == (
        "pets",
        Filter(),
    )
    page.chat_input[0].set_value("What colour are cats?").run()
    assert "Cats are grey." in shown(page)


@pytest.mark.slow
def test_days_in_the_wrong_order_are_pointed_out(filled):
    page = open_page(filled)
    page.date_input[0].set_value("2026-02-01").run()
    page.date_input[1].set_value("2026-01-01").run()
    assert not page.exception
    assert "The first day is after the last one." in [one.value for one in page.warning]


def test_many_documents_are_narrowed_by_typing(filled):
    class Many(Library):
        def choices(self, collection):
            return Choices(
                sources=(*super().choices(collection).sources, *(f"/d/{i}.txt" for i in range(MOST_OPTIONS)))
            )

    with open_footnote(filled.settings, Many) as footnote:
        page = open_page(footnote)
        part = next(one for one in page.text_input if one.label.startswith("Part of"))
        part.set_value("B.TXT").run()
    assert [one.rsplit("/", 1)[-1] for one in field(page, "Documents and folders").options] == ["b.txt"]


def test_the_document_list_names_tags(filled):
    page = open_page(filled)
    next(one for one in page.button if one.label == "3 documents").click().run()
    assert "tagged wild" in "\n".join(element.proto.body for element in page.get("html"))


def test_periods_of_documents_are_shown_and_chosen(filled, write):
    filled.ingest([write("2023 Q3 report.txt", "As of September 30, 2023, cherries are black.")])
    page = open_page(filled)
    assert field(page, "Periods").options == ["2023", "2023-09", "2023-Q3"]
    field(page, "Periods").select("2023-Q3").run()
    assert not page.exception
    assert "Ask: 2023-Q3" in shown(page)
    page.chat_input[0].set_value("What colour are bears?").run()
    assert "Bears are brown." not in shown(page)
    (chat,) = filled.conversations.all()
    assert chat.within == Filter(periods=("2023-Q3",))
    assert field(open_page(filled, chat.id), "Periods").value == ["2023-Q3"]
    next(one for one in page.button if one.label == "4 documents").click().run()
    assert "reports on 2023-09-30, 2023-Q3" in "\n".join(element.proto.body for element in page.get("html"))


def test_folders_that_would_choose_everything_or_one_document_are_not_offered():
    sources = ["/d/a/1", "/d/a/2", "/d/b/1", "https://x.org/p/1", "https://x.org/p/2", "https://y.org"]
    assert folders(sources) == ["/d", "/d/a", "https://x.org", "https://x.org/p"]


def test_a_label_describes_the_filter_in_a_few_words():
    sources = ("/d/a.md", "/d/b.md", "/d/c", "/d/e", "/f")
    within = Filter.of(sources=sources, types=["pdf"], since="2026-01-31", tags=["x"], periods=["Q3 2023"])
    assert label(within) == "Ask: a.md, b.md, c, 2 more · pdf · x · 2023-Q3 · since 2026-01-31"
