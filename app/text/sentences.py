"""Splits text into sentences: prose, list items, table rows, headings. Pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from itertools import pairwise

from app.text.language_data import LANGUAGES, SentenceRules, sentence_rules
from ingest.text import asked_in, language_of

# One or more markers such as " [1] [2, 3]". They all belong to the sentence before them, also at the end of the text
# (hence the possessive "*+").
MARKERS = r"(?:\s*(?:\[\d[\d\s,;\u2013-]*\]|\u3010\d[^\u3010\u3011]*\u3011))*+"
# An ending takes all of its dots without backtracking, so a long row of dots is read once.
ENDING = re.compile(
    rf"(?:(?<![.!?\u2026])[.!?\u2026]++(?:\s\u00bb)?[\"'\u201c\u201d\u2019\u00ab\u00bb)\]*_]*+{MARKERS}(?=\s+[^\s])"
    rf"|[\u3002\uff01\uff1f][\u201d\u2019\u300d\u300f]*+{MARKERS})"
)
# The text after an ending must look like a beginning.
BEGINNING = re.compile(
    r"\s+[\"'\u201c\u201e\u2018\u00ab\u00bf\u00a1(\[*_#>-]*[A-Z0-9\u00c0-\u00de\u0370-\u042f\u0460-\uffff\U00010000-\U0010ffff]"
)
# The word before a dot: "Nr", "z.B", "c.-à-d".
LAST_WORD = re.compile(r"[^\s(\[\"'\u201c\u201e\u2018\u2019\u00ab]*$")
# Letters with dots between them, and single letters, are abbreviations in every language: "U.S", "J".
INITIALS = re.compile(r"(?:[^\W\d_]\.)*[^\W\d_]")
FOLLOWING = re.compile(r"\W*(\w+)")
ORDINAL = re.compile(r"\d{1,2}")
SPACE = re.compile(r"\s*")
ITEM_NUMBER = re.compile(r"\(?\d{1,3}\.")
# Characters searched for an abbreviation before a dot, and characters read to detect a text's language.
LONGEST_ABBREVIATION = 24
TOLD_BY = 2_000
OWN_LINE = re.compile(r"\s*(?:[-*+\u2022]\s|\d{1,3}[.)]\s|\||#{1,6}\s|>|```|~~~)")
NUMBER = re.compile(r"[($\u20ac\u00a3+\-\u2013\u2014]*\d[\d.,]*[%)]*$")
# A shorter line was ended on purpose; a longer one may have been wrapped.
WRAPPED_CHARACTERS = 45
ROW_SHARE = 0.35


def split_sentences(text: str) -> list[tuple[int, int]]:
    """Returns the spans of the sentences of `text`, in order, without white space around them.

    A list item, a table row and a heading count as one sentence each; so does a block of code. Prose is split by the
    rules of its language (app/text/language_data), detected for each paragraph. Takes linear time.
    """
    units = ((start, end) for start, end in _units(text) if not text[start:end].isspace())
    return [span for start, end in units for span in _sentences(text, start, end)]


def _units(text: str) -> Iterator[tuple[int, int]]:
    """Yields spans that no sentence crosses: paragraphs, items, rows, headings, code."""
    start, at, fence = 0, 0, ""
    lines = text.splitlines(keepends=True)
    for line, following in pairwise([*lines, ""]):
        at += len(line)
        mark = line.lstrip()[:3]
        if fence:
            fence = "" if mark == fence and line.strip() == fence else fence
            ends = not fence
        elif mark in {"```", "~~~"}:
            fence, ends = mark, False
        else:
            ends = _ends_unit(line, following)
        if ends or not following:
            yield start, at
            start = at


def _ends_unit(line: str, following: str) -> bool:
    here = line.strip()
    if not here or not following.strip() or OWN_LINE.match(following) or here.startswith(("|", "#")):
        return True
    return len(here) < WRAPPED_CHARACTERS or _is_row(here)


def _is_row(line: str) -> bool:
    """Returns True for a row of a table without rules: words, then numbers."""
    words = [word for word in line.split() if any(c.isalnum() for c in word)]
    numbers = [bool(NUMBER.match(word)) and not word.endswith(",") for word in words]
    return sum(numbers) > 1 and (sum(numbers) >= ROW_SHARE * len(words) or all(numbers[-2:]))


def _sentences(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    if OWN_LINE.match(text, start, end) and text[start:end].lstrip()[:1] in {"|", "`", "~", "#"}:
        yield from _stripped(text, start, end)
        return
    unit = _Unit(text, start, end)
    at = _beginning(text, start, end)
    for ending in ENDING.finditer(text, start, end):
        if unit.ends(at, ending):
            yield from _stripped(text, at, ending.end())
            at = _beginning(text, ending.end(), end)
    yield from _stripped(text, at, end)


@dataclass
class _Unit:
    """A span [start, end) of a text that is split into sentences by the rules of its language."""

    text: str
    start: int
    end: int

    @cached_property
    def rules(self) -> SentenceRules:
        """The rules of its detected language, or else of the language of the text around it."""
        own = self.text[self.start : min(self.end, self.start + TOLD_BY)]
        told = asked_in(own, LANGUAGES) or language_of(self.text[:TOLD_BY], LANGUAGES)
        return sentence_rules(told or language_of(own, LANGUAGES, least=1, margin=1))

    def ends(self, at: int, ending: re.Match[str]) -> bool:
        """Returns True if the sentence that begins at `at` ends with `ending`."""
        if ending.group()[0] in "\u3002\uff01\uff1f":
            return True
        if not BEGINNING.match(self.text, ending.end(), self.end):
            return False
        if not ending.group().startswith("."):
            return True
        if ITEM_NUMBER.fullmatch(self.text, at, ending.start() + 1):
            return False
        return self._ends_after(self._word_before(at, ending.start()), ending.end())

    def _word_before(self, at: int, dot: int) -> str:
        before = self.text[max(at, dot - LONGEST_ABBREVIATION) : dot]
        found = LAST_WORD.search(before)
        return found.group().casefold() if found else ""

    def _ends_after(self, word: str, end: int) -> bool:
        """Returns True if a dot after a word ends a sentence, judging by the text at `end`."""
        rules = self.rules
        if word in rules.never or (word.isalpha() and word.endswith(rules.never_endings)):
            return False
        found = FOLLOWING.match(self.text, end, self.end)
        following = found.group(1) if found else ""
        if word in rules.before_numbers and following[:1].isdigit():
            return False
        is_number = bool(ORDINAL.fullmatch(word))
        if is_number and following in rules.ordinals_before:
            return False
        is_open = INITIALS.fullmatch(word) or word in rules.sometimes or (rules.ordinals and is_number)
        return not is_open or following in rules.starters


def _beginning(text: str, start: int, end: int) -> int:
    """Returns the end of the white space that begins at `start`."""
    found = SPACE.match(text, start, end)
    return found.end() if found else start


def _stripped(text: str, start: int, end: int) -> Iterator[tuple[int, int]]:
    piece = text[start:end]
    if piece.strip():
        yield start + len(piece) - len(piece.lstrip()), end - len(piece) + len(piece.rstrip())
