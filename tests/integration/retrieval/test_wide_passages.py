"""Passages for an answer: chunks with the text around them, within a budget."""

from __future__ import annotations

from itertools import pairwise

import pytest
from durability import quick

from app.retrieval.widening import WIDTH
from app.text import most_tokens

SECTIONS = {
    "Copper": [f"Copper ore number {n} is mined in the north, in pit {n}, by {n} people every day." for n in range(60)],
    "Tin": [f"Tin is melted in oven {n} at night." for n in range(40)],
}


@pytest.fixture
def metals(settings, write):
    text = "\n\n".join(f"# {name}\n\n" + "\n\n".join(lines) for name, lines in SECTIONS.items())
    with quick(settings) as one:
        one.ingest([write("metals.md", text)])
        yield one.answers.retriever("default")


def test_passages_are_wide_and_exact_and_do_not_overlap(metals):
    found = metals.passages("Copper in pit 30", 4)
    whole = metals.passages("Copper in pit 30", 50).passages
    assert len(found.passages) == 4
    for passage in whole:
        assert len(passage.text) == passage.end - passage.start <= WIDTH
        assert passage.text.strip() == passage.text
    spans = sorted((passage.start, passage.end) for passage in whole)
    assert all(before[1] <= after[0] for before, after in pairwise(spans))


def test_a_passage_holds_the_chunk_that_was_found_and_stays_under_its_heading(metals):
    found = metals.passages("Copper in pit 30", 4)
    best, chunk = found.passages[0], found.found[0]
    assert best.start <= chunk.start < chunk.end <= best.end
    assert len(best.text) > len(chunk.text)
    assert "Tin" not in best.text
    assert best.heading == chunk.heading == ("Copper",)


def test_without_a_number_the_passages_fill_the_budget(metals):
    few, many = (metals.passages("Copper in pit 30", None, tokens=tokens).passages for tokens in (700, 1_500))
    assert 1 <= len(few) < len(many)
    assert sum(most_tokens(passage.text) for passage in many) <= 1_500


def test_one_passage_is_given_however_small_the_budget(metals):
    assert len(metals.passages("Copper in pit 30", None, tokens=1).passages) == 1


@pytest.fixture
def mines(settings, write):
    columns = "".join(f" Ore of pit {n} in the northern and southern mines of the old valley |" for n in range(12))
    rows = "".join(f"| Year {2000 + n} |{f' {n}01 |' * 12}\n" for n in range(40))
    table = f"| |{columns}\n|{' --- |' * 13}\n{rows}"
    text = f"# Mines\n\nAll was counted again.\n\n## Yields\n\n(in thousands of tons)\n\n(unaudited)\n\n{table}"
    with quick(settings) as one:
        one.ingest([write("Mines Q3 2031.md", text)])
        yield one.answers.retriever("default")


def test_a_passage_inside_a_table_has_its_header_its_caption_and_the_periods_of_its_document(mines):
    found = mines.passages("How much was it in Year 2033?", 3)
    inside = [one for one in (*found.passages, *found.found) if one.text.startswith("| Year 20")]
    assert inside
    for passage in inside:
        assert passage.header.startswith("| | Ore of pit 0 in the northern")
        assert passage.caption == "Yields (in thousands of tons) (unaudited)"
        assert passage.periods == ("2031-Q3",)
