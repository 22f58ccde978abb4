"""Reads the scales that a table states once for its figures: "(in millions, except shares in thousands)". Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import lru_cache

from app.text.tables.scale_words import (
    CURRENCIES,
    CURRENCY,
    ENGLISH_SCALES,
    EXCEPT,
    GENERIC,
    LONG,
    PER_SHARE,
    SCALE_WORDS,
    SHARES,
    SHORT,
    SHORT_AFTER,
    SHORT_BEFORE,
)
from app.text.terms import content_terms

# A bracket, or the end of a sentence.
BORDER = re.compile(r"[()]|(?<![A-Z])(?<!(?i:mio|mrd|tsd))[.!?](?=\s+[^\W\d_a-z\u00df-\u00ff])")
BRACKETED = re.compile(r"\([^()]{1,250}\)")
# A scale without "in" begins its text, or follows one of these or a year; else it may be part of an amount.
BEGINS = re.compile(r"(?:^|[(\[,:;|/\u2013\u2014-]|(?<!\d)(?:19|20)\d\d)\s?$")
AFTER_NUMBER, YEAR = re.compile(r"\d\s?$"), re.compile(r"(?<![\d.,])(?:19|20)\d\d\s?$")
LOOK_BACK = 8
LEAD, WITHOUT_COUNTRY = re.compile(r"[IE]n\s"), re.compile(r"^u\.?s\.?[ -](?=.)")
NAMED_BEFORE = re.compile(
    rf"(?<![^\W_])(?P<currency>{CURRENCY})(?:,| and shares| and units| amounts)?\s$", re.IGNORECASE
)
# What a scale is of, if not of shares: "dollars and shares in thousands".
OF_MONEY = re.compile(rf"{CURRENCY}|amounts|income|sales|revenues?|data|figures", re.IGNORECASE)
OWN_WORDS = 60
GENERIC_TERMS = frozenset(content_terms(GENERIC))


@dataclass(frozen=True, slots=True)
class Scale:
    """A scale of figures.

    `name` follows a figure: "million", "Mio. \u20ac". `power` is its power of ten. `currency` is the sign before a
    figure, or "". `stated` is the scale in the table's words: "in millions". `has_currency`: its name includes one.
    """

    name: str
    power: int
    currency: str = ""
    stated: str = ""
    has_currency: bool = False


@dataclass(frozen=True, slots=True)
class ScaleException:
    """The scale of the figures that `words` name; None if they are as written."""

    words: str
    scale: Scale | None = None

    def names(self, name: str, *, counts_shares: bool) -> bool:
        """Returns True if it is about a figure with this name."""
        words = PER_SHARE.sub(" ", self.words)
        if counts_shares and SHARES.search(words):
            return True
        terms = content_terms(SHARES.sub(" ", words)) - GENERIC_TERMS
        return bool(terms & content_terms(SHARES.sub(" ", name)))


@dataclass(frozen=True, slots=True)
class StatedScales:
    """The scale that a text states for all figures but the exceptions; `general` is None if only those have one."""

    general: Scale | None
    exceptions: tuple[ScaleException, ...] = ()

    @property
    def excepts_shares(self) -> bool:
        """True if an exception is about numbers of shares."""
        return any(one.names("", counts_shares=True) for one in self.exceptions)

    def of(self, name: str, *, counts_shares: bool = False) -> Scale | None:
        """Returns the scale of a figure; None if it is as written.

        Args:
            name: what names its row and column.
            counts_shares: True if it is a number of shares.
        """
        for one in self.exceptions:
            if one.names(name, counts_shares=counts_shares):
                return one.scale
        return self.general


@dataclass(frozen=True, slots=True)
class _Found:
    start: int
    end: int
    scale: Scale
    of: str = ""


def without_scale(text: str) -> str:
    """Returns a column's name without the scale that it states in brackets or at its end."""
    plain = BRACKETED.sub(lambda found: "" if any(_found(found[0])) else found[0], text)
    last = [one for one in _found(plain) if not plain[one.end :].strip()]
    return " ".join((plain[: last[0].start] if last else plain).split()).rstrip(" ,;:(")


@lru_cache(maxsize=512)
def stated_scales(text: str) -> StatedScales | None:
    """Returns the scales that the last unit line of a text states; None if it states none.

    The first scale of a unit line is the general one; others are of what their words name.
    """
    exceptions: tuple[ScaleException, ...] = ()
    for part in reversed(list(_parts(text))):
        general, some = _read(part)
        exceptions = (*some, *exceptions)
        if general:
            return StatedScales(general, exceptions)
    return StatedScales(None, exceptions) if any(one.scale for one in exceptions) else None


