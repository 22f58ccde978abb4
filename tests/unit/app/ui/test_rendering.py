"""What is shown is safe: nothing of an answer's or a passage's becomes a tag, an image or a link."""

from __future__ import annotations

import re
from html.parser import HTMLParser

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.models import Answer, Citation, Quote, Sentence, Surroundings, Usage
from app.text.sentences import split_sentences
from app.ui.components.rendering import (
    CHANGED,
    REMOVED,
    answer_html,
    details_html,
    document_name,
    notes_html,
    notice_html,
    place,
    plain,
    stream_html,
    total_html,
)

OURS = re.compile(r'<a class="fn-marker" href="#fn-x-\d+" target="_self" title="Footnote \d+">\d+</a>')
TAG = re.compile(r"<\s*/?\s*([a-zA-Z!][^\s/>]*)([^>]*)>")
HARMLESS = {"div", "mark", "p", "span", "strong", "em", "code", "pre", "ul", "ol", "li", "blockquote", "br", "hr"}
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


def test_an_unsupported_sentence_is_marked_and_says_why_in_words():
    text = "Fine [1].\n\n- Wrong **bold**.\n- Fine too [1]."
    start, end = text.index("- Wrong"), text.index("\n- Fine")
    quote = Quote(2, 0, 3, "why")
    wrong = Sentence("Wrong bold.", (), False, start, end, 'the source says "5", not <6>', quotes=(quote,))
    html = answer_html(answer(text, (wrong,)), "x")
    assert '<li><span class="fn-unsupported">Wrong <strong>bold</strong>.</span> <span class="fn-why"' in html
    assert "Not supported: the source says &quot;5&quot;, not &lt;6&gt; <a" in html
    assert 'href="#fn-x-2"' in html
    assert "1 sentence is not supported by" in notice_html(answer(text, (wrong,)))


def test_a_sentence_that_is_not_finished_has_no_verdict_and_says_why():
    text = "Apples are red. And a crate ho"
    cut = Sentence("And a crate ho", (), supported=None, start=16, end=len(text), reason="not finished")
    html = answer_html(answer(text, (cut,)), "1")
    assert '<span class="fn-unfinished">And a crate ho</span> <span class="fn-why" role="note">' in html
    assert "No verdict: not finished" in html
    assert "not supported by" not in notice_html(answer(text, (cut,)))


def test_a_sentence_that_could_not_be_checked_says_so_and_keeps_its_footnote():
    text = "Fine [1]."
    unchecked = Sentence("Fine.", (1,), None, 0, len(text), "it is in <another> language", unchecked=True)
    html = answer_html(answer(text, (unchecked,)), "x")
    assert "Not checked: it is in &lt;another&gt; language" in html
    assert 'href="#fn-x-1"' in html
    assert "not supported by" not in notice_html(answer(text, (unchecked,)))


def test_a_partly_supported_sentence_is_marked_otherwise():
    text = "Half true [1]."
    half = Sentence("Half true.", (1,), False, 0, len(text), "“x” is not in the passage", partly=True)
    html = answer_html(answer(text, (half,)), "x")
    assert '<span class="fn-partly">Half true' in html
    assert "Partly supported: “x” is not in the passage</span>" in html


def test_in_a_row_of_a_table_no_mark_reaches_into_another_cell():
    text = "| a | b |\n| --- | --- |\n| c | d |"
    start = text.index("| c")
    wrong = Sentence("c d", (), False, start, len(text), "no")
    html = answer_html(answer(text, (wrong,)), "x")
    assert '<td><span class="fn-unsupported">c</span></td>' in html
    assert '<td><span class="fn-unsupported">d</span> <span class="fn-why" role="note">' in html


def test_the_words_that_answer_are_highlighted():
    text = "It has 28 days [1]."
    good = Sentence("It has 28 days.", (1,), True, 0, len(text), spans=((7, 14),))
    assert "It has <mark>28 days</mark> <a" in answer_html(answer(text, (good,)), "x")


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


def claim(text: str, words: str, n: int = 0) -> Sentence:
    """An unsupported sentence at its place in `text`."""
    start = text.index(words)
    return Sentence(words, (), False, start, start + len(words), f"because-{n}")


PRIVATE_REFERENCES = ["&#xE000;", "&#xE001;0&#xE003;", "&#57346;1&#57347;", "&#xF0000;", "&#983041;", "&#x10FFFD;"]


@pytest.mark.parametrize("reference", [*PRIVATE_REFERENCES, "\ue0021\ue003", "\U000f0000"])
@pytest.mark.parametrize(
    "around",
    ["{}", "# {}", "| {} | b |\n| --- | --- |\n| {} | c |", "[{}](http://x)", "![{}](http://x '{}')", "*a {}* b"],
)
def test_no_character_reference_moves_a_mark_or_makes_a_footnote(reference, around):
    text = around.replace("{}", f"{reference} The moon is cheese {reference}")
    html = answer_html(answer(text, (claim(text, "The moon is cheese"),)), "x")
    assert '<span class="fn-unsupported">The moon is cheese</span>' in html
    assert html.count("because-0") == 1
    assert "fn-marker" not in html


