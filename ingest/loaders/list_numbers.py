"""Formats the numbers of list items as word processors and browsers show them: 4, iv, D, 04, 4th, ④."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import MappingProxyType

ROMAN = (
    (1000, "m"),
    (900, "cm"),
    (500, "d"),
    (400, "cd"),
    (100, "c"),
    (90, "xc"),
    (50, "l"),
    (40, "xl"),
    (10, "x"),
    (9, "ix"),
    (5, "v"),
    (4, "iv"),
    (1, "i"),
)
MOST_ROMAN = 4000
ALPHABET = 26
MOST_REPEATED = 30
MOST_CIRCLED = 20
CIRCLED_ONE = 0x2460
FULL_WIDTH = str.maketrans("0123456789", "".join(chr(0xFF10 + digit) for digit in range(10)))
ENDINGS = MappingProxyType({1: "st", 2: "nd", 3: "rd"})
TEENS = range(11, 14)


def roman(n: int) -> str:
    """Returns a number in lower-case Roman numerals; in digits if there is no numeral for it."""
    if not 0 < n < MOST_ROMAN:
        return str(n)
    numeral = ""
    for value, letters in ROMAN:
        count, n = divmod(n, value)
        numeral += letters * count
    return numeral


def letters(n: int) -> str:
    """Returns a number as a lower-case letter, continuing after z with aa, bb, as Word does."""
    if not 0 < n <= ALPHABET * MOST_REPEATED:
        return str(n)
    times, letter = divmod(n - 1, ALPHABET)
    return chr(ord("a") + letter) * (times + 1)


def letters_as_digits(n: int) -> str:
    """Returns a number as lower-case letters, continuing after z with aa, ab, as browsers do."""
    if n < 1:
        return str(n)
    text = ""
    while n:
        n, letter = divmod(n - 1, ALPHABET)
        text = chr(ord("a") + letter) + text
    return text


def ordinal(n: int) -> str:
    """Returns an English ordinal number in digits: 1st, 12th."""
    return f"{n}{'th' if n % 100 in TEENS else ENDINGS.get(n % 10, 'th')}"


def _circled(n: int) -> str:
    return chr(CIRCLED_ONE + n - 1) if 0 < n <= MOST_CIRCLED else str(n)


# Formats by their names in Word (ST_NumberFormat); all others are shown in digits.
WORD_FORMATS: Mapping[str, Callable[[int], str]] = MappingProxyType(
    {
        "lowerRoman": roman,
        "upperRoman": lambda n: roman(n).upper(),
        "lowerLetter": letters,
        "upperLetter": lambda n: letters(n).upper(),
        "decimalZero": lambda n: f"{n:02}",
        "ordinal": ordinal,
        "decimalEnclosedCircle": _circled,
        "decimalFullWidth": lambda n: str(n).translate(FULL_WIDTH),
        "none": lambda _: "",
    }
)
# Formats by the letter that names them in HTML (`type` of a list) and OpenDocument (`style:num-format`).
LETTER_FORMATS: Mapping[str, Callable[[int], str]] = MappingProxyType(
    {
        "a": letters_as_digits,
        "A": lambda n: letters_as_digits(n).upper(),
        "i": roman,
        "I": lambda n: roman(n).upper(),
    }
)
