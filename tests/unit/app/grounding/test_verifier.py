"""Tests footnotes: they refer to the passage that proves the sentence, whatever the model wrote."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.grounding.verifier import Verified, Verifier
from app.models import Passage
from app.text.citation_markers import without_markers

TEXTS = (
    "Revenue grew by 12% to $1,234 million in 2023. Apple opened 8 stores in Berlin. Nothing else changed.",
    "The bridge was opened in 1931. It has three lanes.",
    "Whales are mammals that live in the sea.",
)


def passage(n: int, text: str) -> Passage:
    return Passage(n, f"/docs/{n}.pdf", "v", "", 4, ("Results",), 100, 100 + len(text), text, 1.0)


PASSAGES = [passage(n, text) for n, text in enumerate(TEXTS, start=1)]


def verify(text: str) -> Verified:
    return Verifier().verify(text, {passage.n: passage for passage in PASSAGES}, PASSAGES)


@pytest.mark.parametrize(
    ("written", "corrected"),
    [
        ("Whales are mammals [1].", "Whales are mammals [1]."),
        ("Whales are mammals [3]. Revenue grew by 12% [1].", "Whales are mammals [1]. Revenue grew by 12% [2]."),
        ("Revenue grew [1][3].", "Revenue grew [1]."),
        ("Revenue grew by 12%.", "Revenue grew by 12% [1]."),
        ("Revenue grew by 13% [1].", "Revenue grew by 13%."),
        ("Elephants swim in warm rivers. [2]", "Elephants swim in warm rivers."),
        ("- Whales are mammals\n- Revenue grew [3]", "- Whales are mammals [1]\n- Revenue grew [2]"),
        ("| What | When |\n| --- | --- |\n| bridge opened | 1931 [2] |", None),
        ("Sure!\n\n```\nrows[1]\n```", "Sure!\n\n```\nrows[1]\n```"),
        ("Apple opened 8 stores in Berlin, and the bridge was opened in 1931.", None),
    ],
)
def test_markers_are_put_where_the_proof_is(written, corrected):
    found = verify(written)
    assert found.text == (corrected or found.text)
    assert without_markers(found.text) == without_markers(written)
    for sentence in found.sentences:
        for quote in sentence.quotes:
            note = found.citations[quote.n - 1]
            assert note.start <= quote.start < quote.end <= note.end
            assert TEXTS[int(note.document[6]) - 1][quote.start - 100 : quote.end - 100] == quote.text


def test_a_corrected_footnote_leads_to_the_passage_that_says_it():
    found = verify("The bridge has three lanes [3].")
    assert [note.document for note in found.citations] == ["/docs/2.pdf"]
    assert found.sentences[0].quotes[0].text == "It has three lanes."


def test_a_sentence_that_is_too_long_is_not_checked_and_keeps_its_footnote():
    found = verify(f"Whales are mammals{', and whales are mammals' * 200} [3].").sentences[0]
    assert (found.unchecked, found.supported, found.citations) == (True, None, (1,))
    assert "too long" in found.reason


def test_a_sentence_from_two_passages_gets_both_footnotes():
    found = verify("Apple opened 8 stores in Berlin, and the bridge was opened in 1931.")
    assert found.text.endswith("1931 [1][2].")
    assert found.sentences[0].verdict == "supported"


def test_a_contradicted_sentence_loses_its_marker_and_keeps_the_words_that_contradict_it():
    found = verify("Revenue grew by 13% [1].")
    (sentence,) = found.sentences
    assert (sentence.verdict, sentence.citations) == ("unsupported", ())
    assert sentence.reason == "the source says 12, not 13"
    assert found.citations[sentence.quotes[0].n - 1].quote == "Revenue grew by 12% to $1,234 million in 2023."


def test_a_sentence_without_support_has_no_footnote():
    found = verify("Elephants like swimming in warm rivers [1].")
    assert found.citations == ()
    assert found.sentences[0].reason.startswith("most of its words")


def test_sentences_know_their_place_in_the_corrected_text():
    found = verify("Revenue grew [3]. Apple opened stores.")
    assert [found.text[s.start : s.end] for s in found.sentences] == ["Revenue grew [1].", "Apple opened stores [1]."]
    assert [s.text for s in found.sentences] == ["Revenue grew.", "Apple opened stores."]


def test_a_footnote_quotes_from_its_first_to_its_last_proof():
    (note,) = verify("Revenue grew by 12% [1]. Apple opened 8 stores in Berlin [1].").citations
    assert note.quote == "Revenue grew by 12% to $1,234 million in 2023. Apple opened 8 stores in Berlin."


def test_a_header_of_a_table_claims_nothing_and_its_rows_do():
    found = verify("| Whale | Elephant |\n| --- | --- |\n| mammals | live in the sea |")
    assert [sentence.verdict for sentence in found.sentences] == ["no claim", "no claim", "supported"]


@pytest.mark.parametrize(
    ("written", "corrected", "reason"),
    [
        ("Revenue grew by 1", "Revenue grew by 1", "not finished"),
        ("Revenue grew by 13", "Revenue grew by 13", "not finished"),
        ("Revenue grew by 12.", "Revenue grew by 12.", "not finished"),
        ("Elephants swim in warm", "Elephants swim in warm", "not finished"),
        ("Whales are mammals", "Whales are mammals", "not finished"),
        ("Whales are mammals [3] and Apple", "Whales are mammals [2] and Apple", "not finished"),
        ("Whales are mammals [2] and Elephants swim in", "Whales are mammals and Elephants swim in", "not finished"),
        ("Whales are mammals [3]", "Whales are mammals [2]", ""),
        ("Elephants swim in warm rivers.", "Elephants swim in warm rivers.", "no passage"),
        ("Elephants swim in warm rivers [2]", "Elephants swim in warm rivers", "most of its words"),
        ("Whales fly to \u201cMars!\u201d", "Whales fly to \u201cMars!\u201d", "most of its words"),
    ],
)
def test_the_last_sentence_of_an_answer_that_was_cut_has_no_verdict_unless_it_has_its_end(written, corrected, reason):
    before = "The bridge has three lanes [2]. "
    found = Verifier().verify(before + written, dict(enumerate(PASSAGES, start=1)), PASSAGES, incomplete=True)
    assert found.text == "The bridge has three lanes [1]. " + corrected
    assert found.sentences[0].verdict == "supported"
    assert found.sentences[-1].reason.startswith(reason)
    assert (found.sentences[-1].verdict == "no claim") is (reason == "not finished")
    assert bool(found.sentences[-1].citations) is ("[" in corrected)
    if reason == "not finished":
        assert verify(before + written).sentences[-1].verdict != "no claim"


PIECES = st.sampled_from(
    ["Revenue grew", " by 12%", " [1]", "[2]", ". ", "Whales", " are fish", "\n- ", "`a[1]`", "\n\n", "|", "```\n"]
)


@given(st.lists(PIECES, max_size=14).map("".join))
def test_any_answer_keeps_its_words_and_its_markers_name_footnotes(text):
    found = verify(text)
    assert "".join(without_markers(found.text).split()) == "".join(without_markers(text).split())
    for sentence in found.sentences:
        assert all(1 <= n <= len(found.citations) for n in sentence.citations)
        assert all(1 <= quote.n <= len(found.citations) for quote in sentence.quotes)
