"""Loads the language data: one TOML file per language, named as in ingest/text/languages.py. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import lru_cache
from itertools import permutations
from pathlib import Path
from typing import Any

from babel import Locale
from babel.dates import get_day_names, get_month_names

from app.text.stemming import stem
from ingest.text import COMMON_WORDS, ENGLISH

LANGUAGES = (ENGLISH, "german", "french", "spanish", "italian", "portuguese", "dutch", "russian")
RUSSIAN = "russian"
# Any language without data: only some abbreviations and common words are known.
OTHER = "other"
NEVER = re.compile(r"(?!)")
TEN = 10


@dataclass(frozen=True, slots=True)
class SentenceRules:
    """Rules for a dot: end of sentence or abbreviation. Abbreviations are casefolded, without the last dot.

    Those in `never` do not end a sentence (`never_endings`: words that end so), those in `sometimes` do before a word
    of `starters`; those in `before_numbers` do unless a number follows. A number with a dot is an ordinal before words
    of `ordinals_before`, and if `ordinals` is set, before any word that is not a starter.
    """

    never: frozenset[str]
    never_endings: tuple[str, ...]
    before_numbers: frozenset[str]
    sometimes: frozenset[str]
    starters: frozenset[str]
    ordinals: bool
    ordinals_before: frozenset[str]


@dataclass(frozen=True, slots=True, eq=False)
class Language:
    """A language's word lists and patterns for comparing two sentences. Words are casefolded.

    `is_known` is False if there is no such data. `stop` are words without meaning of their own. `numbers` maps number
    words to values; `digits` are those that may follow a word for tens; `scales` are powers of ten. `units` maps
    spellings to unit names, `months` and `weekdays` names to numbers. `subject` matches the text after a first word
    that is the subject. `cue` matches negations, `not_cue` text after them that cancels them, `ends` the end of their
    reach; `narrow` are cues that negate one word. `opposites` maps stems to antonyms, `common_opposites` those among
    `stop`. `border` separates the words about one figure from those about the next.
    """

    name: str
    code: str
    is_known: bool
    stop: frozenset[str]
    numbers: Mapping[str, int]
    digits: Mapping[str, int]
    compounds: bool
    scales: Mapping[str, int]
    units: Mapping[str, str]
    months: Mapping[str, int]
    weekdays: Mapping[str, int]
    capital_months: bool
    elisions: frozenset[str]
    capital_nouns: bool
    before_names: frozenset[str]
    noun_endings: tuple[str, ...]
    subject: re.Pattern[str]
    subject_needed: bool
    decimal_comma: bool
    cue: re.Pattern[str]
    not_cue: re.Pattern[str]
    ends: re.Pattern[str]
    narrow: frozenset[str]
    both_ways: bool
    denies: frozenset[str]
    opposites: Mapping[str, frozenset[str]]
    common_opposites: frozenset[str]
    prefixes: tuple[str, ...]
    not_prefixed: frozenset[str]
    border: re.Pattern[str]
    in_order: re.Pattern[str]

    def stem(self, word: str) -> str:
        """Returns the stem of a casefolded word; the word itself for a language without data."""
        return stem(word, self.name) if self.is_known else word


@lru_cache
def language_data_of(name: str) -> Language:
    """Returns the data of a language of `LANGUAGES`; for any other, the empty data of `OTHER`."""
    if name not in LANGUAGES:
        return _unknown()
    data = _data(name)
    facts, negation = data["facts"], data["negation"]
    numbers = _numbers(facts["numbers"])
    return Language(
        name=name,
        code=data["code"],
        is_known=True,
        stop=COMMON_WORDS[name] | frozenset(facts["stop"].split()),
        numbers=numbers,
        digits={word: n for word, n in numbers.items() if n < TEN} | _numbers(facts["digits"]),
        compounds=facts["compounds"],
        scales=data["scales"],
        units={
            spelling.replace("_", " "): unit
            for unit, spellings in data["units"].items()
            for spelling in spellings.split()
        },
        months=_months(data["code"]) | _numbers(facts["more_months"]),
        weekdays=_weekdays(data["code"]),
        capital_months=facts["capital_months"],
        elisions=frozenset(facts["elisions"].split()),
        capital_nouns=facts["capital_nouns"],
        before_names=frozenset(facts["before_names"].split()),
        noun_endings=tuple(facts["noun_endings"].split()),
        subject=NEVER if facts["capital_nouns"] else _subject(facts["subject_verbs"].split()),
        subject_needed=facts["subject_needed"],
        decimal_comma=facts["decimal_comma"],
        cue=re.compile(negation["cue"], re.IGNORECASE),
        not_cue=re.compile(negation["not_cue"], re.IGNORECASE),
        ends=re.compile(negation["ends"], re.IGNORECASE),
        narrow=frozenset(negation["narrow"].split()),
        both_ways=negation["both_ways"],
        denies=frozenset(negation["denies"].split()),
        opposites=_opposites(data["opposites"]["pairs"], name),
        common_opposites=frozenset(data["opposites"]["common"].split()),
        prefixes=tuple(data["opposites"]["prefixes"].split()),
        not_prefixed=frozenset(stem(word, name) for word in data["opposites"]["not_prefixed"].split()),
        border=re.compile(rf"[;(]|\b(?:{'|'.join(data['pairing']['borders'].split())})\b", re.IGNORECASE),
        in_order=re.compile(rf"\b{data['pairing']['in_order']}", re.IGNORECASE),
    )


@lru_cache
def translated_names(code: str) -> frozenset[str]:
    """Returns CLDR's names of countries, languages and weekdays, which differ by language, casefolded."""
    if not code:
        return frozenset()
    locale = Locale(code)
    names = [*locale.territories.values(), *locale.languages.values(), *get_day_names("wide", locale=locale).values()]
    return frozenset(name.casefold() for name in names)