def test_a_marker_is_a_link_only_where_its_sentence_cites_it():
    text = "Use ` here. The moon is cheese [1] with ` there [2]."
    false = claim(text, "The moon is cheese [1] with ` there [2].")
    html = answer_html(answer(text, (Sentence("Use ` here.", (2,), None, 0, 11), false)), "x")
    assert "fn-marker" not in html
    assert html.count("because-0") == 1


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Fine. *False claim** here.", "*False claim** here."),
        ("So `a. False claim` here.", "False claim` here."),
        ("Fine. _False claim._ Fine.", "_False claim._"),
        ("Fine. **False claim.**[1] Fine.", "**False claim.**[1]"),
        ("- a\n  - > 1. False claim.\n- b", "- > 1. False claim."),
        ("Fine.\n\n```py\nFalse claim.\n```\n\nFine.", "```py\nFalse claim.\n```"),
        ("Fine.\n\n    False claim.\n\nFine.", "    False claim."),
        ("| a | b |\n|---|---|\n| c | False claim \\| d | e | f |", "| c | False claim \\| d | e | f |"),
        ("See [a](http://x/y. False claim", "False claim"),
        ("See [False claim](http://x/y. Cut) here.", "See [False claim](http://x/y."),
        ("False claim\n===", "False claim\n==="),
        ("False \\*claim\\", "False \\*claim\\"),
        ("![False claim. It is](http://x)", "![False claim."),
        ("False <b>claim</b> &amp; <!-- so", "False <b>claim</b> &amp; <!-- so"),
    ],
)
def test_a_sentence_is_marked_whatever_the_markdown_around_it(text, words):
    html = answer_html(answer(text, (claim(text, words),)), "x")
    shown, rest = marked_text(html, "fn-unsupported")
    assert shown.count("False") == 1
    assert "False" not in rest
    assert html.count("because-0") == 1


def test_a_sentence_that_markdown_does_not_show_is_shown_and_marked():
    text = "Fine.\n\n[a]: http://x 'False. Claim'\n"
    html = answer_html(answer(text, (claim(text, "Claim"),)), "x")
    assert '<span class="fn-unsupported">Claim</span>' in html
    assert html.count("because-0") == 1


def test_emphasis_keeps_its_end_before_a_footnote():
    html = answer_html(answer("**Revenue grew.**[1] And _costs fell_."), "x")
    assert re.sub(r"<a.*?</a>", "@", html) == (
        '<div class="fn-answer"><p><strong>Revenue grew.@</strong> And <em>costs fell</em>.</p>\n</div>'
    )


class Shown(HTMLParser):
    """The text in elements of one class, and whether all elements nest."""

    def __init__(self, kind: str) -> None:
        super().__init__()
        self.kind, self.text, self.rest = kind, "", ""
        self.open = list[tuple[str, str]]()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.open.append((tag, dict(attrs).get("class") or ""))

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        assert tag in {"br", "hr"}

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop()[0] == tag

    def handle_data(self, data: str) -> None:
        classes = [kind for _, kind in self.open]
        if self.kind in classes:
            self.text += data
        elif "fn-why" not in classes:
            self.rest += data


def marked_text(html: str, kind: str) -> tuple[str, str]:
    """The text of a page in elements of class `kind`, and the rest of it without reasons."""
    shown = Shown(kind)
    shown.feed(html)
    shown.close()
    assert not shown.open
    return shown.text, shown.rest


NOISE = [
    "*",
    "**",
    "_",
    "`",
    "``",
    "```\n",
    "\n```\n",
    "~~~",
    "\n",
    "\n\n",
    "    ",
    "- ",
    "1. ",
    "> ",
    "# ",
    "|",
    "\n|--|--|\n",
]
NOISE += [
    "[",
    "](http://x",
    ")",
    "![",
    "[a]: ",
    "\\",
    "<b>",
    "&amp;",
    "&#x5b;1]",
    "[1]",
    "[2, 3]",
    "\u30101\u2020s\u3011",
    "===\n",
]
NOISE += [*PRIVATE_REFERENCES, "\ue000", "\U000f0001", ". ", ", ", " ", "-", "\r\n", "\t"]


@settings(max_examples=500)
@given(st.lists(st.sampled_from(NOISE) | st.integers(0, 9), max_size=40), st.integers(0, 2**12))
def test_every_unsupported_sentence_is_marked_and_no_footnote_is_forged(parts, flags):
    text = "".join(one if isinstance(one, str) else f"word{i}x. " for i, one in enumerate(parts))
    found = [
        Sentence(
            text[start:end],
            (),
            supported=not flags >> i & 1,
            start=start,
            end=end,
            reason=f"because-{i}-" * (flags >> i & 1),
        )
        for i, (start, end) in enumerate(split_sentences(text))
    ]
    html = answer_html(answer(text, tuple(found)), "x")
    _, rest = marked_text(html, "fn-unsupported")
    for i, sentence in enumerate(found):
        if sentence.supported is False:
            assert html.count(f">Not supported: because-{i}-<") == 1
            for word in re.findall(r"word\d+x", sentence.text):
                assert word not in rest
    assert "fn-marker" not in html
    assert_harmless(html)


@given(st.text(alphabet="<>a/ =\"'[](){}!`*_#|-\n1:;&\\~\ue000\ue004", max_size=120))
def test_no_text_can_bring_in_a_tag(text):
    half = len(text) // 2
    sentence = Sentence(text, (), supported=False, start=0, end=len(text), reason=text, spans=((half, len(text)),))
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


@pytest.mark.parametrize("gone", [CHANGED, REMOVED])
def test_a_passage_that_is_not_as_it_was_says_so_and_keeps_what_was_quoted(gone):
    shown = notes_html([(citation(), gone)], "x")
    assert gone in shown
    assert citation().quote in shown
    assert (">removed<" in shown) is (gone == REMOVED)


def test_names_are_shown_on_one_line():
    assert document_name("/docs/a\nb.txt") == "a b.txt"
    assert place(citation(page=None, heading=())) == ""


def test_a_written_answer_tells_what_it_took_and_with_which_prompt():
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
