"""Verification: what the cited passage does not hold is not called supported."""

from __future__ import annotations

import pytest

from app.citations import cite, verify
from app.models import Passage

TEXT = "Revenue grew by 12% to $1,234 million in 2023. Apple opened 8 stores in Berlin. Nothing else changed."


@pytest.fixture
def passage() -> Passage:
    return Passage(
        n=1,
        document="/docs/report.pdf",
        version_id="v",
        title="Annual report",
        page=4,
        heading=("Results",),
        start=100,
        end=100 + len(TEXT),
        text=TEXT,
        score=1.0,
    )


@pytest.mark.parametrize(
    ("sentence", "supported", "reason"),
    [
        ("Revenue grew 12% in 2023 [1].", True, ""),
        ("In 2023 revenue was 1234 million [1].", True, ""),
        ("Apple opened eight stores in Berlin [1].", True, ""),
        ("The annual report says that revenue grew [1].", True, ""),
        ("Revenue grew by 13% in 2023 [1].", False, "13 is not in the passage"),
        ("Apple opened 8 stores in Munich [1].", False, "“munich” is not in the passage"),
        ("Elephants like swimming in warm rivers [1].", False, "most of its words"),
        ("Revenue grew by 12% in 2023.", False, "cites nothing"),
        ("Here is what the report says:", None, ""),
        ("## Results", None, ""),
        ("What else?", None, ""),
    ],
)
def test_a_sentence_gets_its_verdict(passage, sentence, supported, reason):
    (found,) = verify(sentence, {1: passage})
    assert found.supported is supported
    assert found.reason.startswith(reason)
    assert "[1]" not in found.text


def test_sentences_know_their_place_and_their_citations(passage):
    text = "Revenue grew [1]. Apple opened stores [1]."
    found = verify(text, {1: passage})
    assert [text[s.start : s.end] for s in found] == ["Revenue grew [1].", "Apple opened stores [1]."]
    assert [s.citations for s in found] == [(1,), (1,)]


def test_a_footnote_quotes_the_part_that_bears_the_sentence_out(passage):
    (note,) = cite(verify("Apple opened 8 stores in Berlin [1].", {1: passage}), {1: passage})
    assert note.quote == "Apple opened 8 stores in Berlin."
    assert TEXT[note.start - 100 : note.end - 100] == note.quote
    assert (note.n, note.document, note.page, note.heading) == (1, "/docs/report.pdf", 4, ("Results",))


def test_a_footnote_that_bears_out_nothing_shows_the_whole_passage(passage):
    (note,) = cite(verify("Elephants like swimming in warm rivers [1].", {1: passage}), {1: passage})
    assert note.quote == TEXT


def test_markers_in_code_are_no_citations(passage):
    (found,) = verify("Call `rows[1]` for revenue.", {1: passage})
    assert found.citations == ()
