"""Tests verdicts by language: without data for its language, a sentence is never called supported."""

from __future__ import annotations

import io

import pytest
from rich.console import Console

from app.cli.output import print_answer
from app.grounding.verifier import Verifier
from app.models import Answer, Passage, Sentence
from app.text.language_data import LANGUAGES, language_data_of
from app.text.language_detection import claim_languages, detect_language
from app.text.tokens import tokenize
from bench.answers.languages import HALVES, measured, share

ENGLISH = (
    "The office opens at 9:10 on weekdays. Visitors report at reception. The bill of 3 March 2024 is 1,234.50 dollars."
)
SWEDISH = "Kontoret är inte öppet på söndagar. Avgiften är 250 kronor per månad och betalas den 3 mars."


def verified(sentence: str, source: str) -> Sentence:
    passage = Passage(1, "/docs/a.md", "v", "", None, (), 0, len(source), source, 1.0)
    [found] = Verifier().verify(f"{sentence} [1]", {1: passage}, [passage]).sentences
    return found


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        ("Das Tor ist am Sonntag nicht geöffnet.", "Das Tor ist am Sonntag geöffnet."),
        ("Der Gewinn ist in dem Jahr gestiegen.", "Der Gewinn ist in dem Jahr gesunken."),
        ("Die Jury hat sechs Mitglieder.", "Die Jury hat drei Mitglieder."),
        ("Die Halle misst 1.200 Meter und ist neu.", "Die Halle misst 1.200 Kilometer und ist neu."),
        ("Le portail n'est pas ouvert le dimanche.", "Le portail est ouvert le dimanche."),
        ("Le bénéfice a augmenté dans cette région.", "Le bénéfice a diminué dans cette région."),
        ("La puerta no se abre los domingos.", "La puerta se abre los domingos."),
        ("El jurado se reúne en marzo con los socios.", "El jurado se reúne en mayo con los socios."),
        ("Il cancello non è aperto la domenica.", "Il cancello è aperto la domenica."),
        ("O portão não está aberto ao domingo.", "O portão está aberto ao domingo."),
        ("De poort is op zondag niet open.", "De poort is op zondag open."),
        ("Ворота не открыты в воскресенье.", "Ворота открыты в воскресенье."),
        ("Прибыль в этом году выросла.", "Прибыль в этом году снизилась."),
    ],
)
def test_a_sentence_that_says_something_else_is_flagged_in_its_language(source, changed):
    assert verified(source, source).verdict == "supported"
    assert verified(changed, source).verdict in {"unsupported", "partly"}


@pytest.mark.parametrize("name", [name for name in LANGUAGES if name != "english"])
@pytest.mark.parametrize("half", HALVES)
def test_changes_are_flagged_and_paraphrases_are_not(name, half):
    counts = measured(Verifier(), (name,))
    flagged, total = share(counts, name, half, changed=True)
    assert flagged >= 0.9 * total
    flagged, total = share(counts, name, half, changed=False)
    assert flagged <= 0.1 * total


@pytest.mark.parametrize(
    ("answer", "verdict"),
    [
        ("Das Büro öffnet werktags um 9:10 Uhr.", "not checked"),
        ("Die Rechnung vom 3. März 2024 beträgt 1.234,50 Dollar.", "not checked"),
        ("Besucher melden sich am Empfang.", "not checked"),
        ("Le bureau ouvre à 9:10 en semaine.", "not checked"),
        ("Das Büro öffnet werktags um 9:20 Uhr.", "partly"),
        ("Die Rechnung vom 3. Mai 2024 beträgt 1.234,50 Dollar.", "partly"),
        ("Die Rechnung vom 3. März 2024 ist von Frau Petersen.", "partly"),
    ],
)
def test_an_answer_in_another_language_than_its_source_is_checked_by_its_facts_alone(answer, verdict):
    found = verified(answer, ENGLISH)
    assert found.verdict == verdict
    if verdict == "not checked":
        assert found.citations == (1,)
        assert found.supported is None
        assert "not in the language of its source" in found.reason


@pytest.mark.parametrize(
    ("source", "changed"),
    [
        (SWEDISH, "Kontoret är öppet på söndagar."),
        ("Biuro nie jest otwarte w niedziele.", "Biuro jest otwarte w niedziele."),
        ("Prisen er ikke steget i år.", "Prisen er steget i år."),
        ("Το γραφείο δεν ανοίγει την Κυριακή.", "Το γραφείο ανοίγει την Κυριακή."),
        ("办公室星期日不开放。", "办公室星期日开放。"),
    ],
)
def test_a_language_without_data_is_never_called_supported_for_its_words(source, changed):
    found = verified(changed, source)
    assert (found.verdict, found.citations) == ("not checked", (1,))


def test_in_a_language_without_data_quotes_are_supported_and_wrong_figures_flagged():
    assert verified("Kontoret är inte öppet på söndagar.", SWEDISH).verdict == "supported"
    assert verified("Avgiften är 300 kronor per månad.", SWEDISH).verdict == "partly"


@pytest.mark.parametrize(
    ("name", "one", "other"),
    [
        ("german", "am 3. März 2024", "03.03.2024"),
        ("german", "1.234,50 Euro", "1 234,5 €"),
        ("german", "einundzwanzig Tage", "21 Tage"),
        ("french", "le 3 mars 2024", "le 03/03/2024"),
        ("spanish", "el 3 de marzo de 2024", "2024-03-03"),
        ("russian", "в марте 2024 года", "март 2024 года"),
        ("english", "3 March 2024", "2024-03-03"),
    ],
)
def test_figures_and_dates_written_differently_are_the_same(name, one, other):
    ours, theirs = (
        {
            (w.term, w.unit.replace("year", ""))
            for w in tokenize(text, language_data_of(name))
            if w.kind in {"number", "month"}
        }
        for text in (one, other)
    )
    assert ours == theirs


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Der Preis ist nach dem Jahr gestiegen.", "german"),
        ("The price rose after that year.", "english"),
        ("Priset har stigit och det är inte bra.", "other"),
        ("Цены выросли на десять процентов.", "russian"),
        ("Ціни не зросли, але їх змінили.", "other"),
        ("ราคาไม่ได้เพิ่มขึ้น", "other"),
        ("XR-200 12 mm", ""),
    ],
)
def test_the_language_of_a_text_is_detected_by_its_common_words(text, expected):
    assert detect_language(text) == expected


def test_a_sentence_without_a_detectable_language_gets_that_of_its_source():
    assert claim_languages("Peter Holm", ["The office is led by Ann Lee."]) == ("english", "english")


def test_all_nouns_have_capitals_in_german_and_are_no_names():
    words = tokenize("Der Bericht über den Vertrag stammt von Martina Holm.", language_data_of("german"))
    assert [word.term for word in words if word.kind == "name"] == ["martina", "holm"]


def test_an_unchecked_sentence_is_reported_on_the_terminal():
    sentence = verified("Besucher melden sich am Empfang.", ENGLISH)
    answer = Answer("Wo?", "Wo?", sentence.text, False, "model", (sentence,), ())
    console = Console(file=io.StringIO(), width=200)
    print_answer([answer], console)
    assert "not checked  “Besucher melden sich am Empfang.” it is not in the language" in console.file.getvalue()
