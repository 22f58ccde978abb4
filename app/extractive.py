"""The answerer that needs no model: quotes the sentences of the passages that answer best."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from app import sentences, terms
from app.markers import MARKER
from app.models import Citation, Passage, Sentence

# Weights of similarity in meaning and of shared terms in a sentence's score, and of its passage's rank.
MEANING, TERMS, RANK = 0.55, 0.35, 0.10
# What a sentence with a number gains where the question asks for one.
FIGURE = 0.08
MOST_SENTENCES = 4
# A further sentence is quoted when its score is at least this share of the best one's …
MARGIN = 0.86
# … and it does not say the same again (cosine similarity).
SAME = 0.88
# Below both, nothing is relevant: measured with `bench/refusal.py`.
LEAST_MEANING = 0.33
LEAST_TERMS = 0.5
MOST_CANDIDATES = 64
LONGEST = 700
ASKS_FIGURE = re.compile(
    r"\b(how (much|many|long|large|big|high|often|old|far)|when|what (share|year|date|number|size|price|limit))\b",
    re.IGNORECASE,
)
LEAD = re.compile(r"\s*(?:[-*+\u2022]\s+|\d{1,3}[.)]\s+|\|\s*|>\s*)")
NOT_QUOTED = re.compile(r"\s*(?:#{1,6}\s|```|~~~|\|?[\s|:-]+\|?$)")


class Embeds(Protocol):
    """What turns texts into vectors of unit length."""

    def encode_documents(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """float32 [n, dimensions]."""
        ...

    def encode_query(self, text: str) -> NDArray[np.float32]:
        """float32 [dimensions]."""
        ...


@dataclass(frozen=True, slots=True)
class Quotes:
    """What was quoted: `text` is the sentences with their markers; empty where nothing is relevant."""

    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sentence that could be quoted, at [start, end) of its passage's text; `read` is what is embedded of it."""

    passage: Passage
    start: int
    end: int
    read: str

    @property
    def text(self) -> str:
        return " ".join(self.passage.text[self.start : self.end].split())


class ExtractiveAnswerer:
    """Answers in the documents' own words.

    Args:
        embedder: the collection's embedder.
    """

    def __init__(self, embedder: Embeds) -> None:
        self._embedder = embedder

    def answer(self, question: str, passages: Sequence[Passage]) -> Quotes:
        """One to four sentences that answer the question best, in reading order, each with its footnote."""
        candidates = _candidates(question, passages)
        if not candidates:
            return Quotes("", (), ())
        vectors = self._embedder.encode_documents([candidate.read for candidate in candidates])
        meaning = vectors @ self._embedder.encode_query(question)
        shared = _shared_terms(question, candidates)
        if meaning.max() < LEAST_MEANING and shared.max() < LEAST_TERMS:
            return Quotes("", (), ())
        rank = np.array([1 / math.sqrt(candidate.passage.n) for candidate in candidates])
        figure = _figures(question, candidates)
        chosen = _choose(MEANING * meaning + TERMS * shared + RANK * rank + FIGURE * figure, vectors)
        return _quote([candidates[i] for i in chosen])


def _candidates(question: str, passages: Sequence[Passage]) -> list[_Candidate]:
    """The sentences of the passages; where there are very many, those that share most terms with the question."""
    found: dict[str, _Candidate] = {}
    for passage in passages:
        for start, end in sentences.split(passage.text):
            if candidate := _candidate(passage, start, end):
                found.setdefault(candidate.text.casefold(), candidate)
    wanted = terms.content_terms(question)
    order = sorted(found.values(), key=lambda c: (-len(wanted & terms.content_terms(c.read)), c.passage.n, c.start))
    return order[:MOST_CANDIDATES]


def _candidate(passage: Passage, start: int, end: int) -> _Candidate | None:
    """A sentence without its list mark or outer table rules; None for headings, code and scraps."""
    raw = passage.text[start:end]
    if NOT_QUOTED.match(raw) or end - start > LONGEST or raw.rstrip().endswith((":", "?")):
        return None
    if lead := LEAD.match(raw):
        start += lead.end()
        end = start + len(passage.text[start:end].rstrip(" |" if "|" in lead.group() else None))
    words = passage.text[start:end]
    if len(terms.content_terms(words)) < 2:  # noqa: PLR2004 - one word answers nothing
        return None
    topic = passage.heading[-1] if passage.heading else passage.title
    return _Candidate(passage, start, end, f"{topic}: {words}" if topic else words)


def _shared_terms(question: str, candidates: Sequence[_Candidate]) -> NDArray[np.float32]:
    """Share of the question's terms in each candidate, rare terms weighing more: float32 [n], 0 to 1."""
    wanted = terms.content_terms(question)
    held = [terms.content_terms(candidate.read) for candidate in candidates]
    frequency = Counter(term for one in held for term in one & wanted)
    weight = {term: math.log(1 + len(held) / (1 + frequency[term])) for term in wanted}
    total = sum(weight.values()) or 1.0
    return np.array([sum(weight[term] for term in one & wanted) / total for one in held], dtype=np.float32)


def _figures(question: str, candidates: Sequence[_Candidate]) -> NDArray[np.float32]:
    """1.0 for candidates with a number, where the question asks for one; else 0.0: float32 [n]."""
    asks = bool(ASKS_FIGURE.search(question))
    return np.array([asks and bool(terms.numbers(c.text)) for c in candidates], dtype=np.float32)


def _choose(scores: NDArray[np.floating], vectors: NDArray[np.float32]) -> list[int]:
    """The best, and those nearly as good that say something else."""
    chosen: list[int] = []
    order = [int(i) for i in np.argsort(-scores, kind="stable")]
    for i in order:
        if len(chosen) == MOST_SENTENCES or scores[i] < MARGIN * scores[order[0]]:
            break
        if not chosen or float((vectors[chosen] @ vectors[i]).max()) < SAME:
            chosen.append(i)
    return chosen


def _quote(chosen: Sequence[_Candidate]) -> Quotes:
    """The text of the answer: sentences of one passage run on, those of another begin a new paragraph."""
    ordered = sorted(chosen, key=lambda c: (c.passage.n, c.start))
    text, found, footnotes = "", [], []
    for n, candidate in enumerate(ordered, start=1):
        if text:
            text += " " if candidate.passage is ordered[n - 2].passage else "\n\n"
        start = len(text)
        text += f"{_escaped(candidate.text)} [{n}]"
        found.append(Sentence(candidate.text, (n,), supported=True, start=start, end=len(text)))
        footnotes.append(candidate.passage.cite(n, candidate.start, candidate.end))
    return Quotes(text, tuple(found), tuple(footnotes))


def _escaped(quote: str) -> str:
    """A quote that has brackets of its own must not be read as having footnotes."""
    return MARKER.sub(lambda marker: "\\" + marker.group(), quote)
