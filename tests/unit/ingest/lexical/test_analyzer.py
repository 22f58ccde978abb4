"""Tests the terms of a text: numbers, technical words and their parts, in any spelling."""

from __future__ import annotations

import re
import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ingest.lexical.analyzer import IN_SPACELESS, UNSEEN, spelled_out, terms_of
from ingest.lexical.store import LexicalStore
from ingest.lexical.writer import LexicalEntry


def terms(text: str) -> list[str]:
    return terms_of(spelled_out(text))


def store_of(folder, *texts: str, names=()) -> LexicalStore:
    """Each text as a chunk of its own version; its id is its place."""
    store = LexicalStore(folder / "index")
    with store.writing() as writer:
        named = [*names, *[""] * (len(texts) - len(names))]
        writer.add([LexicalEntry(str(i), str(i), text, "", named[i]) for i, text in enumerate(texts)])
        writer.commit()
    return store


def found(store: LexicalStore, question: str) -> list[int]:
    return [int(chunk_id) for chunk_id, _ in store.search(question, 10)]


@pytest.mark.parametrize(
    "text",
    ["maxRetryCount", "MaxRetryCount", "max_retry_count", "max-retry-count", "max.retry.count", "MAX_RETRY_COUNT"],
)
def test_an_identifier_has_its_parts_and_one_form_of_the_whole(text):
    assert {"max", "retri", "count", "max_retry_count"} <= set(terms(text))


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("HTTPServer2", {"httpserver2", "http", "server", "http_server_2"}),
        ("parseXMLDocument()", {"parsexmldocu", "xml", "document", "parse_xml_docu"}),
        ("os.path.join", {"os", "path", "join", "os_path_join"}),
        ("python3", {"python3", "python", "python_3"}),
        ("Python3.11", {"python", "3.11"}),
        ("größeWert", {"grossewert", "gross", "wert", "grosse_wert"}),
    ],
)
def test_words_with_humps_dots_and_numbers_are_taken_apart(text, wanted):
    assert wanted <= set(terms(text))


@pytest.mark.parametrize("text", ["well", "it's", "apple", "plain", "__init__", "NASA", "2019"])
def test_a_plain_word_is_one_term(text):
    assert spelled_out(text) == text


def test_a_number_with_a_point_is_one_term_and_no_others():
    assert terms("3.5") == ["3.5"]
    assert terms("1,234.5") == ["1234.5"]
    assert terms("p<0.05.") == ["p", "0.05"]
    assert terms("v1.2.3") == ["1.2.3", "1.2"]
    assert terms("192.168.0.1") == ["192.168.0.1", "192.168", "192.168.0"]


SAME = [
    ("10GB", "10 GB", "10_gb"),
    ("10 GB", "10 gb", "10_gb"),
    ("5mg/kg", "5 mg/kg", "5_mg_kg"),
    ("5 µg", "5 \u03bcg", "5_ug"),
    ("3.5%", "3.5 %", "3_5_perc"),
    ("20°C", "20 °C", "20_celsius"),
    ("ISO 9001", "ISO-9001", "iso_9001"),
    ("ISO9001", "ISO 9001", "iso_9001"),
    ("§12.3", "§ 12.3", "paragraph_12_3"),
    ("2021-05-03", "2021/05/03", "2021_05_03"),
    ("2021.05.03", "2021-05-03", "2021_05_03"),
    ("AB-123/45", "ab-123/45", "ab_123_45"),
    ("COVID-19", "COVID19", "covid_19"),
]


@pytest.mark.parametrize(("one", "other", "form"), SAME, ids=[one for one, _, _ in SAME])
def test_two_spellings_of_one_thing_share_a_term(one, other, form):
    shared = {term for term in terms(one) if "_" in term} & {term for term in terms(other) if "_" in term}
    assert any(term.startswith(form) for term in shared), (terms(one), terms(other))


def test_the_parts_of_a_date_are_found_too():
    for date in ("2021-05-03", "03.05.2021"):
        assert {"2021", "05", "03"} <= set(terms(date))


