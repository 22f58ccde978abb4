"""Amounts of tables whose unit is stated once: in millions, in thousands."""

from __future__ import annotations

import pytest

from app.grounding.verdict import judge
from app.models import Passage

TEXT = (
    "(In millions, except number of shares, which are in thousands)\n\n"
    "| | Year 2031 | Year 2030 |\n| --- | --- | --- |\n| Net sales | $117,154 | $98,400 |\n| Gift cards | 5 | 7 |\n"
    "| Number of shares | 15,892 | 16,391 |\n"
)


def passage(text: str = TEXT) -> Passage:
    return Passage(1, "/docs/report.md", "v", "Report", None, (), 0, len(text), text, 1.0)


@pytest.mark.parametrize(
    "claim",
    [
        "Net sales were $117.2 billion in year 2031.",
        "Net sales were $117,154 million in year 2031.",
        "Net sales were 117,154 in year 2031.",
        "Net sales were $98.4 billion in year 2030.",
        "Gift cards were 5 million in year 2031.",
        "Net sales rose from $98.4 billion in year 2030 to $117.2 billion in year 2031.",
    ],
)
def test_an_amount_in_another_scale_is_supported(claim):
    found = judge(claim, [passage()])
    assert (found.verdict, found.reason) == ("supported", "")


@pytest.mark.parametrize(
    "claim",
    [
        "Net sales were $117.2 million in year 2031.",
        "Net sales were $117.3 billion in year 2031.",
        "Net sales were $117,154 thousand in year 2031.",
        "Net sales were $98.4 billion in year 2031.",
        "Gift cards were 7 million in year 2031.",
        "Gift cards were 5 billion in year 2031.",
        "The number of shares was 15,892 million in year 2031.",
    ],
)
def test_another_amount_is_not_supported(claim):
    assert judge(claim, [passage()]).verdict != "supported"


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("The number of shares was 15,892 thousand in year 2031.", "supported"),
        ("The number of shares was 15.9 million in year 2031.", "supported"),
        ("Net sales were $98,400 thousand in year 2030.", "unsupported"),
    ],
)
def test_the_exceptions_of_a_unit_line_have_their_own_scale(claim, verdict):
    assert judge(claim, [passage()]).verdict == verdict


GERMAN = (
    "Die folgende Tabelle zeigt die Entwicklung des Konzerns in den letzten Jahren (in Mio. EUR).\n\n"
    "| | Jahr 2031 | Jahr 2030 |\n| --- | --- | --- |\n| Umsatz | 1.234,5 | 1.100,0 |\n| Gewinn | 87,3 | 80,1 |\n"
)


@pytest.mark.parametrize(
    ("claim", "verdict"),
    [
        ("Der Umsatz betrug 1.234,5 Mio. EUR im Jahr 2031.", "supported"),
        ("Der Umsatz betrug 1,23 Mrd. EUR im Jahr 2031.", "supported"),
        ("Der Umsatz betrug 1.234,5 Mrd. EUR im Jahr 2031.", "partly"),
        ("Der Gewinn betrug 87,3 Tsd. EUR im Jahr 2031.", "partly"),
    ],
)
def test_amounts_of_a_german_table_are_read_in_its_language(claim, verdict):
    assert judge(claim, [passage(GERMAN)]).verdict == verdict


def test_without_a_stated_scale_only_the_figure_itself_is_supported():
    plain = TEXT.partition("\n\n")[2]
    assert judge("Net sales were 117,154 in year 2031.", [passage(plain)]).verdict == "supported"
    assert judge("Net sales were $117.2 billion in year 2031.", [passage(plain)]).verdict != "supported"
