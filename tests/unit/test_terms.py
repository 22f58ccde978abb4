"""Terms and numbers, as searches and quotes compare them."""

from __future__ import annotations

from app import terms


def test_inflected_words_share_a_term_and_stop_words_have_none():
    assert terms.content_terms("The engines were running") == terms.content_terms("an engine runs")
    assert terms.content_terms("what is it that they do") == set()


def test_numbers_are_compared_by_value():
    assert terms.numbers("$1,234.50 and 12%") == terms.numbers("1234.5, 12 percent")
    assert terms.numbers("0.5") != terms.numbers("5")


def test_small_numbers_in_words_are_numbers():
    assert terms.content_terms("eight weeks") == terms.content_terms("8 weeks")


def test_scripts_without_spaces_are_compared_by_character():
    assert terms.content_terms("東京都") & terms.content_terms("東京")
