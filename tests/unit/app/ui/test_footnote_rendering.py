"""The footnotes, labels and details of an answer as HTML."""

from __future__ import annotations

import re

import pytest
from rendered import answer, citation

from app.models import Surroundings, Usage
from app.ui.components.rendering import (
    CHANGED,
    REMOVED,
    details_html,
    document_name,
    notes_html,
    notice_html,
    place,
    plain,
    total_html,
)


def test_a_footnote_shows_its_passage_in_its_surroundings():
    html = notes_html([(citation(), Surroundings("before ", "the quote", " after"))], "x")
    assert 'before <mark id="fn-x-1">the quote</mark> after' in html
    assert "a.pdf" in html
    assert "page 3 · A / B" in html


@pytest.mark.parametrize("gone", [CHANGED, REMOVED])
def test_a_changed_passage_is_marked_as_changed_and_its_quote_is_kept(gone):
    shown = notes_html([(citation(), gone)], "x")
    assert gone in shown
    assert citation().quote in shown
    assert (">removed<" in shown) is (gone == REMOVED)


def test_names_are_shown_on_one_line():
    assert document_name("/docs/a\nb.txt") == "a b.txt"
    assert place(citation(page=None, heading=())) == ""


def test_a_written_answer_shows_its_usage_and_prompt():
    written = answer("x", usage=Usage(1200, 30, 0.5), prompt="abc123", timings={"total": 2.0, "answer": 1.9})
    html = details_html(written)
    assert "<summary>1,200 tokens read, 30 written, $0.50</summary>" in html
    assert "answer.md, version abc123" in html
    assert "answer 1.9, total 2.0" in html
    assert "tokens not counted" in details_html(answer("x", prompt="abc123"))
    assert details_html(answer("x")) == ""


def test_a_conversation_says_of_how_many_answers_it_knows_the_tokens():
    assert total_html(Usage(5, 6), 1, 1) == total_html(None, 3, 0) == ""
    assert "5 tokens read, 6 written</p>" in total_html(Usage(5, 6), 2, 2)
    assert "(1 of 2 answers; the server reported no count for the others)" in total_html(Usage(5, 6), 2, 1)


def test_an_incomplete_answer_is_marked():
    assert "Incomplete" in notice_html(answer("x", incomplete=True))
    assert "Incomplete" not in notice_html(answer("x", notice="n"))


@pytest.mark.parametrize("text", ["http://evil.example/x", "see www.evil.example", "mail me@evil.example", "ftp://x"])
def test_a_label_holds_no_address_that_markdown_would_link(text):
    shown = plain(text)
    assert not re.search(r"(?:https?|ftp)\\?:|www\\?\.|\w@\w", shown)
    assert shown.replace("\\", "").replace("\u2060", "") == text


def test_a_label_holds_no_markdown():
    assert plain("![x](u) :red[x] $y$ `z`") == r"\!\[x\]\(u\) \:red\[x\] \$y\$ \`z\`"
