"""What is shown is safe: nothing of an answer's or a passage's becomes a tag, an image or a link."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st

from app.models import Answer, Citation, Sentence, Surroundings
from app.views.rendering import answer_html, document_name, notes_html, notice_html, place, stream_html

OURS = re.compile(r'<a class="fn-marker" href="#fn-x-\d+" target="_self" title="Footnote \d+">\d+</a>')
TAG = re.compile(r"<\s*/?\s*([a-zA-Z!][^\s/>]*)([^>]*)>")
HARMLESS = {"div", "p", "span", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "br", "hr"}
HARMLESS |= {"table", "thead", "tbody", "tr", "th", "td", "h1", "h2", "h3", "h4", "h5", "h6"}


def answer(text: str, sentences: tuple[Sentence, ...] = (), **more) -> Answer:
    fields = {"refused": False, "answerer": "m", "citations": ()} | more
    return Answer(question="q", searched="q", text=text, sentences=sentences, **fields)


def citation(quote: str = "the quote", **more) -> Citation:
    fields = {"n": 1, "document": "/docs/a.pdf", "version_id": "v", "title": "", "page": 3, "heading": ("A", "B")}
    return Citation(**(fields | {"start": 5, "end": 5 + len(quote), "quote": quote} | more))


def assert_harmless(html: str) -> None:
    for tag, attributes in TAG.findall(OURS.sub("", html)):
        assert tag.casefold() in HARMLESS
        assert not re.search(r"href|src|on\w+\s*=|javascript", attributes, re.IGNORECASE)


def test_markers_become_links_to_their_footnotes():
    html = answer_html(answer("Revenue grew [1][2]."), "x")
    assert len(OURS.findall(html)) == 2
    assert 'href="#fn-x-2"' in html


def test_markers_in_code_stay_as_they_are():
    assert "<code>a[1]</code>" in answer_html(answer("Use `a[1]` here."), "x")


def test_an_unsupported_sentence_is_marked_with_the_reason():
    text = "Fine [1].\n\n- Wrong **bold** [1].\n- Fine too [1]."
    start = text.index("- Wrong")
    wrong = Sentence("Wrong bold.", (1,), supported=False, start=start, end=start + 20, reason="“x” is not in it")
    html = answer_html(answer(text, (wrong,)), "x")
    assert html.count("fn-unsupported") == 1
    assert re.search(r'<li><span class="fn-unsupported" title="Not supported: [^"]*x[^"]*">Wrong <strong>bold', html)
    assert "1 sentence is not borne out" in notice_html(answer(text, (wrong,)))


def test_html_images_and_links_in_an_answer_are_only_text():
    hostile = "<script>alert(1)</script> ![pic](http://evil/x.png) [click](javascript:alert(1)) <img src=x onerror=y>"
    html = answer_html(answer(hostile), "x")
    assert "<script" not in html
    assert "<img" not in html
    assert "href" not in html
    assert "evil" not in html


def test_dollars_and_shortcodes_are_left_alone():
    html = answer_html(answer("It fell from $5 to $6 :smile: :red[x]"), "x")
    assert "$5 to $6 :smile: :red[x]" in html


@given(st.text(alphabet="<>a/ =\"'[](){}!`*_#|-\n1:;&\\~\ue000\ue004", max_size=120))
def test_no_text_can_bring_in_a_tag(text):
    sentence = Sentence(text, (), supported=False, start=0, end=len(text), reason=text)
    assert_harmless(answer_html(answer(text, (sentence,)), "x"))
    assert_harmless(stream_html(text, "x"))


@given(st.text(max_size=60), st.text(max_size=60))
def test_no_passage_or_name_can_bring_in_a_tag(words, name):
    html = notes_html([(citation(words, document=name, heading=(words,)), Surroundings(words, words, words))], "x")
    inner = re.sub(r"</?(details|summary|mark|div|p|span)\b[^>]*>", "", html)
    assert "<" not in inner


def test_a_footnote_shows_its_passage_in_its_surroundings():
    html = notes_html([(citation(), Surroundings("before ", "the quote", " after"))], "x")
    assert 'before <mark id="fn-x-1">the quote</mark> after' in html
    assert "a.pdf" in html
    assert "page 3 · A / B" in html


def test_a_passage_that_has_changed_since_says_so():
    assert "has changed or is no longer in the index" in notes_html([(citation(), None)], "x")


def test_names_are_shown_on_one_line():
    assert document_name("/docs/a\nb.txt") == "a b.txt"
    assert place(citation(page=None, heading=())) == ""
