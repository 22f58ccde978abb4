"""The words and signs by which tables in several languages state scales and currencies, and name figures. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterable

# The words of a scale -> its power of ten, and the name that follows a figure.
SCALE_WORDS = {
    **dict.fromkeys(("thousand", "thousands"), (3, "thousand")),
    **dict.fromkeys(("million", "millions"), (6, "million")),
    **dict.fromkeys(("billion", "billions"), (9, "billion")),
    **dict.fromkeys(("trillion", "trillions"), (12, "trillion")),
    **dict.fromkeys(("tausend", "tsd"), (3, "Tsd.")),
    **dict.fromkeys(("mio", "millionen"), (6, "Mio.")),
    **dict.fromkeys(("mrd", "milliarden"), (9, "Mrd.")),
    "milliers": (3, "milliers"),
    "milliards": (9, "milliards"),
    "miles": (3, "miles"),
    "millones": (6, "millones"),
    "miles de millones": (9, "miles de millones"),
    "migliaia": (3, "migliaia"),
    "milioni": (6, "milioni"),
    "miliardi": (9, "miliardi"),
}
ENGLISH_SCALES = {3: "thousand", 6: "million", 9: "billion", 12: "trillion"}
# Scales joined to a currency: "TEUR" and "k\u20ac" after it, "\u20acm" and "$000" before it.
SHORT_BEFORE = {"T": 3, "k": 3, "K": 3, "M": 6, "Mio": 6, "Md": 9, "Mds": 9, "Mrd": 9}
SHORT_AFTER = {"000": 3, "k": 3, "m": 6, "mn": 6, "bn": 9}
CURRENCIES = {
    **dict.fromkeys(("dollar", "dollars", "usd", "us$", "$", "d\u00f3lares", "dollari"), "$"),
    **dict.fromkeys(("euro", "euros", "eur", "\u20ac"), "\u20ac"),
    **dict.fromkeys(("pound", "pounds", "gbp", "\u00a3"), "\u00a3"),
    **dict.fromkeys(("yen", "jpy", "\u00a5"), "\u00a5"),
    "chf": "CHF",
}


def any_of(words: Iterable[str]) -> str:
    """Returns a pattern for any of some words; the longest comes first."""
    return "|".join(re.escape(word) for word in sorted(words, key=len, reverse=True))


WORDS, CURRENCY = any_of(SCALE_WORDS), f"(?:U\\.?S\\.?[ -])?(?:{any_of(CURRENCIES)})"
JOINS = "(?:of|de|di|d['\u2019])"
# "in millions", "in millions of U.S. dollars", "(in Mio. EUR", "\u20ac million", "en milliers d'euros", "Tsd. Euro".
LONG = re.compile(
    rf"(?<![^\W_])(?:(?P<lead>in|en)\s)?(?:(?P<first>{CURRENCY})\s?)?(?<![^\W_])(?P<word>{WORDS})(?![^\W_])\.?"
    rf"(?:\s(?P<joins>{JOINS}\s?)?(?P<other>[^\W\d_]{{1,20}}\s)?(?P<last>{CURRENCY})(?![^\W_])"
    rf"|\s{JOINS}\s?(?P<of>[^\W\d_]{{1,30}}))?",
    re.IGNORECASE,
)
# "TEUR", "in T\u20ac", "k\u20ac"; "\u20acm", "\u00a3bn", "$'000".
SHORT = re.compile(
    rf"(?<!\w)(?:[Ii]n\s|[Ee]n\s)?(?:(?P<short>{any_of(SHORT_BEFORE)})(?P<unit>[\u20ac$]|EUR|Euro|USD|CHF)"
    rf"|(?P<sign>US\$|[$\u20ac\u00a3\u00a5]|EUR|USD|GBP|CHF)\s?['\u2019/]?(?P<after>{any_of(SHORT_AFTER)})s?)(?![,.]?\w)"
)
# What begins the exceptions of a unit line.
EXCEPT = re.compile(
    r"(?<!\w)(?:except(?:ing)?(?: for)?|excluding|other than|unless|au\u00dfer(?: bei| f\u00fcr)?|ausgenommen|sofern"
    r"|soweit|sauf|hormis|\u00e0 l'exception|excepto|salvo|a excepci\u00f3n|eccetto|tranne|ad eccezione)(?!\w)",
    re.IGNORECASE,
)
PER_SHARE = re.compile(
    r"(?<!\w)(?:(?:per|je|pro)[ -](?:\w{1,20}[ -]){0,2}?(?:shares?|units?|ads|adss|aktien?)"
    r"|par action|por acci\u00f3n|per azione)(?!\w)",
    re.IGNORECASE,
)
SHARES = re.compile(r"(?<!\w)(?:shares?|aktien|actions|acciones|azioni|aktienzahl|aktienanzahl)(?!\w)", re.IGNORECASE)
# Words that may come before "shares" in the name of a number of shares.
_BEFORE_SHARES = (
    "total number numbers of the a weighted average basic diluted common ordinary preferred treasury outstanding issued"
    " class anzahl zahl der durchschnittliche durchschnittlich gewichtete gewichteter durchschnitt ausgegebene"
    " ausstehende nombre moyen pond\u00e9r\u00e9 d de n\u00famero medio ponderado las numero delle ponderata media"
)
BEFORE_SHARES = frozenset(_BEFORE_SHARES.split())
# Figures that no scale applies to.
RELATIVE = re.compile(
    r"%|percent|(?<!\w)(?:ratio|rate|prozent|pour cent|por ciento|per cento|par value|nominal value|nennwert|headcount"
    r"|employees|mitarbeiter|effectifs?|empleados|dipendenti)(?!\w)",
    re.IGNORECASE,
)
# Words of an exception that name no figures.
GENERIC = (
    "and or for the of a amount amounts data figure figures information number numbers value values which where are is"
    " as in reflected stated presented shown expressed otherwise noted indicated"
    " und oder bei die der angaben angegeben nicht anders et ou les donn\u00e9es indication contraire nombre"
    " y o los datos n\u00famero e i dati numero"
)
