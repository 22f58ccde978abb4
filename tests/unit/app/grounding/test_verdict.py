"""Tests verdicts: each number, date, unit, name and negation of a sentence is compared with its source."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.grounding.verdict import judge
from app.models import Passage

TEXT = (
    "Revenue grew by 12% to $1,234 million in 2023, after 9% in 2022. Apple opened 8 stores in Berlin on 4 March 2023. "
    "The office in Munich did not open on Mondays. The trail is 50 kilometres (31 mi) long. "
    "Maria Keller leads the laboratory in Zurich, and Tom Brandt the one in Basel. "
    "Costs increased because of energy prices. The Canadian team won the final."
)


def passage(text: str = TEXT, n: int = 1, title: str = "Annual report", heading: tuple[str, ...] = ()) -> Passage:
    return Passage(n, f"/docs/{n}.pdf", "v", title, 4, heading, 100, 100 + len(text), text, 1.0)


@pytest.mark.parametrize(
    "claim",
    [
        "Revenue grew 12% in 2023.",
        "In 2023 revenue was $1.234 billion.",
        "Apple opened eight stores in Berlin.",
        "The annual report says that revenue grew.",
        "Apple opened 8 Berlin stores in March 2023.",
        "The Munich office didn't open on Mondays.",
        "The trail is 50 km long.",
        "The trail has a length of 31 miles.",
        "Canada won the final.",
        "Maria Keller leads the Zurich laboratory.",
    ],
)
def test_a_claim_that_agrees_with_its_source_in_any_words_is_supported(claim):
    found = judge(claim, [passage()])
    assert (found.verdict, found.reason) == ("supported", "")
    assert all(line.text in TEXT for line in found.lines)


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("Revenue grew by 13% in 2023.", "the source says 12, not 13"),
        ("Revenue grew by 12% in 2032.", "the source says 2023, not 2032"),
        ("Revenue grew by 9% to $1,234 million in 2023.", "the source says 12, not 9"),
        ("Apple opened 8 stores in Hamburg.", "the source says Berlin, not Hamburg"),
        ("Apple opened 8 stores in Munich on 4 March 2023.", "the source says Berlin, not Munich"),
        ("Apple opened 8 stores in Berlin on 4 April 2023.", "the source says March, not April"),
        ("The trail is 50 miles long.", "the source says 50 kilometres, not 50 miles"),
        ("The office in Munich opened on Mondays.", "the source denies that"),
        ("Apple did not open 8 stores in Berlin.", "the source does not deny that"),
        ("Costs decreased because of energy prices.", "the source says increased, not decreased"),
        ("Elephants like swimming in warm rivers.", "most of its words (Elephants, like, swimming, warm \u2026)"),
    ],
)
def test_a_claim_that_differs_from_its_source_is_unsupported_and_the_reason_names_both(claim, reason):
    found = judge(claim, [passage()])
    assert found.verdict == "unsupported"
    assert found.reason.startswith(reason)


SALES = (
    "Sales in 2021 were 12 million euros and in 2020 9 million euros.",
    "In 2021, sales were 12 million euros, and in 2020, they were 9 million euros.",
    "Sales rose from 9 million euros in 2020 to 12 million euros in 2021.",
    "Sales were 12 million euros in 2021 (2020: 9 million euros).",
    "Sales were 12 million euros in 2021. In 2020 they were 9 million euros.",
)


@pytest.mark.parametrize("source", SALES)
@pytest.mark.parametrize("claim", SALES[:4])
def test_two_swapped_figures_are_detected_in_any_wording(source, claim):
    assert judge(claim, [passage(source)]).verdict == "supported"
    wrong = (
        claim.replace("12 million", "9 billion").replace("9 million", "12 million").replace("9 billion", "9 million")
    )
    found = judge(wrong, [passage(source)])
    assert found.verdict == "unsupported"
    assert re.search(r"the other way round|the source says", found.reason)


HEADER = "| Item (euros) | 2022 | 2023 |"
ROWS = "| Revenue | 4 | 5 |\n| Costs | 3 | n/a |"


@pytest.mark.parametrize("whole", [True, False])
@pytest.mark.parametrize(
    ("claim", "verdict", "reason"),
    [
        ("In 2023 revenue was 5 euros.", "supported", ""),
        ("Revenue was 4 euros in 2022 and 5 in 2023.", "supported", ""),
        ("Revenue in 2022 was 5 euros.", "unsupported", "under \u201c2022\u201d the source says 4"),
        ("In 2021 revenue was 5 euros.", "partly", "\u201c2021\u201d is not in the passage"),
        ("Revenue was 5 euros.", "supported", ""),
    ],
)
def test_a_row_is_read_with_its_headers(whole, claim, verdict, reason):
    table = passage(f"{HEADER}\n| --- | --- | --- |\n{ROWS}" if whole else ROWS)
    found = judge(claim, [table if whole else replace(table, header=HEADER)])
    assert found.verdict == verdict
    assert reason in found.reason


def test_a_header_above_rows_proves_nothing_of_the_prose_below_them():
    prose = passage("| Revenue | 4 | 5 |\n\nThe company had a staff of 700 people.")
    found = judge("In 2023 the company had a staff of 700 people.", [replace(prose, header=HEADER)])
    assert found.verdict == "partly"


def test_figures_identified_by_order_alone_are_not_judged():
    source = passage("Sales in 2021 and 2020 were 12 million and 9 million euros respectively.")
    assert judge("Sales were 12 million euros in 2021 and 9 million euros in 2020.", [source]).verdict == "supported"


@pytest.mark.parametrize(
    ("claim", "reason"),
    [
        ("The northern gate is closed before noon in winter.", "the source says open, not closed"),
        ("The southern gate is open before noon in winter.", "the source says northern, not southern"),
        ("The northern gate is open after noon in winter.", "the source says before, not after"),
        ("It is unusual that visitors leave by it in winter.", "the source says usual, not unusual"),
    ],
)
def test_a_word_that_says_the_opposite_is_seen_even_where_the_source_has_it_elsewhere(claim, reason):
    text = (
        "The northern gate is open before noon in winter. It is usual that visitors leave by it in winter. "
        "After noon the southern gate is used, and the others are closed. An unusual summer changes that."
    )
    found = judge(claim, [passage(text, title="Gates")])
    assert (found.verdict, found.reason) == ("unsupported", reason)


def test_a_lack_may_be_put_in_other_words_but_not_denied():
    without, signed = "The permit is valid without a signature.", "The permit is valid with a signature."
    assert judge("The permit is valid with no signature.", [passage(without)]).verdict == "supported"
    assert judge(signed, [passage(without)]).reason == "the source denies that"
    assert judge(without, [passage(signed)]).reason == "the source does not deny that"


def test_a_fact_that_is_nowhere_leaves_a_sentence_partly_supported():
    found = judge("Costs increased in Portugal because of energy prices.", [passage()])
    assert (found.verdict, found.reason) == ("partly", "\u201cPortugal\u201d is not in the passage")
    assert found.lines[0].text == "Costs increased because of energy prices."


def test_titles_and_headings_name_the_topic_of_a_passage():
    assert judge("Larkspur grants 28 days of leave.", [passage("28 days of leave are granted.")]).verdict != "supported"
    headed = passage("28 days of leave are granted.", heading=("Larkspur handbook",))
    assert judge("Larkspur grants 28 days of leave.", [headed]).verdict == "supported"


def test_two_passages_prove_a_sentence_together_and_the_one_that_says_more_comes_first():
    one, two = passage("The bridge has 3 lanes."), passage("The bridge was opened in 1931 by the mayor.", n=2)
    found = judge("The bridge was opened by the mayor in 1931 and has 3 lanes.", [one, two])
    assert found.verdict == "supported"
    assert [line.passage.n for line in found.lines] == [2, 1]


class SameMeaning:
    def encode_documents(self, texts):
        import numpy as np

        return np.ones((len(texts), 1), dtype=np.float32)


def test_other_words_of_the_same_meaning_are_supported_where_an_embedder_says_so():
    source = [passage("Because of energy prices, costs rose in spring.")]
    claim = "Costs rose in spring because of energy prices, all over the country and fast."
    assert judge(claim, source).verdict == "partly"
    assert judge(claim, source, SameMeaning()).verdict == "supported"


@pytest.mark.parametrize(
    ("claim", "source"),
    [
        ("The firm supports the plan.", "The firm rejects the plan."),
        ("Die Firma kennt den Plan.", "Die Firma verwirft den Plan."),
        ("Le conseil examine tout.", "Le conseil soutient tout."),
    ],
)
def test_vectors_do_not_make_one_word_of_another(claim, source):
    assert judge(claim, [passage(source)], SameMeaning()).verdict != "supported"


@pytest.mark.parametrize(
    ("claim", "source", "verdict"),
    [
        ("Die Frist beginnt am Freitag.", "Die Frist beginnt am Montag.", "unsupported"),
        ("La r\u00e9union a lieu le jeudi.", "La r\u00e9union a lieu le lundi.", "unsupported"),
        ("Der Beitrag wird monatlich f\u00e4llig.", "Der Beitrag wird j\u00e4hrlich f\u00e4llig.", "unsupported"),
        ("El inquilino debe pagar los gastos.", "El inquilino puede pagar los gastos.", "unsupported"),
        ("La garanzia esclude i danni da acqua.", "La garanzia copre i danni da acqua.", "unsupported"),
        ("The offer is valid since 5 May.", "The offer is valid until 5 May.", "unsupported"),
        ("Der Laden ist ge\u00f6ffnet.", "Der Laden ist noch ge\u00f6ffnet.", "supported"),
        ("Ausnahmen von dieser Regel gibt es nicht.", "Es gibt keine Ausnahmen von dieser Regel.", "supported"),
        ("La entrega se hizo el 4 de mayo.", "No obstante, la entrega se hizo el 4 de mayo.", "supported"),
        ("Die Sitzung beginnt um 14:00 Uhr.", "Die Sitzung beginnt um 14 Uhr.", "supported"),
        ("The meeting begins at 14:00.", "The meeting begins at 14:30.", "unsupported"),
        ("The meeting begins at 14:30.", "The meeting begins at 14:00.", "unsupported"),
        ("Die Sitzung beginnt um 14 Uhr.", "Die Sitzung beginnt um 14:45 Uhr.", "unsupported"),
        ("The meeting begins at 9:05.", "The meeting begins at 09:05.", "supported"),
        (
            "Bis zum 31.12. kann der Antrag gestellt werden.",
            "Der Antrag kann bis zum 31. Dezember gestellt werden.",
            "supported",
        ),
        ("La tasa es del 3,5 por ciento.", "La tasa es del 3,5 %.", "supported"),
    ],
)
def test_days_periods_duties_and_other_ways_to_say_the_same(claim, source, verdict):
    assert judge(claim, [passage(source)]).verdict == verdict


class Reads:
    def __init__(self, verdict: str) -> None:
        self.verdict = verdict

    def read(self, proof, claim):
        return self.verdict


def test_an_entailment_model_supports_other_words_and_sees_contradictions_but_excuses_no_wrong_number():
    claim = "Costs went up due to energy prices."
    assert judge(claim, [passage()], entailment=Reads("entailment")).verdict == "supported"
    assert judge("Revenue grew 12% in 2023.", [passage()], entailment=Reads("contradiction")).verdict == "unsupported"
    assert judge("Revenue grew 13% in 2023.", [passage()], entailment=Reads("entailment")).verdict == "unsupported"


@given(st.text(max_size=80), st.text(max_size=200))
def test_any_texts_get_a_verdict_and_quotes_are_words_of_the_passage(claim, text):
    found = judge(claim, [passage(text)])
    assert all(text[line.start : line.end] == line.text for line in found.lines)
    assert bool(found.reason) == (found.verdict != "supported")


NAMES = st.sampled_from(["Alder", "Birch", "Cedar", "Dogwood", "Elm", "Fir"])


@given(NAMES, NAMES, st.integers(13, 9999), st.integers(13, 9999))
def test_a_number_or_name_is_supported_only_where_it_is_the_sources(name, other, number, wrong):
    source = passage(f"The station at {name} pumped {number} litres of water in the first week.", title="")
    claim = "The station at {} pumped {} litres of water in the first week."
    assert (judge(claim.format(other, number), [source]).verdict == "supported") is (other == name)
    assert (judge(claim.format(name, wrong), [source]).verdict == "supported") is (wrong == number)
