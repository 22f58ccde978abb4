"""Tests that no text of an answer or a passage becomes a tag, an image or a link."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rendered import OURS, answer, assert_harmless, citation, claim, marked_text

from app.models import Quote, Sentence, Surroundings
from app.text.sentences import split_sentences
from app.ui.components.rendering import (
    answer_html,
    notes_html,
    notice_html,
    stream_html,
)


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


def test_a_partly_supported_sentence_has_its_own_mark():
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
def test_a_sentence_is_marked_inside_any_markdown(text, words):
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
