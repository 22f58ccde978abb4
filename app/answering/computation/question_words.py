"""Splits questions and names of tables into words that are compared one by one. Pure.

A computed answer has to account for every word of its question, so only words of grammar may be skipped here: far fewer
than the stop words of a search, which has no use for "not", "per" or "above".
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache

from app.text import language_data_of

WORD = re.compile(r"[^\W_]+")
# Marks of notes and units in brackets, which a question seldom repeats: "Sales (a)", "Price (EUR)", "(in millions)".
BRACKETED = re.compile(r"\([^()]*\)|[\u00ae\u2122*\u2020\u2021\u00b9\u00b2\u00b3]")
GRAMMAR = {
    "english": "the a an of in on at is are was were be been do does did have has had with where for what which who how"
    " many much there we our us me please show tell give s it its that this these those from all value values i you"
    " can could would will calculate compute find",
    "german": "der die das den dem des ein eine einer eines einem einen im in am an auf von vom f\u00fcr mit ist sind"
    " war waren wird wurde wurden gab es gibt wie viele viel hat haben hatte hatten welche welcher welches welchen was"
    " bei beim aus wo bitte alle aller zum zur",
    "french": "le la les l de du des d un une en dans \u00e0 au aux est sont \u00e9tait \u00e9taient y a t il elle quel"
    " quelle quels quelles pour avec o\u00f9 combien que qu ont tous toutes",
    "spanish": "el la los las de del un una en es son era eran hay hubo qu\u00e9 cu\u00e1l cu\u00e1les cu\u00e1ntos"
    " cu\u00e1ntas cu\u00e1nto para con donde fue fueron todos todas ha han",
}
# Words that change what is asked; no name of a table or a column accounts for them.
_DECISIVE = (
    "not no none never without except excluding exclude excluded other than before after since until per each every"
    " nicht kein keine ohne au\u00dfer vor nach seit bis pro je jede jeder jedes"
    " sans sauf avant apr\u00e8s depuis par chaque"
    " sin excepto antes despu\u00e9s desde hasta por cada"
)
DECISIVE = frozenset(_DECISIVE.casefold().split())
SKIPPED = {language: frozenset(words.casefold().split()) for language, words in GRAMMAR.items()}


@dataclass(frozen=True, slots=True)
class Word:
    """A word at [start, end) of a text; `term` is its stem, `plain` the word itself, casefolded."""

    plain: str
    term: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Wording:
    """Reads words in one language; a language without data is read as English. `also` are more words to skip."""

    language: str
    also: frozenset[str] = frozenset()

    def words(self, text: str) -> list[Word]:
        """Returns all words of a text, in order."""
        return list(_words(text, self.language))

    def terms(self, *texts: str) -> frozenset[str]:
        """Returns the stems of texts without words of grammar."""
        return frozenset(one.term for text in texts for one in self.words(text) if not self.skips(one))

    def name(self, text: str) -> frozenset[str]:
        """Returns the stems of a row's or column's name, without what it has in brackets."""
        return self.terms(BRACKETED.sub(" ", text)) or self.terms(text)

    def skips(self, word: Word) -> bool:
        """Returns True for a word of grammar."""
        return word.plain in self.also or word.plain in SKIPPED.get(self.language, SKIPPED["english"])


@lru_cache(maxsize=16_384)
def _words(text: str, language: str) -> tuple[Word, ...]:
    """Returns the words of a text; the same names of rows are read for every phrase of a question."""
    stem = language_data_of(language).stem
    found = ((match.group().casefold(), *match.span()) for match in WORD.finditer(text))
    return tuple(Word(one, one if one[0].isdigit() else stem(one), start, end) for one, start, end in found)


def plain_words(text: str) -> tuple[str, ...]:
    """Returns the words of a text, casefolded: by these, a cell is found in a question."""
    return tuple(match.casefold() for match in WORD.findall(text))
