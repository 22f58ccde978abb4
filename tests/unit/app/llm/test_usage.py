"""Tests usage and waits: token counts are as reported, and waits are bounded."""

from __future__ import annotations

import pytest

from app.llm.usage import MOST_RETRIES, Spending, total
from app.models import Usage, Waiting
from app.wording import usage_words, waiting_words


@pytest.mark.parametrize(
    ("cost", "said"),
    [
        (None, ""),
        (0.0, ", $0.00"),
        (0.000423, ", $0.00042"),
        (0.1, ", $0.10"),
        (2.345, ", $2.35"),
        (1234.5, ", $1,234.50"),
    ],
)
def test_a_cost_is_shown_with_its_significant_digits(cost, said):
    assert usage_words(Usage(1234, 56, cost)) == f"1,234 tokens read, 56 written{said}"


def test_a_conversation_sums_the_known_token_counts():
    assert total([None, Usage(10, 2, 0.5), Usage(5, 1, 0.25)]) == Usage(15, 3, 0.75)
    assert total([Usage(10, 2, 0.5), Usage(5, 1)]) == Usage(15, 3)
    assert total([None]) is None
    assert total([]) is None


@pytest.mark.parametrize("prices", [{}, {"llm_input_price": 2.0}, {"llm_output_price": 2.0}])
def test_without_both_prices_there_is_no_cost(settings, prices):
    spending = Spending()
    spending.book({"input_tokens": 7, "output_tokens": 3, "total_tokens": 10})
    assert spending.usage(settings.model_copy(update=prices)) == Usage(7, 3)


def test_a_price_of_nothing_costs_nothing(settings):
    spending = Spending()
    spending.book({"input_tokens": 7, "output_tokens": 3, "total_tokens": 10})
    assert spending.usage(settings.model_copy(update={"llm_input_price": 0.0, "llm_output_price": 0.0})).cost == 0.0


def test_waits_are_bounded_in_number_and_in_sum():
    spending = Spending()
    assert [spending.wait(None, 60) for _ in range(MOST_RETRIES + 1)] == [2.0, 4.0, 8.0, None]
    assert Spending().wait(61.0, 60) is None
    shared = Spending()
    assert [shared.wait(25.0, 60) for _ in range(3)] == [25.0, 25.0, None]
    assert Spending().wait(None, 0) is None


def test_a_wait_is_shown_in_whole_seconds():
    assert waiting_words(Waiting("Busy.", 2.1)) == "Busy. Asking again in 3 s …"
    assert waiting_words(Waiting("m is at work")) == "m is at work …"
