"""Figures, tables and bars of the comparison with the peers."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bench.peers.report import MB, bars, bars_table, figures_table
from bench.peers.results import Figures, FootnoteFigures, percentiles

LANGCHAIN = Figures(
    name="LangChain",
    seconds=100.0,
    processor=170.0,
    split=1.0,
    store=90.0,
    largest=900 * MB,
    together=950 * MB,
    disk=5_000_000,
    chunks=1_000,
    given=100_000,
    read=85_000,
    cold=(8.0, 9.0, 20.0),
    warm=(10.0, 20.0, 30.0),
)
LLAMAINDEX = replace(LANGCHAIN, name="LlamaIndex", read=33_000)
OWN = FootnoteFigures(
    common=Figures(
        name="Footnote",
        seconds=50.0,
        processor=60.0,
        split=None,
        store=None,
        largest=600 * MB,
        together=800 * MB,
        disk=9_000_000,
        chunks=3_000,
        given=120_000,
        read=120_000,
        cold=(1.5, 1.6, 1.9),
        warm=(12.0, 14.0, 16.0),
    ),
    text=4.0,
    second=1.0,
    second_runtimes=(),
    changed=2.0,
    changed_embedded=1,
    changed_chunks=3,
    ask=(1.8, 1.9, 2.0),
    bare=(9.0, 10.0, 11.0),
)


def met(own: FootnoteFigures, peer: Figures = LANGCHAIN) -> dict[str, bool]:
    return {bar.what: bar.met for bar in bars(own, peer, LLAMAINDEX)}


def test_figures_are_derived_from_what_was_measured():
    assert LANGCHAIN.share == 0.85
    assert LANGCHAIN.rate == 850.0
    assert LANGCHAIN.processor_rate == 500.0
    assert LANGCHAIN.bytes_a_chunk == 5_000.0
    assert LANGCHAIN.cold_median == 9.0
    assert percentiles([0.0, 50.0, 100.0]) == (50.0, 95.0)


def test_every_bar_is_met_if_every_figure_is_good():
    assert all(met(OWN).values())


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({"seconds": 100.0}, {"tokens read per second / LangChain's"}),
        ({"given": 120_001}, {"share of the text read"}),
        ({"cold": (2.1, 2.1, 2.1)}, {"search in a new process, s"}),
        ({"cold": (2.3, 2.3, 2.3)}, {"search in a new process, s", "search in a new process / LangChain's search"}),
        ({"warm": (16.0, 16.0, 16.0)}, {"search, p50 / embedding the question and one Chroma query"}),
        ({"together": 1_000 * MB}, {"peak memory of all processes of the ingest, MB"}),
    ],
)
def test_a_bar_is_missed_by_the_figure_that_it_is_about(change, missed):
    worse = replace(OWN, common=replace(OWN.common, **change))
    assert {what for what, well in met(worse).items() if not well} == missed


@pytest.mark.parametrize(
    ("change", "missed"),
    [
        ({"text": 5.1}, {"until the text of all files can be searched / LangChain's ingest"}),
        ({"second": 1.6}, {"second ingest / first"}),
        ({"second_runtimes": ("onnxruntime",)}, {"runtimes of models loaded by it"}),
        ({"changed_embedded": 4}, {"texts embedded after one file changed"}),
        ({"ask": (2.1, 2.1, 2.1)}, {"answer in a new process, s"}),
    ],
)
def test_a_bar_of_repeated_work_is_missed_by_its_own_figure(change, missed):
    assert {what for what, well in met(replace(OWN, **change)).items() if not well} == missed


def test_a_search_must_be_faster_than_langchains():
    assert not met(OWN, replace(LANGCHAIN, warm=(13.0, 13.0, 13.0)))["search, p50 / LangChain's"]


def test_all_rows_of_a_table_have_as_many_cells_as_its_head():
    for table in (figures_table([LANGCHAIN, OWN.common]), bars_table(bars(OWN, LANGCHAIN, LLAMAINDEX))):
        lines = table.splitlines()
        assert {line.count("|") for line in lines} == {lines[0].count("|")}
        assert set(lines[1]) <= set("| -:")


def test_the_tables_show_shares_ratios_and_missed_bars():
    assert "| share read | 85.0% | 100.0% |" in figures_table([LANGCHAIN, OWN.common])
    assert "| reading and splitting, s | 1.0 |  |" in figures_table([LANGCHAIN, OWN.common])
    missed = bars_table(bars(replace(OWN, second=5.0), LANGCHAIN, LLAMAINDEX))
    assert "| second ingest / first | 10.0% (5.0 / 50.0 s) | <= 3% | NO |" in missed
    assert "| tokens read per second / LangChain's | 2.82 | >= 1.5 | yes |" in missed
