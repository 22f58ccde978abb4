"""Finds the words of a quoted sentence that answer a question: a clause, a figure, a date, or list items. Pure."""

from __future__ import annotations

import re

from app.text import Token, content_terms, is_year, numbers_in, tokenize
from ingest.text import STOP_WORDS

WHEN = re.compile(r"\b(?:when|what (?:year|date|day)|which (?:year|date|day)|since when|until when)\b", re.IGNORECASE)
HOW_MANY = re.compile(
    r"\b(?:how (?:many|much|long|large|big|high|often|old|far|tall|deep|heavy|fast)|"
    r"what (?:(?:is|was|are|were) )?(?:the )?"
    r"(?:share|number|size|price|limit|percentage|amount|length|age|rate|cost))\b",
    re.IGNORECASE,
)
YES_NO = re.compile(
    r"^\W*(?:is|are|was|were|do|does|did|has|have|had|can|could|may|must|should|will|would)\b", re.IGNORECASE
)
LIST = re.compile(
    r"\b(?:which|what|who)\b.{0,200}\b(?:are|were)\b|^\W*(?:list|name)\b|\bwhat (?:kinds|types|parts)\b", re.IGNORECASE
)
# "A, B and C": items of one to six words between commas, the last after "and" or "or".
ITEM = r"[^\s,;:.()]++(?:\s++[^\s,;:.()]++){0,5}"
ITEMS = re.compile(rf"(?<![^\s,;:.()]){ITEM}(?:\s*+,\s++{ITEM}){{1,12}}(?:\s*+,)?\s++(?:and|or)\s++{ITEM}")
LEADS = re.compile(r"\b(?:is|are|was|were|includes?|included|including|contains?|of|namely|be)\s+")
DATE_GAP = 3


def answer_spans(question: str, sentence: str) -> tuple[tuple[int, int], ...]:
    """Returns the places [start, end) of the answering words; () if this kind of question has none.

    Figures that are in the question do not answer it.
    """
    if WHEN.search(question):
        return _dates(question, sentence)
    if HOW_MANY.search(question):
        return _figures(question, sentence)
    if YES_NO.match(question):
        return _clause(question, sentence)
    return _items(sentence) if LIST.search(question) else ()


def _items(sentence: str) -> tuple[tuple[int, int], ...]:
    """Returns the items of an enumeration, without its introduction."""
    items = ITEMS.search(sentence)
    if items is None:
        return ()
    leads = list(LEADS.finditer(sentence, items.start(), sentence.index(",", items.start())))
    return ((leads[-1].end() if leads else items.start(), items.end()),)


def _figures(question: str, sentence: str) -> tuple[tuple[int, int], ...]:
    """Returns the number nearest to the words asked about, with its unit or the word that it counts."""
    asked, named = content_terms(question), numbers_in(question)
    words = tokenize(sentence)
    shared = [i for i, word in enumerate(words) if word.term in asked]
    numbers = [i for i, word in enumerate(words) if word.kind == "number" and word.term not in named]
    if not numbers:
        return ()
    best = min(numbers, key=lambda i: min((abs(i - j) for j in shared), default=0))
    start, end = words[best].start, words[best].end
    if start and sentence[start - 1] in "$\u20ac\u00a3\u00a5":
        start -= 1
    after = re.match(r"\s?([%\u2030\u00b0]|[^\W\d_]+)", sentence[end:])
    counts = after is not None and after.group(1).casefold() not in STOP_WORDS
    return ((start, end + (after.end() if after and counts else 0)),)


def _dates(question: str, sentence: str) -> tuple[tuple[int, int], ...]:
    """Returns the first date that is not in the question: a month with its day and year, or a year."""
    named = numbers_in(question)
    found: list[Token] = []
    for word in tokenize(sentence):
        dated = word.kind == "month" or (word.kind == "number" and not word.unit and word.term not in named)
        near = not found or not re.search(r"\w", sentence[found[-1].end : word.start].replace("of", ""))
        if dated and near and (not found or word.start - found[-1].end <= DATE_GAP):
            found.append(word)
        elif dated and not _tells_date(found):
            found = [word]
    return ((found[0].start, found[-1].end),) if _tells_date(found) else ()


def _tells_date(words: list[Token]) -> bool:
    return any(word.kind == "month" or is_year(word) for word in words)


def _clause(question: str, sentence: str) -> tuple[tuple[int, int], ...]:
    """Returns the clause that shares most words with the question."""
    asked = content_terms(question)
    clauses = [clause.span() for clause in re.finditer(r"[^,;:()]+", sentence)]
    shared = [len(asked & content_terms(sentence[start:end])) for start, end in clauses]
    if not clauses or max(shared) == 0:
        return ()
    start, end = clauses[shared.index(max(shared))]
    words = sentence[start:end]
    return ((start + len(words) - len(words.lstrip()), end - len(words) + len(words.rstrip(" .!?"))),)
