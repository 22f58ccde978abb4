"""Tests identifiers: distinguished from amounts, dates and quantities, and compared in any spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.answering.identifier_lookup import Entries, named
from app.models import Passage
from app.text.identifiers import (
    Identifier,
    contains_identifier,
    find_identifiers,
    nearest_identifiers,
    normalized_identifier,
)


def passage(n: int, text: str, *, document: str = "", title: str = "", heading: tuple[str, ...] = ()) -> Passage:
    return Passage(n, document or f"/docs/{n}.md", f"v{document or n}", title, None, heading, 0, len(text), text, 1 / n)


def found(text: str) -> list[str]:
    return [one.text for one in find_identifiers(text)]


@pytest.mark.parametrize(
    ("question", "names"),
    [
        ("What does article 7.2.1 say?", ["7.2.1"]),
        ("Was kostet Artikel 81-2040?", ["81-2040"]),
        ("Who paid bill RE-2025/0117?", ["RE-2025/0117"]),
        ("型号GX-310C的价格", ["GX-310C"]),
        ("Whose number is +49 421 5550 123?", ["+49 421 5550 123"]),
        ("What is in minutes_may.docx?", ["minutes_may.docx"]),
        ("What does “liquidated damages” mean?", ["liquidated damages"]),
        ("What does clause 4.2 say?", ["4.2"]),
        ("What is § 12 about?", ["12"]),
        ("Which customer has number 4482910?", ["4482910"]),
    ],
)
def test_a_word_that_names_one_thing_is_an_identifier(question, names):
    assert found(question) == names


@pytest.mark.parametrize(
    "question",
    [
        "How much was sold in 2022, and in 2021/22?",
        "Is 3.5 % of $1,234.50 or 10GB too much at 5mg/kg?",
        "What happened on 2021-05-03 and on 3.5.2021 at 08:25?",
        "Who was 1st, with a 12-month contract and a 50/50 share?",
        "Does IL-6 rise?",
        'Is this "the best of all the plans that there are"?',
        'What colour is <img src="apples.svg" alt="a red one">?',
        "",
    ],
)
def test_amounts_dates_times_and_long_quotations_are_none(question):
    assert found(question) == []


def test_strings_in_quotation_marks_of_any_kind_are_found():
    assert found('What do "pump 77" and \u201eKupfer Welle\u201c say?') == ["pump 77", "Kupfer Welle"]


def test_an_identifier_is_found_however_its_case_and_marks_are_written():
    wanted = find_identifiers("Is INV-2024-1155 paid?")[0]
    assert contains_identifier("invoice inv-2024/1155 is paid", wanted)
    assert not contains_identifier("INV-2024-1156", wanted)
    assert not contains_identifier("INV-2024-11550", wanted)
    assert normalized_identifier("1.11") != normalized_identifier("11.1")


def test_the_nearest_identifiers_that_exist_are_of_its_kind():
    texts = ["Model KT-900 and model KT-910 weigh 31 kg.", "Call 5550 in 2024."]
    assert set(nearest_identifiers(find_identifiers("How heavy is KT-901?")[0], texts)) == {"KT-900", "KT-910"}


CODE = "Rule 1.2.1: Ropes are checked daily.\n\nRule 1.2.2: Hooks are checked weekly.\n\nRule 1.2.3: Nets are washed."


def entry(passages: list[Passage], question: str) -> list[str]:
    entries = Entries.of(passages, find_identifiers(question))
    return [p.text[a:b].strip() for p in passages for a, b in entries.spans.get(p.n, ())]


def test_an_entry_ends_where_the_next_thing_of_its_kind_is_named():
    assert entry([passage(1, CODE)], "What does rule 1.2.2 say?") == ["Rule 1.2.2: Hooks are checked weekly."]


def test_a_row_is_an_entry_about_the_thing_it_names():
    rows = "| Part | Price |\n| --- | --- |\n| 81-2040 | 12 |\n| 81-2041 | 13 |"
    assert entry([passage(1, rows)], "What is the price of 81-2040?") == ["| 81-2040 | 12 |"]


def test_a_section_is_about_the_thing_its_heading_names():
    sections = [
        passage(1, "It weighs 31 kg.", document="/docs/a.md", heading=("Model KT-900",)),
        passage(2, "It weighs 12 kg.", document="/docs/a.md", heading=("Model KT-910",)),
    ]
    assert entry(sections, "How heavy is KT-900?") == ["It weighs 31 kg."]


def test_a_document_that_names_nothing_else_of_the_kind_belongs_to_it_as_a_whole():
    bill = "Bill number: RE-0117\nOrder: PO-88\nTotal due: 1,057.20"
    other = "Bill number: RE-0118\nTotal due: 9.10"
    passages = [passage(1, bill), passage(2, other)]
    assert entry(passages, "What is the total of RE-0117?") == [bill]


def test_an_identifier_may_be_part_of_a_file_name():
    wanted = find_identifiers("What is in GX-310C?")
    assert named([passage(1, "Weight 4 kg.", document="/docs/GX-310C.md")], wanted)
    assert not named([passage(1, "Weight 4 kg.", document="/docs/GX-310D.md")], wanted)
    assert not named([passage(1, "Weight 4 kg.")], [])


@given(st.text(max_size=200))
def test_any_text_has_places_of_its_own_as_identifiers(text):
    for one in find_identifiers(text):
        assert one == Identifier(text[one.start : one.end].strip() or one.text, one.start, one.end, one.label)
        assert one.text in text
