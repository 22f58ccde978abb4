"""Puts the usage of a language model, and waits for it, into words. Pure."""

from __future__ import annotations

import math

from app.models import Usage, Waiting

# Amounts from here on are shown to the cent.
CENTS_FROM = 1.0


def usage_words(usage: Usage) -> str:
    """Returns text such as "1,234 tokens read, 56 written, $0.0004"; the cost only if known."""
    cost = "" if usage.cost is None else f", {_dollars(usage.cost)}"
    return f"{usage.input_tokens:,} tokens read, {usage.output_tokens:,} written{cost}"


def waiting_words(waiting: Waiting) -> str:
    """Returns the reason for the wait and, if known, the time left."""
    if waiting.seconds is None:
        return f"{waiting.reason} \u2026"
    return f"{waiting.reason} Asking again in {math.ceil(waiting.seconds):,} s \u2026"


def _dollars(cost: float) -> str:
    """Formats an amount to the cent, or to two significant digits below a dollar."""
    if not 0 < cost < CENTS_FROM:
        return f"${cost:,.2f}"
    whole, _, part = f"{float(f'{cost:.2g}'):.8f}".rstrip("0").partition(".")
    return f"${whole}.{part:0<2}"
