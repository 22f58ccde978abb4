"""Finds identifiers: article, invoice, clause and phone numbers, model names, codes, file names, quoted strings.

An identifier names exactly one thing, so unlike other words it is never paraphrased. Amounts, quantities with a unit,
dates, times, years, decimals, ordinals and shares have digits but are not identifiers. Pure.
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import PurePath

ALNUM = r"[A-Za-z0-9\u00c0-\u024f]"
# Letters and digits joined by single marks. Adjacent East Asian characters are not part of it.
CHAIN = re.compile(rf"(?<!{ALNUM}){ALNUM}++(?:[-./:_#]{ALNUM}++)*+")
# Text in quotation marks; the value of an attribute in markup or code does not count.
QUOTED = re.compile(
    r"(?<![\w=])[\"\u201c\u201e\u00ab]\s?([^\"\u201c\u201d\u201e\u00ab\u00bb\n]{2,80})[\"\u201d\u201c\u00bb]"
)
PHONE = re.compile(r"(?<![\w.])\+?\d[\d ()/-]{6,18}\d(?![\w.])")
ENDINGS = "pdf|docx?|xlsx?|pptx?|od[tsp]|csv|tsv|txt|md|html?|eml|msg|json|xml|ya?ml|png|jpe?g|zip"
FILE = re.compile(rf"(?<![\w-])[\w-]{{1,100}}\.(?:{ENDINGS})\b", re.IGNORECASE)
# A number is an identifier if one of these words precedes it. The documents may have it without the word.
LABELLED = re.compile(
    r"(?:\b(art\.|sec\.|cl\.|para\.|ziff\.|abs\.|kap\.|article|clause|section|chapter|annex|appendix|paragraph|schedule|exhibit|rule|invoice|order|item|step"
    r"|artikel|klausel|abschnitt|kapitel|anhang|ziffer|absatz|regel|rechnung|schritt"
    r"|chapitre|annexe|paragraphe|r[eè]gle|étape|facture"
    r"|cl[aá]usula|art[ií]culo|secci[oó]n|cap[ií]tulo|anexo|regla|paso|factura"
    r"|articolo|clausola|sezione|capitolo|allegato|regola|passo|fattura|artigo|se[cç]ção|regra|fatura"
    r"|hoofdstuk|paragraaf|bijlage|stap|artikelnummer|factuur|article no|part no)s?"
    r"\s+(?:no\.?\s*|nr\.?\s*|number\s+)?|(\u00a7)\s?)"
    r"(\d++(?:\.\d++)*+)(?![\w%]|[-/:.]\w)",
    re.IGNORECASE,
)
DIGIT = re.compile(r"\d")
# Chains with digits that are not identifiers.
NONE = re.compile(
    r"\d+(?:[.,]\d+)?|\d{1,3}(?:[.,]\d{3})+(?:[.,]\d+)?"  # amounts
    r"|\d{1,2}[-./]\d{1,2}[-./](?:\d{4}|\d{2})|\d{4}[-./]\d{1,2}[-./]\d{1,2}"  # dates
    r"|\d{1,2}[./]\d{2,4}|\d{4}[-/]\d{2,4}|[12]\d{3}s"  # months and years
    r"|\d{1,2}[:.]\d{2}(?::\d{2})?(?:am|pm)?"  # times
    r"|\d{1,3}[:/-]\d{1,3}|\d{1,4}-[a-z-]+|[a-z]+-\d{1,2}"  # shares, "12-month", "IL-6"
    r"|\d+(?:\.\d+)?[a-z]{1,4}(?:[./][a-z]{1,6})?",  # quantities, ordinals
    re.IGNORECASE,
)
LEAST_DIGITS, LEAST_PARTS, LEAST_PHONE = 6, 3, 7
MOST_NEAREST, ALIKE = 3, 0.6
# Longer quotations, in words, are sentences and titles, which users seldom quote exactly.
MOST_QUOTED = 4


@dataclass(frozen=True, slots=True)
class Identifier:
    """An identifier at [start, end) of a text.

    `label` is the word before a number that names it: "clause"; "" if the identifier needs none.
    """

    text: str
    start: int
    end: int
    label: str = ""

    @property
    def is_label(self) -> bool:
        """True if it is a bare number after its label; elsewhere the same number may mean something else."""
        return bool(self.label) and self.text.count(".") + 1 < LEAST_PARTS

    @property
    def key(self) -> str:
        """Its normalized form for comparison."""
        return normalized_identifier(self.text)


def find_identifiers(question: str) -> list[Identifier]:
    """Returns the identifiers in a question, in order, without overlaps."""
    found: list[Identifier] = []
    taken = bytearray(len(question))
    for one in _all(question):
        if not any(taken[one.start : one.end]):
            taken[one.start : one.end] = b"\1" * (one.end - one.start)
            found.append(one)
    return sorted(found, key=lambda one: one.start)


@lru_cache(maxsize=10_000)
def normalized_identifier(text: str) -> str:
    """Removes case and marks: "INV-2024/7" becomes "inv2024.7". Marks between digits are kept: 1.11 is not 11.1."""
    runs = re.findall(r"[^\W_]+", unicodedata.normalize("NFKC", text).casefold())
    joined = runs[:1]
    for before, after in pairwise(runs):
        joined.append("." + after if before[-1].isdigit() and after[0].isdigit() else after)
    return "".join(joined)


def identifier_shape(text: str) -> str:
    """Returns the pattern that identifiers of one kind share: "a-0a" for XJ-2045B, "0.0.0" for 2.10.4."""
    return re.sub(r"[^\W\d_]+", "a", re.sub(r"\d+", "0", text))


def file_names(document: str) -> str:
    """Returns a document's file name as written, with and without its suffix."""
    path = PurePath(document)
    return f"{path.name} {path.stem}"