def test_an_identifier_is_found_by_its_parts_and_better_by_the_whole(tmp_path):
    store = store_of(
        tmp_path,
        "Call parseHttpRequest before the socket closes.",
        "A request over http that we parse by hand, one by one.",
        "The weather is fine.",
        "set max_retry_count to three",
    )
    assert set(found(store, "how to parse a http request")) == {0, 1}
    assert found(store, "parseHttpRequest")[0] == 0
    assert found(store, "parse_http_request")[0] == 0
    assert found(store, "maxRetryCount") == [3]
    assert found(store, "retry") == [3]


def test_a_number_does_not_match_its_digits_scattered(tmp_path):
    store = store_of(tmp_path, "Section 3 has 5 rules, and 5 times 3 more: 3, 5.", "The limit is 3.5 percent.", "v13.5")
    assert found(store, "3.5") == [1]
    assert found(store, "What is the limit of 3.5?")[0] == 1
    assert found(store, "5") == [0]


def test_a_quantity_is_found_before_its_number_and_its_unit_apart(tmp_path):
    store = store_of(
        tmp_path, "It has 10 disks, each of 500 GB and of 10 years.", "The cache takes 10GB.", "10 days, in GB"
    )
    assert found(store, "10 GB")[0] == 1
    store = store_of(tmp_path / "2", "of 5 rats, 7 mg of it for a kg and a mg", "The dose was 5 mg/kg daily.")
    assert found(store, "5 mg/kg")[0] == 1


def test_a_part_number_is_found_before_its_pieces(tmp_path):
    store = store_of(tmp_path, "AB 45 and 123 and AB again, 123 45", "Order part AB-123/45 only.", "AB-123/46")
    assert found(store, "AB-123/45")[0] == 1
    assert found(store, "ab-123/45")[0] == 1


def test_the_name_of_a_file_is_found_by_its_parts(tmp_path):
    store = store_of(tmp_path, "nothing", "nothing else", names=("HttpServer_setup.md", "other.md"))
    assert found(store, "server setup") == [0]


@given(st.text(max_size=300))
def test_any_text_is_spelled_out_alike_again_and_again_and_keeps_its_own_words(text):
    once = spelled_out(text)
    assert once == spelled_out(text)
    assert len(once) <= 8 * len(text) + 2
    own = IN_SPACELESS.sub(" ", unicodedata.normalize("NFC", text).translate(UNSEEN))
    assert set(re.findall(r"[^\W\d_]{2,}", own)) <= set(re.findall(r"[^\W\d_]{2,}", once))


@pytest.mark.parametrize(
    "text",
    [
        "a." * 50_000,
        "aB" * 50_000,
        "1." * 50_000,
        "1" * 100_000,
        "a_" * 50_000,
        "A" * 100_000,
        "5 mg/" * 20_000,
        "§1." * 30_000,
    ],
    ids=lambda text: text[:5],
)
def test_hostile_chains_take_no_time_and_add_little(text, tmp_path):
    began = time.process_time()
    spelled = spelled_out(text)
    assert time.process_time() - began < 2
    assert len(spelled) <= 2 * len(text)


@pytest.mark.parametrize("text", ["większość", "élő", "Iğdır", "čeština", "Việt", "łódź", "ŻÓŁĆ", "straße"])
def test_letters_of_no_english_word_are_no_border_in_a_word(text):
    assert spelled_out(text) == text


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("İstanbul", "istanbul"),
        ("cafe\u0301", "café"),
        ("love \u2764\ufe0f", "love"),
        ("1\ufe0f\u20e3", "1"),
    ],
)
def test_equivalent_spellings_have_the_same_terms(one, other):
    assert terms(one) == terms(other)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("使用GPT-4模型", {"gpt_4", "模", "型"}),
        ("使用GPT4模型", {"gpt_4", "gpt4"}),
        ("内存10GB以上", {"10_gb", "内", "以"}),
        ("東京タワー2024年", {"2024", "年", "ー"}),
        ("ราคา3.5บาท", {"3.5"}),
    ],
)
def test_technical_words_in_a_text_without_spaces_are_those_of_a_text_with_them(text, wanted):
    assert wanted <= set(terms(text))
    assert not [term for term in terms(text) if term.startswith("_") or term.endswith("_")]


def test_a_number_of_very_many_parts_has_few_terms():
    assert len(terms(".".join(["7"] * 60))) < 10
