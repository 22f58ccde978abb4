"""Sentences are found where a reader finds them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.text.language_data import LANGUAGES
from app.text.sentences import split_sentences
from bench.answers.sentence_ends import score


def split(text: str) -> list[str]:
    return [text[start:end] for start, end in split_sentences(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("One is here. Two is there! Is three? Yes.", ["One is here.", "Two is there!", "Is three?", "Yes."]),
        (
            "It grew by 3.5 percent, e.g. in the U.S. market. Then it fell.",
            ["It grew by 3.5 percent, e.g. in the U.S. market.", "Then it fell."],
        ),
        ("See Fig. 3 and Dr. Smith. Done.", ["See Fig. 3 and Dr. Smith.", "Done."]),
        ("He moved to the U.S. The rest stayed.", ["He moved to the U.S.", "The rest stayed."]),
        ("He said “Stop.” Then he left.", ["He said “Stop.”", "Then he left."]),
        ("# Title\nBody text.", ["# Title", "Body text."]),
        ("- first item\n- second item. With two.", ["- first item", "- second item.", "With two."]),
        ("1. Do this.\n2. Do that.", ["1. Do this.", "2. Do that."]),
        ("| a | b |\n| --- | --- |\n| 1. x | 2 |", ["| a | b |", "| --- | --- |", "| 1. x | 2 |"]),
        ("これは文です。次の文です。", ["これは文です。", "次の文です。"]),
        ("Claim one. [1] Claim two [2][3]. End", ["Claim one. [1]", "Claim two [2][3].", "End"]),
        (
            "A line that was wrapped by somebody at this width\nand goes on here. Next.",
            ["A line that was wrapped by somebody at this width\nand goes on here.", "Next."],
        ),
        (
            "Net sales of all products in the quarter $ 94,036 $ 85,777\nCost of sales 50,318 46,099",
            ["Net sales of all products in the quarter $ 94,036 $ 85,777", "Cost of sales 50,318 46,099"],
        ),
        ("```\na. B. C\n\nd\n```\nAfter it.", ["```\na. B. C\n\nd\n```", "After it."]),
        ("", []),
        (" \n ", []),
    ],
)
def test_sentences_of(text, expected):
    assert split(text) == expected


@pytest.mark.parametrize(
    "sentence",
    [
        "Der Lift Nr. 3 in der Lindenstr. 12 ist gem. Bericht v. 12. März 2025 sicher",
        "Die Abfuhr erfolgt nach Abs. 4 jeden 2. Mittwoch, z. B. im Hof",
        "Frau Dr. Kern in Zi. 21 im 3. Stock zahlte 5 Mio. Euro",
        "La Sra. Ana Gil y el Dr. Pablo Ruiz cobran según el art. 9 inc. 2 de la ley",
        "M. Dupont et Mme. Leroy renvoient à l'art. 5 al. 2 du bail",
        "Il dott. Neri e la sig.ra Verdi citano l'art. 7 della legge",
        "O Sr. Gomes e a Dra. Reis moram na Av. Central 8 da cidade",
        "Dhr. Bakker en mevr. De Wit wonen bijv. Aan de Stationsstr. 4 in Gent",
        "Завод на ул. Садовой, д. 5 открыт в 2020 г. Тверской компанией, т. е. давно",
        "Schůze se koná 31. března 2024 podle čl. 5 a č. 7 řádu",
    ],
)
def test_abbreviations_ordinals_and_dates_of_other_languages_end_no_sentence(sentence):
    assert split(f"{sentence}. 50 km.") == [f"{sentence}.", "50 km."]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "Der Umsatz stieg 2024 auf 5 Mio. Die Kosten sanken.",
            ["Der Umsatz stieg 2024 auf 5 Mio.", "Die Kosten sanken."],
        ),
        ("Dijo que no. Luego se fue de la casa.", ["Dijo que no.", "Luego se fue de la casa."]),
        ("Er sagte: „Das geht nicht.“ Dann ging er.", ["Er sagte: „Das geht nicht.“", "Dann ging er."]),
        ("« C'est la fin. » Puis il part.", ["« C'est la fin. »", "Puis il part."]),
        ("Книга вышла в 2020 г. Она есть в библиотеке.", ["Книга вышла в 2020 г.", "Она есть в библиотеке."]),
    ],
)
def test_a_sentence_may_begin_after_an_abbreviation(text, expected):
    assert split(text) == expected


def test_the_language_of_each_paragraph_is_detected():
    text = "The lift is on the left. See it.\n\nDer Lift ist nach der Nr. 5 der Liste im 2. Stock. Er steht."
    assert split(text)[2:] == ["Der Lift ist nach der Nr. 5 der Liste im 2. Stock.", "Er steht."]


@pytest.mark.parametrize("language", LANGUAGES)
def test_sentences_of_each_language_are_found_as_a_reader_finds_them(language):
    found, wanted = map(sum, zip(*(score(language, which, split_sentences) for which in (0, 1)), strict=True))
    assert found >= 0.97 * wanted


@pytest.mark.timeout(60)
@pytest.mark.parametrize(
    "piece", [".", "\n", "`", "```\n", ".\n", "A. ", "。【1", ". [1", ".'", "! >", " ", "Nr. 5 ", ". »"]
)
def test_long_rows_of_one_mark_take_linear_time(piece):
    text = piece * (200_000 // len(piece))
    assert all(start < end for start, end in split_sentences(text))


@given(st.text(alphabet="aB .!?\n1[]|#-`。äД«»„“", max_size=200))
def test_every_word_is_in_just_one_sentence(text):
    at = 0
    for start, end in split_sentences(text):
        assert at <= start < end
        assert not text[at:start].strip()
        assert text[start:end] == text[start:end].strip()
        at = end
    assert not text[at:].strip()