@lru_cache
def common_words() -> dict[str, frozenset[str]]:
    """Returns the common words that identify each language, including languages without other data."""
    known = {name: language_data_of(name) for name in LANGUAGES}
    others = {name: frozenset(words.split()) for name, words in _data(OTHER)["languages"].items()}
    return {name: one.stop.union(one.numbers, one.months, one.units) for name, one in known.items()} | others


@lru_cache
def sentence_rules(language: str) -> SentenceRules:
    """Returns the rules of a language of `LANGUAGES`; for any other, such as "", those of all languages combined."""
    read = [_data(name)["sentences"] for name in ([language] if language in LANGUAGES else [*LANGUAGES, OTHER])]
    never = _words(read, "never")
    return SentenceRules(
        never=frozenset(word for word in never if not word.startswith("*")),
        never_endings=tuple(sorted(word[1:] for word in never if word.startswith("*"))),
        before_numbers=_words(read, "before_numbers"),
        sometimes=_words(read, "sometimes"),
        starters=_words(read, "starters"),
        ordinals=all(one["ordinals"] for one in read),
        ordinals_before=_words(read, "ordinals_before"),
    )


@lru_cache
def _unknown() -> Language:
    nothing: frozenset[str] = frozenset()
    return Language(
        name=OTHER,
        code="",
        is_known=False,
        stop=nothing,
        numbers={},
        digits={},
        compounds=False,
        scales={},
        units={},
        months={},
        weekdays={},
        capital_months=True,
        elisions=nothing,
        capital_nouns=False,
        before_names=nothing,
        noun_endings=(),
        subject=NEVER,
        subject_needed=False,
        decimal_comma=False,
        cue=NEVER,
        not_cue=NEVER,
        ends=NEVER,
        narrow=nothing,
        both_ways=False,
        denies=nothing,
        opposites={},
        common_opposites=nothing,
        prefixes=(),
        not_prefixed=nothing,
        border=NEVER,
        in_order=NEVER,
    )


def _subject(verbs: Collection[str]) -> re.Pattern[str]:
    return re.compile(rf"(?:['\u2019]s)?\s+(?:[A-Z\u00c0-\u00de\u0410-\u042f]|(?:{'|'.join(verbs)})\b)")


def _numbers(written: str) -> dict[str, int]:
    """Parses a list of words with consecutive values."""
    parts = written.split()
    return {word: int(value) for word, value in zip(parts[::2], parts[1::2], strict=True)}


def _months(code: str) -> dict[str, int]:
    return _calendar(get_month_names, code)


def _weekdays(code: str) -> dict[str, int]:
    """Returns names of weekdays, 0 for Monday, including the forms for repeated events: "Mondays", "montags"."""
    names = _calendar(get_day_names, code)
    return names | {f"{name}s": number for name, number in names.items()}


def _calendar(names_of: Callable[..., Mapping[int, str]], code: str) -> dict[str, int]:
    """Returns CLDR's names of a language's months or weekdays with their numbers, including stand-alone forms."""
    contexts = [names_of("wide", context, code) for context in ("format", "stand-alone")]
    return {name.casefold(): number for names in contexts for number, name in names.items()}


def _opposites(pairs: str, name: str) -> dict[str, frozenset[str]]:
    found: dict[str, frozenset[str]] = {}
    for line in pairs.strip().splitlines():
        sides = [
            frozenset(form for word in side.split() for form in (word, stem(word, name))) for side in line.split("|")
        ]
        for these, those in permutations(sides, 2):
            found |= {word: found.get(word, frozenset()) | those for word in these}
    return found


def _words(read: Collection[dict[str, Any]], key: str) -> frozenset[str]:
    return frozenset(word for one in read for word in one[key].split())


@lru_cache
def _data(name: str) -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / f"{name}.toml").read_text(encoding="utf-8"))
