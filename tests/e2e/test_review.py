"""The review of generated questions: each is kept, changed or left out."""

from __future__ import annotations

import json

import pytest
from streamlit.testing.v1 import AppTest

from app.evaluation.dataset_readers import read_lines
from ingest.errors import SourceError

LINE = {"question": "Which <b>days</b>?", "source": "a.md", "page": 2, "quote": "28 <i>days</i>.", "made_by": "heading"}


def script(lines):
    from app.ui.pages.review import questions

    questions(lines, "made.jsonl", "k")


def open_review(n: int) -> AppTest:
    return AppTest.from_function(script, args=([LINE | {"question": f"{i}?"} for i in range(n)],)).run()


def kept(page: AppTest) -> list[dict]:
    reviewed = page.session_state["reviewed-k"]
    return [reviewed[number] for number in sorted(reviewed)]


def test_questions_are_kept_changed_and_left_out():
    page = open_review(3)
    assert not page.exception
    page.checkbox[0].uncheck()
    page.text_input[1].set_value("How many days?")
    page.run()
    assert [one["question"] for one in kept(page)] == ["How many days?", "2?"]
    assert all(one["reviewed"] for one in kept(page))
    page.checkbox[0].check().run()
    assert len(kept(page)) == 3


def test_markup_of_a_quote_is_shown_as_it_is():
    shown = "".join(element.proto.body for element in open_review(1).main.get("html"))
    assert "28 &lt;i&gt;days&lt;/i&gt;." in shown
    assert "a.md, page 2, made by heading" in shown


def test_many_questions_come_page_by_page_and_none_is_lost():
    page = open_review(45)
    assert len(page.checkbox) == 20
    page.checkbox[0].uncheck().run()
    page.number_input[0].set_value(3).run()
    assert len(page.checkbox) == 5
    assert len(kept(page)) == 44


def test_the_address_opens_the_review(footnote):
    def page_script(footnote):
        from app.ui.page import draw_page

        draw_page(footnote)

    page = AppTest.from_function(page_script, kwargs={"footnote": footnote}, default_timeout=60)
    page.query_params["review"] = "1"
    page.run()
    assert not page.exception
    assert "Review questions" in "".join(element.proto.body for element in page.main.get("html"))


def test_a_file_that_holds_no_questions_is_refused():
    assert read_lines(json.dumps(LINE).encode(), "q.jsonl") == [LINE]
    with pytest.raises(SourceError, match=r"q\.jsonl, line 1: not JSON"):
        read_lines(b"no json", "q.jsonl")
    with pytest.raises(SourceError, match="in UTF-8"):
        read_lines(b"\xff", "q.jsonl")
    with pytest.raises(SourceError, match="no question"):
        read_lines(b"\n", "q.jsonl")
