"""Shows numbers as a spreadsheet program does, by the format of their cell: 7.5%, 1,200.00 €, (35).

The codes are those of ECMA-376 part 1, section 18.8.31. Dates are in `date_formats`.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

# Formats that files refer to by number only; those of currencies and dates depend on the user's country.
BUILT_IN = {
    1: "0",
    2: "0.00",
    3: "#,##0",
    4: "#,##0.00",
    5: "#,##0",
    6: "#,##0",
    7: "#,##0.00",
    8: "#,##0.00",
    9: "0%",
    10: "0.00%",
    11: "0.00E+00",
    15: "d-mmm-yy",
    16: "d-mmm",
    17: "mmm-yy",
    18: "h:mm AM/PM",
    19: "h:mm:ss AM/PM",
    20: "h:mm",
    21: "h:mm:ss",
    37: "#,##0;(#,##0)",
    38: "#,##0;(#,##0)",
    39: "#,##0.00;(#,##0.00)",
    40: "#,##0.00;(#,##0.00)",
    41: '#,##0;(#,##0);"-"',
    42: '#,##0;(#,##0);"-"',
    43: '#,##0.00;(#,##0.00);"-"',
    44: '#,##0.00;(#,##0.00);"-"',
    45: "mm:ss",
    46: "[h]:mm:ss",
    47: "mm:ss.0",
    48: "##0.0E+0",
}
GENERAL = "general"
# Text in quotes, an escaped character, a space as wide as a character, a filling character, brackets, the rest.
TOKEN = re.compile(
    r'"([^"]*)"?|\\(.)|_.?|\*.?|\[([^\]]{0,255})\]|(general)|(E[+-])(?=[0#?])|(.)', re.IGNORECASE | re.DOTALL
)
CONDITION = re.compile(r"([<>=]{1,2})\s*(-?\d+(?:\.\d+)?)")
CURRENCY = re.compile(r"\$([^-]*)")
PLACEHOLDERS = frozenset("0#?")
# A number with at most this many decimals was typed; results of calculations have more.
MOST_TYPED_DECIMALS = 4
MOST_DECIMALS = 30
MOST_SHOWN = 1e300
# Makes halves round up, as in spreadsheet programs, although many have no exact binary form: 2.675 is less than that.
NUDGE, MOST_NUDGED = 1 + 1e-15, 1e12


@dataclass(frozen=True, slots=True)
class _Section:
    """A section of a format.

    Attributes:
        tokens: literal texts, marked with True, and signs of the format.
        condition: the comparison that a number has to meet, or None.
        signs: the signs of the format without literals.
        before, after: the texts around the number.
        whole, decimals: the placeholders of its digits.
        percent: number of percent signs.
        thousands: number of commas that divide it by a thousand each.
        exponent: the placeholders of the exponent; "" without one.
        interleaved: True if there are literals between its digits.
    """

    tokens: tuple[tuple[bool, str], ...]
    condition: tuple[str, float] | None
    signs: str
    before: str
    after: str
    whole: str
    decimals: str
    percent: int
    thousands: int
    exponent: str
    interleaved: bool

    @property
    def places(self) -> int:
        """The most decimals shown."""
        return len(self.decimals)


def shown(value: float, code: str) -> str | None:
    """Returns a number as its format shows it; None if the format shows it as it is.

    A number that the format rounds or scales, though it was probably typed, follows in brackets: 8% (7.5%).
    """
    sections = _sections(code)
    section, unsigned = _section_of(value, sections)
    if section is None or "/" in section.signs or "@" in section.signs:
        return None
    if not section.whole and not section.decimals:
        literal = "".join(general(value) if text == GENERAL else text for _, text in section.tokens)
        return None if section.signs == GENERAL and len(section.tokens) == 1 else " ".join(literal.split())
    if not math.isfinite(value) or abs(value) >= MOST_SHOWN:
        return None
    digits = _digits(abs(value), section)
    sign = "-" if value < 0 and not unsigned and digits.strip("0.,") else ""
    if section.interleaved and digits.isdigit():
        text = sign + "".join(_interleaved(section.tokens, digits))
    else:
        text = f"{sign}{section.before}{digits}{section.after}"
    if text and (typed := _typed(value, section)):
        text = f"{text} ({typed})"
    return " ".join(text.split())


def general(value: float) -> str:
    """Returns a number without a format."""
    most_whole = 1e15
    if float(value).is_integer() and abs(value) < most_whole:
        return str(int(value))
    return repr(round(value, 10))


@lru_cache(maxsize=512)
def _sections(code: str) -> tuple[_Section, ...]:
    parts: list[list[tuple[bool, str]]] = [[]]
    conditions: list[tuple[str, float] | None] = [None]
    for token in TOKEN.finditer(code):
        quoted, escaped, bracket, general_, exponent, other = token.groups()
        if quoted is not None or escaped is not None:
            parts[-1].append((True, quoted if quoted is not None else escaped))
        elif bracket is not None:
            if found := CONDITION.match(bracket):
                conditions[-1] = found[1], float(found[2])
            elif found := CURRENCY.match(bracket):
                parts[-1].append((True, found[1]))
        elif general_ or exponent:
            parts[-1].append((False, GENERAL if general_ else exponent.upper()))
        elif other == ";":
            parts.append([])
            conditions.append(None)
        elif other is not None:
            parts[-1].append((other not in "0#?.,%/@", other))
    return tuple(_section(tuple(one), condition) for one, condition in zip(parts, conditions, strict=True))


def _section(tokens: tuple[tuple[bool, str], ...], condition: tuple[str, float] | None) -> _Section:
    signs = "".join(text for is_literal, text in tokens if not is_literal)
    mantissa, _, exponent = signs.partition("E")
    whole, _, decimals = mantissa.partition(".")
    places = [i for i, (is_literal, text) in enumerate(tokens) if not is_literal and text in PLACEHOLDERS]
    first, last = (places[0], places[-1]) if places else (len(tokens), len(tokens))
    end = max((i for i, c in enumerate(whole) if c in PLACEHOLDERS), default=-1) + 1
    return _Section(
        tokens,
        condition,
        signs,
        _literals(tokens[:first]),
        _literals(tokens[last + 1 :]),
        whole[:end].lstrip("%"),
        "".join(c for c in decimals if c in PLACEHOLDERS)[:MOST_DECIMALS],
        signs.count("%"),
        (whole[end:] + decimals).count(","),
        exponent,
        any(is_literal and text.strip() for is_literal, text in tokens[first : last + 1]),
    )


def _literals(tokens: tuple[tuple[bool, str], ...]) -> str:
    return "".join(text for is_literal, text in tokens if is_literal or text == "%")


def _section_of(value: float, sections: tuple[_Section, ...]) -> tuple[_Section | None, bool]:
    """Returns the section for a number, and whether it shows the sign of negative numbers in its own way."""
    if any(section.condition for section in sections):
        for section in sections:
            if section.condition is None or _meets(value, *section.condition):
                return section, False
        return None, False
    negative, zero = 1, 2
    if value < 0 and len(sections) > negative:
        return sections[negative], True
    if value == 0 and len(sections) > zero:
        return sections[zero], False
    return sections[0], False


def _meets(value: float, sign: str, limit: float) -> bool:
    return {
        "<": value < limit,
        ">": value > limit,
        "<=": value <= limit,
        ">=": value >= limit,
        "=": value == limit,
        "<>": value != limit,
    }.get(sign, False)


def _digits(value: float, section: _Section) -> str:
    """Writes a number that is not negative with the digits and separators of a format."""
    value = value * 100**section.percent / 1000**section.thousands
    value = value * NUDGE if value < MOST_NUDGED else value
    if section.exponent:
        mantissa, _, power = f"{value:.{section.places}e}".partition("e")
        return f"{mantissa}E{power[0]}{power[1:].lstrip('0').zfill(section.exponent.count('0'))}"
    text, _, fraction = f"{value:.{section.places}f}".partition(".")
    required = section.decimals.count("0")
    fraction = fraction[:required] + fraction[required:].rstrip("0")
    least = section.whole.count("0")
    if text == "0" and not least and not fraction:
        return ""
    text = f"{int(text):,}" if "," in section.whole and len(text) >= least else text.zfill(least)
    return f"{text}.{fraction}" if fraction else text


def _typed(value: float, section: _Section) -> str:
    """Returns a number that was probably typed and of which the format shows only a part; "" for others."""
    decimals = len(repr(value).partition(".")[2].rstrip("0")) - 2 * section.percent
    is_lost = section.thousands > 0 or bool(section.exponent) or decimals > section.places
    if not is_lost or decimals > MOST_TYPED_DECIMALS or "e" in repr(value):
        return ""
    return f"{value * 100**section.percent:.{max(decimals, 0)}f}" + "%" * section.percent


def _interleaved(tokens: tuple[tuple[bool, str], ...], digits: str) -> Iterator[str]:
    """Yields literals and digits of a number such as 555-1234, whose format has literals between digits."""
    count = sum(not is_literal and text in PLACEHOLDERS for is_literal, text in tokens)
    digits = digits.zfill(count)
    at = 0
    for is_literal, text in tokens:
        if is_literal or text == "%":
            yield text
        elif text in PLACEHOLDERS:
            end = len(digits) - count + 1 if at == 0 else at + 1
            yield digits[at:end]
            at = end
