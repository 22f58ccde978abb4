"""Tests the detection of languages, and that inflected words are found."""

from __future__ import annotations

import pytest

from ingest.lexical.files import made_with
from ingest.lexical.store import LexicalStore
from ingest.lexical.writer import LexicalEntry
from ingest.text.languages import COMMON_WORDS, LANGUAGES, asked_in, language_of

PASSAGES = {
    "german": "Die Kündigungsfristen der Verträge sind in der Anlage geregelt. Sie werden nach dem Ende des Jahres "
    "von der Firma in Bremen geprüft und können nicht ohne Zustimmung geändert werden.",
    "french": "Les employés peuvent demander des congés dans les trois mois qui suivent leur embauche. La "
    "résiliation du contrat est notifiée par écrit à l'entreprise, sauf pour ceux qui sont en formation.",
    "spanish": "Los empleados pueden pedir las vacaciones con un mes de antelación. La empresa no está obligada a "
    "pagar las horas que se trabajan sin las autorizaciones de los responsables.",
    "italian": "I dipendenti possono chiedere le ferie con un mese di anticipo. La società non è obbligata a pagare "
    "le ore che sono lavorate senza le autorizzazioni dei responsabili della sede.",
    "portuguese": "Os funcionários podem pedir as férias com um mês de antecedência. A empresa não é obrigada a pagar "
    "as horas que são trabalhadas sem as notificações dos responsáveis pela sede.",
    "dutch": "De werknemers kunnen hun vakantie een maand van tevoren aanvragen. De opzegtermijnen van het "
    "contract zijn in de bijlage geregeld en worden niet zonder toestemming gewijzigd.",
    "russian": "Сотрудники могут взять отпуск в течение года, если они не были на больничном. Договоры с компанией "
    "заключаются на один год, и уведомления о них отправляются по почте.",
    "arabic": "يحق للموظف العمل من المنزل ثلاثة أيام في الأسبوع، ويجب إعادة الحاسوب خلال أسبوعين من نهاية العقد.",
    "hebrew": "העובד זכאי לחופשה של שלושה שבועות בשנה, ועליו להחזיר את המחשב בתוך שבועיים מסיום החוזה.",
    "english": "The employees may ask for their holidays a month before they start. The notice period of the "
    "contract is in the annex, and it is not changed without the consent of all who signed it.",
}
ASKED = {
    "german": ("Welche Kündigungsfrist hat der Vertrag?", "Kündigungsfrist"),
    "french": ("Comment demander un congé pour un employé ?", "résiliations"),
    "spanish": ("¿Qué autorización necesita un empleado?", "autorización"),
    "italian": ("Quale autorizzazione serve per le ore?", "autorizzazione"),
    "portuguese": ("Qual é a notificação para o funcionário?", "notificação"),
    "dutch": ("Wat is de opzegtermijn van het contract?", "opzegtermijn"),
    "russian": ("Где есть договор и что это за уведомление?", "уведомление"),
    "arabic": ("متى يعيد الموظف الحاسوب؟", "الحاسوب"),
    "hebrew": ("מתי מחזירים את המחשב?", "מחשב"),
    "english": ("What holiday may an employee ask for?", "employee"),
}


@pytest.fixture
def store(tmp_path):
    """A passage of each language, under its name."""
    store = LexicalStore(tmp_path / "index")
    with store.writing() as writer:
        writer.add([LexicalEntry(name, name, text, "", "") for name, text in PASSAGES.items()])
        writer.commit()
    return store


@pytest.mark.parametrize("language", PASSAGES)
def test_the_language_of_passages_and_questions_is_detected(language):
    assert language_of(PASSAGES[language]) == language
    assert asked_in(ASKED[language][0], LANGUAGES) == language


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Kündigungsfrist",
        "def parse(request): return request.body",
        "Müller, J., Schmidt, A. and Le Roux, M., 2019",
        "12 34 56",
        "Die hard 4 was a hit in a small town, as he is so able to die.",
        PASSAGES["german"][:60] + PASSAGES["english"][:80] + PASSAGES["french"][:60],
    ],
)
def test_an_ambiguous_text_has_no_language(text):
    assert language_of(text) in {"", "english"}


@pytest.mark.parametrize("language", PASSAGES)
def test_an_inflected_word_is_found_by_another_form_of_it(store, language):
    for question in ASKED[language]:
        assert store.search(question, 5)[0][0] == language


def test_a_question_of_another_language_finds_names_as_they_are_written(store):
    assert store.search("What is there about the company in Bremen?", 5)[0][0] == "german"


def test_the_common_words_of_its_language_are_no_terms_of_a_question(store):
    assert store.terms("Was ist die Kündigungsfrist der Verträge?") == [
        "kundigungsfrist",
        "vertrag",
        "german.kundigungsfrist",
        "german.vertrag",
    ]
    assert store.terms("Wer ist das?")  # there is nothing else


def test_an_index_of_english_alone_is_asked_for_english_terms_alone(tmp_path):
    store = LexicalStore(tmp_path / "index")
    with store.writing() as writer:
        writer.add([LexicalEntry("1", "1", PASSAGES["english"], "", "")])
        writer.commit()
    assert made_with(store.folder).languages == {"english"}
    assert store.terms("holidays") == ["holiday"]
    assert not any("." in term for term in store.terms(PASSAGES["german"]))


def test_languages_that_come_later_are_noted_before_they_are_seen(store, tmp_path):
    assert made_with(store.folder).languages == LANGUAGES
    other = LexicalStore(tmp_path / "other")
    for name in ("english", "dutch"):
        with other.writing() as writer:
            writer.add([LexicalEntry(name, name, PASSAGES[name], "", "")])
            assert name not in made_with(other.folder).languages
            writer.commit()
    assert made_with(other.folder).languages == {"english", "dutch"}


def test_common_words_are_written_as_they_are_looked_for():
    for words in COMMON_WORDS.values():
        assert all(word == word.lower() and word.isalpha() for word in words)
