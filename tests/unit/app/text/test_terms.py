"""Terms and numbers, as searches and quotes compare them."""

from __future__ import annotations

from app.text.terms import content_terms, numbers_in


def test_inflected_words_share_a_term_and_stop_words_have_none():
    assert content_terms("The engines were running") == content_terms("an engine runs")
    assert content_terms("what is it that they do") == set()


def test_numbers_are_compared_by_value():
    assert numbers_in("$1,234.50 and 12%") == numbers_in("1234.5, 12 percent")
    assert numbers_in("0.5") != numbers_in("5")


def test_small_numbers_in_words_are_numbers():
    assert content_terms("eight weeks") == content_terms("8 weeks")


def test_scripts_without_spaces_are_compared_by_character():
    assert content_terms("東京都") & content_terms("東京")
