"""Words of scripts without spaces, of Arabic and of Hebrew, are found in the forms that questions and texts have."""

from __future__ import annotations

import pytest

from app.text.terms import content_terms, shared_language
from ingest.lexical.analyzer import spelled_out, terms_of
from ingest.text.scripts import light_stem, script_language, word_pieces


@pytest.mark.parametrize(
    ("question", "text"),
    [
        ("โรงงานปิดกี่โมง", "โรงงานปิดเวลา 17:00 น."),
        ("倉庫の面積はいくらですか", "倉庫の面積は 300 平方メートルです。"),
        ("仓库的面积是多少", "仓库面积为 300 平方米。"),
        ("창고의 면적은", "창고는 면적이 300이다"),
        ("ما هي مساحة المستودع؟", "مساحة مستودع الشركة 300 متر"),
        ("מה שטח המחסן?", "שטח של מחסן החברה הוא 300 מטר"),
    ],
)
def test_a_question_shares_most_of_its_terms_with_the_sentence_that_answers_it(question, text):
    language = shared_language(question, text)
    wanted = content_terms(question, language)
    assert wanted
    assert len(wanted & content_terms(text, language)) > len(wanted) / 2
    searched = {term for term in terms_of(spelled_out(question), [language]) if len(term) > 1}
    assert searched & set(terms_of(spelled_out(text), [language]))


def test_question_words_are_no_pieces():
    assert list(word_pieces("什么")) == []
    assert list(word_pieces("ใคร")) == []
    assert list(word_pieces("水")) == ["水"]


@pytest.mark.parametrize(
    ("word", "same", "language"),
    [("الإنترنت", "إنترنت", "arabic"), ("والموظف", "الموظف", "arabic"), ("העובד", "עובד", "hebrew")],
)
def test_article_and_prefixed_words_are_taken_off(word, same, language):
    assert light_stem(word, language) == light_stem(same, language)


def test_a_language_is_detected_by_its_script():
    assert script_language("متى؟") == "arabic"
    assert script_language("מתי?") == "hebrew"
    assert script_language("When? متى") == ""
    assert script_language("123") == ""
