"""Converts text to search terms: stemmed words, whole numbers, and technical words both whole and in parts.

tantivy splits at everything except letters and digits, which breaks technical text: 3.5 would become a 3 and a 5, and
maxRetryCount a single word that nobody searches for. So numbers with points are single terms, and other compounds are
added in a canonical form, with parts joined by "_": `max_retry_count` for maxRetryCount, max-retry-count and
max.retry.count, `10_gb` for 10GB and 10 GB, `2021_05_03` for 2021-05-03. Documents and questions use the same function,
so that all spellings match each other.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain, repeat

import tantivy

from ingest.text import (
    COMMON_WORDS,
    ENGLISH,
    LANGUAGE_OF_SCRIPT,
    LANGUAGES,
    SPACELESS,
    SPACELESS_LETTER,
    light_stem,
    word_pieces,
)

# Increment when documents are analysed differently: older text indexes are then rebuilt (ingest.index.recovery).
ANALYSIS = 4
# Scripts written without spaces are indexed by character and by pieces (ingest.text.scripts); others by word, and
# numbers with their points.
SPACELESS_CLASSES = r"\p{Han}\p{Hiragana}\p{Katakana}\p{Thai}\p{Lao}\p{Khmer}\p{Myanmar}ー"
ASCII_TOKEN = re.compile(r"\d++(?:\.\d++)++|\w+", re.ASCII)  # the same for ASCII text
TOKEN = rf"[{SPACELESS_CLASSES}]|\p{{Nd}}+(?:\.\p{{Nd}}+)+|[[\p{{L}}\p{{M}}\p{{N}}_]--[{SPACELESS_CLASSES}]]+"
# Matches the separators of "39,669", so that a number is one term in either notation.
GROUPED = re.compile(r",(?<=\d,)(?=\d{3}(?!\d))")
# Splits v1.2 and Python3.11: the number is a term of its own.
BEFORE_NUMBER = re.compile(r"(?<![^\W_])[vV](?=\d+\.\d)|(?<=[^\W\d_])(?=\d+\.\d)")

# All Latin letters with case, so that Polish, Czech, Hungarian, Turkish and Vietnamese letters do not split words.
LATIN = [chr(code) for code in (*range(0x250), *range(0x1E00, 0x1F00))]
UPPER, LOWER = ("".join(c for c in LATIN if c.isalpha() and is_case(c)) for is_case in (str.isupper, str.islower))
# The camel-case parts of HTTPServer2 and maxRetryCount.
HUMP = re.compile(rf"[{UPPER}]+(?=[{UPPER}][{LOWER}])|[{UPPER}]?[{LOWER}]+|[{UPPER}]+|\d+|[^\W\d_]+")
WORD = re.compile(r"\w+")
IN_SPACELESS = re.compile(f"[{SPACELESS}]+")
# Variation selectors of emoji, which carry no meaning; and the letter that becomes two in lower case.
UNSEEN = str.maketrans({"\ufe0e": None, "\ufe0f": None, "\u20e3": None, "İ": "I"})
# Words, and chains of words joined by single marks.
CHAIN = re.compile(r"\w+(?:[-./:]\w+)*")
JOINT = re.compile(r"[-./:]")
DIGIT = re.compile(r"\d")
POINTED = re.compile(r"\.(?<=\d\.)\d")
NUMBER = re.compile(r"(?<!\d)\d++(?:\.\d++)++")
DATE = re.compile(r"\d{4}\.\d\d?\.\d\d?|\d\d?\.\d\d?\.\d{4}")
STANDARD = re.compile(r"\b([A-Z]{2,6}) (\d{2,6})\b")
PARAGRAPH = re.compile(r"§§?\s?(\d+(?:\.\d+)*\w?)")
# Lower-case units, without "in" and "a", which are usually words.
UNITS = [
    re.escape(unit)
    for line in (
        "kg g mg µg ug ng t lb oz km m cm mm µm um nm ft mi l dl ml µl ul h min s ms µs us ns hz khz mhz ghz v mv kv",
        "w kw mw gw kwh mwh wh ma mah k j kj cal kcal n pa hpa kpa mpa bar psi db Ω mol mmol µmol umol lx lm bq sv msv",
        "b kb mb gb tb pb kib mib gib tib bit kbit mbit gbit bps kbps mbps gbps px dpi fps rpm ppm ppb °c °f % ‰",
        "€ $ £ eur usd gbp",
    )
    for unit in line.split()
]
UNIT = "|".join(UNITS)
# Begin with the digit, because `re` finds that many times faster than the place before one.
GLUED = re.compile(rf"(\d(?<![\w.]\d)\d*+(?:\.\d++)?)(?=(?:{UNIT})(?!\w))", re.IGNORECASE)
MEASURED = re.compile(rf"(\d(?<![\w.]\d)\d*+(?:\.\d++)?)\s?({UNIT})(?:/({UNIT}|day|week))?(?!\w)", re.IGNORECASE)
MICRO = str.maketrans({"µ": "u", "μ": "u"})
IN_WORDS = {"%": "percent", "‰": "permille", "€": "eur", "$": "usd", "£": "gbp", "°c": "celsius", "°f": "fahrenheit"}
# Longer chains, such as paths, give terms only for their words; longer numbers, only for their first parts.
MOST_PARTS = 8
# Letters before a number become a separate term from this length: those of python3, not those of CD4.
LEAST_NAME = 3
LONGEST = 128
# Distinct words whose forms and stems are cached: finding them takes most of the time, and words recur.
REMEMBERED = 32_768


def terms_of(spelled: str, languages: Iterable[str] = (), *, without: str = "") -> list[str]:
    """Returns the terms of a text from `spelled_out`, in order: English stems, then those of other languages.

    English stems match names and quotations in any language. Inflected words match by the stems of their own language,
    which are marked with it: the Spanish stem of "market" is the English one of "mark".

    Args:
        spelled: a document's text, or a question.
        languages: languages of the text; for a question in an unclear language, all candidates.
        without: the language whose stop words are omitted; "" for none.
    """
    others = (
        f"{language}.{stem}"
        for language in sorted({*languages} & LANGUAGES - {ENGLISH})
        for stem in _stems(spelled, language, without)
    )
    return [*_english_stems(spelled, without), *word_pieces(spelled), *others]


def _english_stems(spelled: str, without: str) -> list[str]:
    if spelled.isascii():
        return [*chain.from_iterable(map(_stems_of_token, ASCII_TOKEN.findall(spelled), repeat(without)))]
    words = _analyzer(ENGLISH, without).analyze(spelled)
    # A single letter of a script without spaces is not a word.
    return [word for word in words if len(word) > 1 or not SPACELESS_LETTER.match(word)]


@lru_cache(REMEMBERED)
def _stems_of_token(token: str, without: str) -> tuple[str, ...]:
    """Returns the stem of an ASCII token, or () for a stop word or an overlong token."""
    return tuple(_analyzer(ENGLISH, without).analyze(token))


def _stems(spelled: str, language: str, without: str) -> Sequence[str]:
    if language not in LANGUAGE_OF_SCRIPT:
        return _analyzer(language, without).analyze(spelled)
    common, script = COMMON_WORDS.get(without, ()), LANGUAGE_OF_SCRIPT[language]
    words = (word for word in WORD.findall(spelled) if script.match(word) and word not in common)
    return [light_stem(word, language) for word in words]


@lru_cache
def _analyzer(language: str, without: str) -> tantivy.TextAnalyzer:
    """Returns an analyser that stems without case and accents. Stemmers other than English need the accents."""
    folded, stemmed = tantivy.Filter.ascii_fold(), tantivy.Filter.stemmer(language)
    builder = (
        tantivy.TextAnalyzerBuilder(tantivy.Tokenizer.regex(TOKEN))
        .filter(tantivy.Filter.remove_long(256))
        .filter(tantivy.Filter.lowercase())
        .filter(tantivy.Filter.custom_stopword(sorted(COMMON_WORDS.get(without, ()))))
    )
    for one in (folded, stemmed) if language == ENGLISH else (stemmed, folded):
        builder = builder.filter(one)
    return builder.build()


def spelled_out(text: str) -> str:
    """Normalises numbers in a text, and appends the technical forms that it contains, once each."""
    if not text.isascii():
        text = IN_SPACELESS.sub(r" \g<0> ", unicodedata.normalize("NFC", text).translate(UNSEEN))
    has_digits = DIGIT.search(text) is not None
    plain = GROUPED.sub("", text) if has_digits else text
    plain = BEFORE_NUMBER.sub(" ", plain) if POINTED.search(plain) else plain
    plain = GLUED.sub(r"\1 ", plain) if has_digits else plain
    found = [*_forms(plain), *(_measured(plain) if has_digits else ())]
    forms = " ".join(dict.fromkeys(map(str.lower, found)))
    return f"{plain}\n{forms}" if forms else plain


def in_pieces(text: str) -> str:
    """Returns the numbers of a text as older indexes store them: 3.5 as 3 and 5."""
    return " ".join(" ".join(found[0].split(".")) for found in NUMBER.finditer(GROUPED.sub("", text)))


def _forms(text: str) -> Iterator[str]:
    """Yields the joined forms and the parts of technical words and numbers."""
    chained = dict.fromkeys(CHAIN.findall(text))
    if max(map(len, chained), default=0) <= LONGEST:
        yield from chain.from_iterable(map(_of_chain, chained))
        return
    for one in chained:
        if len(one) <= LONGEST:
            yield from _of_chain(one)
        else:
            for word in WORD.findall(one):
                yield from _of_word(word) if len(word) <= LONGEST else ()


def _measured(text: str) -> Iterator[str]:
    """Yields the joined forms of quantities, and of names with a number: 10 GB, ISO 9001, § 5."""
    for found in MEASURED.finditer(text):
        yield from _of_quantity(*found.groups())
    for found in STANDARD.finditer(text):
        yield _form(*found.groups())
    for found in PARAGRAPH.finditer(text):
        yield _form("paragraph", found[1])


@lru_cache(REMEMBERED)
def _of_chain(chained: str) -> tuple[str, ...]:
    """Returns the joined form of a-b, a.b or a/b, and the forms of its words."""
    parts = JOINT.split(chained)
    if NUMBER.fullmatch(chained):
        return _of_number(chained, parts)
    humps = [hump for part in parts for hump in _humps(part)]
    whole = (_form(*humps),) if len(parts) > 1 and 1 < len(humps) <= MOST_PARTS else ()
    return (*whole, *(form for part in parts for form in _of_word(part)))


def _of_number(number: str, parts: Sequence[str]) -> tuple[str, ...]:
    """Returns the beginnings of 1.2.3 that contain a point; for a date, also its parts."""
    beginnings = (".".join(parts[:n]) for n in range(2, min(len(parts), MOST_PARTS)))
    return (*beginnings, _form(number), *parts) if DATE.fullmatch(number) else (*beginnings,)


def _of_word(word: str) -> tuple[str, ...]:
    """Returns the joined form of aB, AB12 or a_b, and its parts, except one or two letters beside a number."""
    humps = _humps(word)
    if len(humps) < 2:  # noqa: PLR2004 - a single part
        return ()
    whole = () if "_" in word else (_form(*humps),)
    names = [hump for hump in humps if len(hump) > 1 and not hump.isdecimal()]
    return (*whole, *names) if len(names) > 1 or "_" in word or max(map(len, names), default=0) >= LEAST_NAME else whole


def _of_quantity(number: str, unit: str, per: str | None) -> tuple[str, ...]:
    unit = IN_WORDS.get(unit.lower(), unit.translate(MICRO))
    return (_form(number, unit), _form(number, unit, per)) if per else (_form(number, unit),)


def _humps(word: str) -> list[str]:
    return [hump for part in word.split("_") for hump in HUMP.findall(part)]


def _form(*parts: str) -> str:
    return "_".join(parts).replace(".", "_")
