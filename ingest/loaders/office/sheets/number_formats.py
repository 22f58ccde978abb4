"""Shows numbers as a spreadsheet program does, by the format of their cell: 7.5%, 1,200.00 €, (35).

The codes are those of ECMA-376 part 1, section 18.8.31. Dates are in `date_formats`.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from decimal import ROUND_HALF_UP, Decimal, InvalidOperation, localcontext
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
TOKEN = re.compile(r'"([^"]*)"?|\\(.)|_.?|\*.?|\[([^\]]*)\]|(general)|(E[+-])(?=[0#?])|(.)', re.IGNORECASE | re.DOTALL)
CONDITION = re.compile(r"([<>=]{1,2})\s*(-?\d+(?:\.\d+)?)")
CURRENCY = re.compile(r"\$([^-]*)")
PLACEHOLDERS = frozenset("0#?")
# A number with at most this many decimals was typed; results of calculations have more.
MOST_TYPED_DECIMALS = 4
MOST_DECIMALS = 30
PRECISION = 400


@dataclass(frozen=True, slots=True)
class _Section:
    """A section of a format: its tokens, each a literal text or a sign of the format, and its condition."""

    tokens: tuple[tuple[bool, str], ...]
    condition: tuple[str, float] | None = None

    @property
    def signs(self) -> str:
        """The signs of the format without literals."""
        return "".join(text for is_literal, text in self.tokens if not is_literal)


def shown(value: float, code: str) -> str | None:
    """Returns a number as its format shows it; None if the format shows it as it is.

    A number that the format rounds or scales, though it was probably typed, follows in brackets: 8% (7.5%).
    """
    sections = _sections(code)
    section, is_negative_form = _section_of(value, sections)
    if section is None:
        return None
    signs = section.signs
    if not set(signs) & PLACEHOLDERS:
        literal = "".join(general(value) if text == GENERAL else text for _, text in section.tokens)
        return None if signs == GENERAL and len(section.tokens) == 1 else " ".join(literal.split())
    if "/" in signs or "@" in signs:
        return None
    try:
        with localcontext() as context:
            context.prec = PRECISION
            return _number(Decimal(repr(value)), section, is_negative_form)
    except (InvalidOperation, OverflowError):
        return None


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
    return tuple(_Section(tuple(one), condition) for one, condition in zip(parts, conditions, strict=True))


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


def _number(value: Decimal, section: _Section, unsigned: bool) -> str:
    signs = section.signs
    percent = signs.count("%")
    exact = value.scaleb(2 * percent)
    mantissa, _, exponent = signs.partition("E")
    whole, _, decimals = mantissa.partition(".")
    last = max((i for i, c in enumerate(whole) if c in PLACEHOLDERS), default=-1)
    scaled = (whole[last + 1 :] + decimals).count(",")
    places = min(sum(c in PLACEHOLDERS for c in decimals), MOST_DECIMALS)
    if exponent:
        number, power = _scientific(exact, places)
        digits = f"{number}E{'-' if power < 0 else '+'}{abs(power):0{exponent.count('0')}}"
        rounded = Decimal(number).scaleb(power)
    else:
        rounded = abs(exact).scaleb(-3 * scaled).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
        digits = _digits(rounded, whole[: last + 1], decimals)
    sign = "-" if value < 0 and rounded and not unsigned else ""
    text = sign + _placed(section, digits)
    is_typed = -int(exact.normalize().as_tuple().exponent) <= MOST_TYPED_DECIMALS
    if text and is_typed and (rounded != abs(exact) or scaled):
        typed = f"{exact.normalize():f}" + "%" * percent
        text = f"{text} ({typed})"
    return " ".join(text.split())


def _scientific(value: Decimal, places: int) -> tuple[str, int]:
    value = abs(value)
    power = value.adjusted() if value else 0
    number = value.scaleb(-power).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)
    return str(number), power


def _digits(value: Decimal, whole: str, decimals: str) -> str:
    """Writes a number with the least digits and the separators of a format."""
    text, _, fraction = f"{value:f}".partition(".")
    required = sum(c == "0" for c in decimals)
    fraction = fraction[:required] + fraction[required:].rstrip("0")
    least = whole.count("0")
    if text == "0" and not least and not fraction:
        return ""
    grouped = "," in whole
    text = text.zfill(least)
    text = f"{int(text):,}" if grouped and len(text) > least else text
    return f"{text}.{fraction}" if fraction else text


def _placed(section: _Section, digits: str) -> str:
    """Puts the digits in place of the placeholders, around and between the literals of the format."""
    places = [i for i, (is_literal, text) in enumerate(section.tokens) if not is_literal and text in "0#?"]
    between = [text for is_literal, text in section.tokens[places[0] : places[-1]] if is_literal and text.strip()]
    if between and digits.isdigit():
        return "".join(_interleaved(section.tokens, digits))
    before = "".join(text for is_literal, text in section.tokens[: places[0]] if is_literal or text == "%")
    after = "".join(text for is_literal, text in section.tokens[places[-1] + 1 :] if is_literal or text == "%")
    return before + digits + after


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
