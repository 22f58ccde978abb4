"""Tests that answers, events and hits are the same after they were JSON."""

from __future__ import annotations

import json

import pytest

from app.models import Answer, Citation, Quote, Retracted, Retrieved, Sentence, Token, Usage, Waiting
from app.packing import pack_answer, pack_event, pack_hit, unpack_answer, unpack_event, unpack_hit
from ingest.filters import Filter
from ingest.models import Query, SearchHit, StoredChunk

CITATION = Citation(1, "/docs/a.pdf", "v", "T", 3, ("A", "B"), 5, 9, "word", "page 3")
ANSWER = Answer(
    question="q",
    searched="s",
    text="word [1]",
    refused=False,
    answerer="openai:m",
    sentences=(
        Sentence("word", (1,), True, 0, 8, quotes=(Quote(1, 5, 9, "word"),), spans=((0, 4),)),
        Sentence("other", (), None, 9, 14, "why", unchecked=True),
    ),
    citations=(CITATION,),
    nearest=(CITATION,),
    timings={"total": 0.1 + 0.2},
    incomplete=True,
    notice="n",
    confidence=1 / 3,
    usage=Usage(1200, 34, 0.0012),
    prompt="0123456789ab",
    within=Filter.of(sources=["/docs"], types=["pdf"], since="2026-01-31", until="2026-02-01", tags=["a"]),
)
EVENTS = [
    Token("a\n€"),
    Waiting("m is at work"),
    Waiting("Busy.", 2.5),
    Retracted(),
    Retrieved(Query("q", (("earlier", 0.5),), "stated"), (), ("a notice",)),
    ANSWER,
    Answer("q", "s", "", refused=True, answerer="extractive", sentences=(), citations=()),
]


@pytest.mark.parametrize("event", EVENTS, ids=lambda event: type(event).__name__)
def test_an_event_is_the_same_after_it_was_json(event):
    assert unpack_event(json.loads(json.dumps(pack_event(event)))) == event


def test_an_answer_is_the_same_after_it_was_json():
    assert unpack_answer(json.loads(json.dumps(pack_answer(ANSWER)))) == ANSWER


def test_a_hit_is_the_same_after_it_was_json():
    chunk = StoredChunk("v-000001", "v", "d", "/docs/a.pdf", "T", 1, 5, 9, "word", None, ("A", "B"), "slide 2")
    hit = SearchHit(1, 0.1 + 0.2, chunk)
    assert unpack_hit(json.loads(json.dumps(pack_hit(hit)))) == hit
