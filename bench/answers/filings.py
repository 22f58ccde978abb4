"""Measures how many figures of people's answers the passages and the quoted answers hold, on quarterly reports.

The first row is LangChain's tutorial: pypdf's text of each page, split recursively into 1,000 characters with an
overlap of 200, embedded with the same model and ranked by cosine similarity.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from contextlib import closing
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from pathlib import Path

import numpy as np
from langchain_text_splitters import RecursiveCharacterTextSplitter
from pypdf import PdfReader

from app.footnote import Footnote
from app.models import Retrieved
from app.text import number, numbers_in
from bench.data import footnote, json_lines

CUTS = (4, 8, 20)
MOST_CHARACTERS = 8_000
# Powers of ten between units: the same, thousands, millions; and the fewest digits of a figure in another unit.
UNITS, LEAST_DIGITS = (0, 3, 6), 3
CHUNK_CHARACTERS, OVERLAP_CHARACTERS = 1_000, 200
# An answer's list of sources is not part of what it says.
SOURCES = re.compile(r"\(?\bSOURCE(?:\(S\))?:.*?(?:\)|$)", re.MULTILINE)
NUMBER = re.compile(r"(?<![\w.,])\d{1,3}(?:,\d{3})+(?:\.\d+)?|(?<![\w.,])\d+(?:\.\d+)?")
DATE = re.compile(
    r"\b(?:January|February|March|April|May|June|July|August|September|October|November|December) \d{1,2}\b"
)
IS_FIGURE = re.compile(r"\$\s?$"), re.compile(r"\s?(?:%|percent\b|million\b|billion\b)")

Search = Callable[[str, int], list[str]]


@dataclass(frozen=True)
class Question:
    """A question, and the figures in a person's answer."""

    text: str
    figures: frozenset[str]


def figures(text: str) -> frozenset[str]:
    """Returns the amounts and shares in a text, in their plain form: those with a currency, unit, point or comma."""
    text = DATE.sub("", SOURCES.sub("", text))
    before, after = IS_FIGURE
    found = (
        number(one.group())
        for one in NUMBER.finditer(text)
        if "," in one.group() or before.search(text[: one.start()][-2:]) or after.match(text, one.end())
    )
    return frozenset(found)


def read_questions(folder: Path) -> list[Question]:
    """Reads the questions whose answers name figures."""
    found = [Question(one["question"], figures(one["answer"])) for one in json_lines(folder / "questions.jsonl")]
    return [one for one in found if one.figures]


def found(questions: Sequence[Question], texts: Sequence[Iterable[str]]) -> float:
    """Returns the share of all figures that the texts of their questions hold."""
    held = (
        question.figures & set[str]().union(*map(numbers_in, some))
        for question, some in zip(questions, texts, strict=True)
    )
    return sum(map(len, held)) / sum(len(question.figures) for question in questions)


def in_any_unit(questions: Sequence[Question], texts: Sequence[str]) -> float:
    """Returns the share of all figures that texts hold, also rounded in another unit: 4.28 billion for 4,284 million.

    Figures of fewer than LEAST_DIGITS digits count only as they are: they are rounded forms of too many others.
    """
    held = 0
    for question, text in zip(questions, texts, strict=True):
        numbers = [Decimal(one) for one in numbers_in(text)]
        for figure in question.figures:
            exact = Decimal(figure)
            units = UNITS if len(exact.as_tuple().digits) >= LEAST_DIGITS else UNITS[:1]
            held += any((one.scaleb(-unit)).quantize(exact) == exact for one in numbers for unit in units)
    return held / sum(len(question.figures) for question in questions)


def within(texts: Sequence[str], most: int) -> list[str]:
    """Returns the first of the texts, up to a number of characters; the last one is cut."""
    kept, left = [], most
    for text in texts:
        kept.append(text[:left])
        left -= len(kept[-1])
        if left <= 0:
            break
    return kept


def tutorial(folder: Path, embed: Callable[[Sequence[str]], np.ndarray], ask: Callable[[str], np.ndarray]) -> Search:
    """Indexes PDFs as LangChain's tutorial does."""
    splitter = RecursiveCharacterTextSplitter(chunk_size=CHUNK_CHARACTERS, chunk_overlap=OVERLAP_CHARACTERS)
    pages = [page.extract_text() for path in sorted(folder.glob("*.pdf")) for page in PdfReader(path).pages]
    chunks = [chunk for page in pages for chunk in splitter.split_text(page)]
    matrix = np.concatenate([embed(chunks[i : i + 256]) for i in range(0, len(chunks), 256)])

    def search(question: str, k: int) -> list[str]:
        return [chunks[i] for i in np.argsort(-(matrix @ ask(question)), kind="stable")[:k]]

    return search


def run(shared: Path) -> None:
    """Prints the shares of figures for the tutorial and for Footnote."""
    folder = shared / "eval" / "filings"
    questions = read_questions(folder)
    with footnote() as one:
        report = one.ingest([folder / "docs"])
        assert not report.count("failed")
        embedder = one.index("default").embedder
        total = sum(len(question.figures) for question in questions)
        print(f"{len(questions)} questions whose answers name {total} figures; share of those figures found.\n")
        print("| | 4 passages | 8 | 20 | within 8,000 characters | quoted answer | the same, in any unit |")
        print("| --- | ---: | ---: | ---: | ---: | ---: | ---: |")
        search = tutorial(folder / "docs", embedder.encode_documents, embedder.encode_query)
        _row("LangChain's tutorial", questions, search)
        _row("Footnote", questions, partial(_passages, one), one)


def _passages(one: Footnote, question: str, k: int) -> list[str]:
    with closing(one.ask(question, k=k)) as events:
        found = next(event for event in events if isinstance(event, Retrieved))
    return [passage.text for passage in found.passages]


def _row(name: str, questions: Sequence[Question], search: Search, one: Footnote | None = None) -> None:
    listed = [search(question.text, max(CUTS)) for question in questions]
    shares = [found(questions, [texts[:k] for texts in listed]) for k in CUTS]
    shares.append(found(questions, [within(texts, MOST_CHARACTERS) for texts in listed]))
    if one:
        answers = [list(one.ask(question.text))[-1].text for question in questions]
        shares += [found(questions, [[answer] for answer in answers]), in_any_unit(questions, answers)]
    cells = [*(f"{share:.3f}" for share in shares), *([] if one else ["", ""])]
    print(f"| {name} | {' | '.join(cells)} |", flush=True)