def contains_identifier(text: str, wanted: Identifier) -> bool:
    """Returns True if a text contains an identifier, ignoring case and marks."""
    return any(True for _ in identifier_mentions(text, wanted))


def identifier_mentions(text: str, wanted: Identifier) -> Iterator[tuple[int, int]]:
    """Yields the places of an identifier in a text."""
    if " " in wanted.text:
        words = r"\s+".join(re.escape(word) for word in wanted.text.split())
        yield from (found.span() for found in re.finditer(rf"(?<!\w){words}(?!\w)", text, re.IGNORECASE))
    for pattern in (CHAIN, PHONE):
        yield from (found.span() for found in pattern.finditer(text) if normalized_identifier(found[0]) == wanted.key)


def nearest_identifiers(wanted: Identifier, texts: Iterable[str]) -> list[str]:
    """Returns the identifiers in texts that are most similar to a missing one, those of its shape first."""
    known = {
        found[0]: None for text in texts for found in CHAIN.finditer(FILE.sub(" ", text)) if DIGIT.search(found[0])
    }
    alike = difflib.get_close_matches(wanted.text, known, n=len(known) or 1, cutoff=ALIKE)
    return sorted(alike, key=lambda one: identifier_shape(one) != identifier_shape(wanted.text))[:MOST_NEAREST]


def _all(text: str) -> Iterator[Identifier]:
    for found in QUOTED.finditer(text):
        if len(found[1].split()) <= MOST_QUOTED:
            yield Identifier(found[1].strip(), *found.span(1))
    for found in FILE.finditer(text):
        yield Identifier(found[0], *found.span())
    for found in PHONE.finditer(text):
        if sum(map(str.isdigit, found[0])) >= LEAST_PHONE and not NONE.fullmatch(found[0]):
            yield Identifier(found[0], *found.span())
    for found in LABELLED.finditer(text):
        yield Identifier(found[3], *found.span(3), label=(found[1] or found[2]).casefold())
    for found in CHAIN.finditer(text):
        if _is_identifier(found[0]):
            yield Identifier(found[0], *found.span())


def _is_identifier(chain: str) -> bool:
    digits = sum(map(str.isdigit, chain))
    if not digits or (NONE.fullmatch(chain) and not (chain.isdigit() and digits >= LEAST_DIGITS)):
        return False
    letters, parts = any(map(str.isalpha, chain)), len(re.split(r"[-./:_#]", chain))
    return digits > 1 and (letters or parts >= LEAST_PARTS or digits >= LEAST_DIGITS)
