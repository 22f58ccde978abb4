"""Tests refusal: decided from several kinds of evidence, with a calibration that names its source."""

from __future__ import annotations

import json
import math
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests_support import WordEmbedder

from app.answering.evidence import TOLD, evidence, nowhere
from app.answering.refusal import ABOUT, CALIBRATION, SAID, Refusal
from app.models import Passage


def passage(n: int, text: str, title: str = "") -> Passage:
    return Passage(n, f"/docs/{n}.md", "v", title, None, (), 0, len(text), text, 1 / n)


APPLES = [
    passage(1, "Apples are red. A crate holds 40 apples.", "Fruit"),
    passage(2, "Bears sleep in winter.", "Bears"),
]


def test_the_calibration_names_its_source():
    fields = json.loads(CALIBRATION.read_text())
    assert {"date", "command", "data", "counts"} <= set(fields["provenance"])
    assert fields["embedder"] == "all-MiniLM-L6-v2"
    assert (tuple(fields["about"]["names"]), tuple(fields["said"]["names"])) == (ABOUT, SAID)


def test_questions_covered_by_passages_are_more_likely_answered():
    decision, embedder = Refusal.load(), WordEmbedder()
    near = decision.judge("How many apples does a crate hold?", APPLES, embedder)
    far = decision.judge("Who won the cup?", APPLES, embedder)
    assert near.confidence > far.confidence
    assert not far.answers


def test_evidence_has_names_and_missing_evidence_is_nan():
    found = evidence("How many apples does a crate hold?", APPLES[:1], WordEmbedder(), 100)
    assert set(found) == {*ABOUT, *SAID, TOLD}
    assert {name for name, value in found.items() if math.isnan(value)} == {"passage stands out"}
    assert not any("score" in name or "lead" in name for name in found)  # those grow with the collection
    assert all(-1.001 <= value <= 3 for value in found.values() if not math.isnan(value))


def test_the_more_chunks_were_searched_the_more_evidence_it_takes():
    decision, question = Refusal.load(), "Does a crate of bears sleep?"
    surest = [
        decision.judge(question, APPLES, WordEmbedder(), searched=searched).confidence for searched in (1, 100, 10_000)
    ]
    assert surest == sorted(surest, reverse=True)
    assert len(set(surest)) == 3
    uncounted = decision.judge(question, APPLES, WordEmbedder()).confidence
    assert surest[2] < uncounted < surest[0]


def test_a_sentence_holds_the_terms_of_its_title_as_well():
    counted = evidence("Do apples from a fruit crate sleep?", APPLES, WordEmbedder())["terms in a sentence"]
    assert math.expm1(counted) == pytest.approx(3)  # fruit, apples, crate


def test_the_header_of_a_table_that_began_earlier_is_read_with_its_rows():
    rows = passage(1, "| Larch | 12 |\n| Pine | 30 |")
    with_header = replace(rows, header="| Tree | Height |", context="| Tree | Height |")
    assert nowhere("What height has a larch?", [rows]) == ["height"]
    assert nowhere("What height has a larch?", [with_header]) == []
    bare, known = (evidence("larch height", [one], WordEmbedder()) for one in (rows, with_header))
    assert known["tokens"] > bare["tokens"]
    assert known["nearest sentence"] == pytest.approx(bare["nearest sentence"])


@pytest.mark.parametrize(
    ("document", "title", "name"),
    [
        ("/docs/lease_Berlin-2021.pdf", "", "lease Berlin 2021"),
        ("/docs/lease.pdf", "A lease", "A lease"),
        ("/docs/v1.2 notes", "", "v1 2 notes"),
        ("https://example.org/guide/", "", "guide"),
        ("https://example.org/", "", "example org"),
        ("//[odd/lease.pdf", "", "lease"),  # a path, and no web address
        ("https://example.org/Annual%20Report.pdf?page=3", "", "Annual Report"),
        ("https://example.org/wiki/Gr%C3%B6%C3%9Fe", "", "Größe"),
    ],
)
def test_a_document_without_a_title_is_known_by_its_files_name(document, title, name):
    assert replace(passage(1, "x", title), document=document).name == name


def test_a_question_about_a_document_that_only_its_files_name_names_is_about_it():
    rent = replace(passage(1, "The rent is 900 euros."), document="/docs/lease_berlin.txt")
    assert nowhere("What is the rent of the Berlin lease?", [rent]) == []
    named, other = (
        evidence("rent of the Berlin lease", [one], WordEmbedder())["tokens"]
        for one in (rent, replace(rent, document="/docs/1.txt"))
    )
    assert named > other


@pytest.mark.parametrize(
    ("question", "told"),
    [
        ("How tall is larch 12 in Graz town?", 1.0),
        ("How tall is larch 12 by area in Graz?", 0.0),
        ("Larch in Graz?", 0.0),
        ("Which tree of which town has how many metres?", 0.0),  # all in the header
    ],
)
def test_a_row_with_nearly_all_terms_of_a_question_answers_it_regardless_of_its_vectors(question, told):
    row = passage(1, "| Larch 12 | 30 | Graz |\n| Pine | 31 | Oslo |")
    found = evidence(question, [replace(row, header="| Tree | Metres | Town |")], WordEmbedder())
    assert found[TOLD] == told
    shipped = Refusal.load()
    far = found | dict.fromkeys(ABOUT, 0.0)
    assert shipped.weigh(far).answers is bool(told)


def test_words_without_meaning_are_compared_separately():
    assert evidence("in the winter", APPLES[1:], WordEmbedder())["function words"] == pytest.approx(0.5)  # no "the"
    assert math.isnan(evidence("winter", APPLES, WordEmbedder())["function words"])


def test_question_words_beyond_the_title_are_counted_separately():
    found = evidence("bears that sleep in trees", APPLES[1:], WordEmbedder())
    assert found["asked in the title"] == pytest.approx(1 / 3)
    assert found["words beyond the title"] == pytest.approx(0.5)  # "sleep" is there, "trees" is not


def test_a_passage_stands_out_only_if_no_other_has_the_same_words():
    question = "How many apples does a crate hold?"
    alone, copied = (evidence(question, some, WordEmbedder()) for some in (APPLES, [APPLES[0], APPLES[0]]))
    assert alone["passage stands out"] > copied["passage stands out"] == pytest.approx(0)


@pytest.mark.parametrize(
    ("question", "words"),
    [("Which apples won the Zurich cup?", ["won", "Zurich", "cup"]), ("Are apples red?", []), ("", [])],
)
def test_words_found_in_no_passage_are_named(question, words):
    assert nowhere(question, APPLES) == words


@given(st.text(max_size=80), st.lists(st.text(max_size=120), min_size=1, max_size=4))
def test_any_question_and_passages_give_a_probability(question, texts):
    passages = [passage(n, text) for n, text in enumerate(texts, start=1)]
    assert 0 <= Refusal.load().judge(question, passages, WordEmbedder()).confidence <= 1