def _parts(text: str) -> Iterator[str]:
    """Yields the parts of a text that may be unit lines: its sentences, each up to a closing bracket."""
    start = depth = 0
    for border in BORDER.finditer(text):
        if border[0] == "(":
            depth += 1
            continue
        depth = max(0, depth - 1) if border[0] == ")" else depth
        if not depth:
            yield text[start : border.end()]
            start = border.end()
    yield text[start:]


def _read(part: str) -> tuple[Scale | None, list[ScaleException]]:
    """Returns the general scale of a unit line, and its exceptions."""
    found = list(_found(part))
    if not found:
        return None, []
    general: Scale | None = None
    exceptions: list[ScaleException] = []
    excepted = next((one.start() for one in EXCEPT.finditer(part) if one.start() > found[0].start), len(part))
    at = max(0, found[0].start - OWN_WORDS, part.rfind("(", 0, found[0].start) + 1)
    for one in found:
        words = f"{part[at : one.start]} {one.of}"
        at = one.end
        of_shares = SHARES.search(PER_SHARE.sub(" ", words)) and not OF_MONEY.search(words)
        if general or of_shares or one.of or one.start > excepted:
            exceptions.append(ScaleException(words, one.scale))
            continue
        general = one.scale
        if EXCEPT.search(words):  # "(except per share amounts, in millions)"
            exceptions.append(ScaleException(words))
    return general, [*exceptions, ScaleException(part[max(at, excepted) :])]


def _found(text: str) -> Iterator[_Found]:
    """Yields the scales that a text states, in order, without amounts such as "5 million euros"."""
    found = [_Found(*one.span(), scale, one["of"] or "") for one in LONG.finditer(text) if (scale := _long(text, one))]
    found += [_Found(*one.span(), scale) for one in SHORT.finditer(text) if (scale := _short(text, one))]
    end = 0
    for one in sorted(found, key=lambda one: (one.start, -one.end)):
        if one.start >= end:
            end = one.end
            yield one


def _long(text: str, found: re.Match[str]) -> Scale | None:
    word, lead = found["word"].casefold(), (found["lead"] or "").casefold()
    money = found["last"] or found["first"]
    power, name = SCALE_WORDS[word]
    is_plural = name != word
    if lead:
        is_unit = bool(money or (is_plural and (word, lead) != ("miles", "in")))
    else:
        is_alone = is_plural and text[: found.start()].endswith("(") and text[found.end() :][:1] in (")", ",")
        is_unit = is_alone or bool(money and BEGINS.search(_before(text, found)))
    if not is_unit:
        return None
    is_french = word == "millions" and (lead == "en" or (found["joins"] or "").startswith("d"))
    name = word if is_french else name
    sign = _sign(money) if money and not found["other"] else ""
    if name in ENGLISH_SCALES.values():
        return Scale(name, power, sign or _named_before(text, found), _as_unit(found[0]))
    return Scale(f"{name} {sign}".strip(), power, "", _as_unit(found[0]), has_currency=bool(sign))


def _short(text: str, found: re.Match[str]) -> Scale | None:
    before = _before(text, found)
    if AFTER_NUMBER.search(before) and not YEAR.search(before):
        return None
    if found["unit"]:
        return Scale(
            found["short"] + found["unit"], SHORT_BEFORE[found["short"]], "", _as_unit(found[0]), has_currency=True
        )
    power = SHORT_AFTER[found["after"]]
    return Scale(ENGLISH_SCALES[power], power, _sign(found["sign"]), _as_unit(found[0]))


def _before(text: str, found: re.Match[str]) -> str:
    return text[max(0, found.start() - LOOK_BACK) : found.start()]


def _named_before(text: str, found: re.Match[str]) -> str:
    """Returns the sign of a currency named just before a scale: "(dollars in millions)"."""
    named = NAMED_BEFORE.search(text[max(0, found.start() - OWN_WORDS) : found.start()])
    return _sign(named["currency"]) if named else ""


def _sign(currency: str) -> str:
    return CURRENCIES[WITHOUT_COUNTRY.sub("", currency.casefold())]


def _as_unit(written: str) -> str:
    """Returns a stated scale as it is put after a name: "In millions" as "in millions"."""
    return written[0].lower() + written[1:] if LEAD.match(written) else written
