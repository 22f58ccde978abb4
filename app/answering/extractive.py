"""Answers without a language model, by quoting the sentences of the passages that answer best."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.answering.figure_bonus import figure_bonus
from app.answering.highlights import answer_spans
from app.answering.identifier_lookup import Entries
from app.models import Citation, Passage, Quote, Sentence
from app.protocols import Embeds
from app.text import (
    MARKER,
    content_terms,
    find_identifiers,
    header_of,
    shared_language,
    split_sentences,
    without_rule,
    words_of,
)
from ingest.embedding import query_vector
from ingest.models import Query, as_query

# Weights in a sentence's score: similarity in meaning, shared terms, and the rank of its passage.
MEANING, TERMS, RANK = 0.55, 0.35, 0.10
MOST_SENTENCES = 4
# Another sentence is quoted if its score is at least this share of the best score …
MARGIN = 0.86
# … and it does not repeat an earlier one (cosine similarity).
SAME = 0.88
# A sentence below both is irrelevant with any embedder; app/answering/refusal.py decides better if calibrated for it.
LEAST_MEANING = 0.33
LEAST_TERMS = 0.5
MOST_CANDIDATES = 64
LONGEST = 700
LEAD = re.compile(r"\s*(?:[-*+\u2022]\s+|\d{1,3}[.)]\s+|\|\s*|>\s*)")
NOT_QUOTED = re.compile(r"\s*+#{1,6}\s|[\s|:-]++$")
CODE = re.compile(r"\s*(?:```|~~~)")


@dataclass(frozen=True, slots=True)
class Quotes:
    """The quoted sentences: `text` has them with their markers; it is empty if nothing is relevant."""

    text: str
    sentences: tuple[Sentence, ...]
    citations: tuple[Citation, ...]


NO_QUOTES = Quotes("", (), ())


@dataclass(frozen=True, slots=True)
class _Candidate:
    """A sentence that could be quoted, at [start, end) of its passage's text.

    `read` is the text that is embedded; `header` is the header of its table as Markdown, "" outside tables.
    """

    passage: Passage
    start: int
    end: int
    read: str
    header: str = ""

    @property
    def text(self) -> str:
        words = self.passage.text[self.start : self.end]
        return words if self.is_code else " ".join(words.split())

    @property
    def is_code(self) -> bool:
        return bool(CODE.match(self.passage.text, self.start))

    @property
    def stands_alone(self) -> bool:
        """True if no other sentence may follow on the same line."""
        return self.is_code or bool(self.header)


class ExtractiveAnswerer:
    """Answers with quotes from the documents.

    Args:
        embedder: the collection's embedder.
    """

    def __init__(self, embedder: Embeds) -> None:
        self._embedder = embedder

    def answer(self, question: str | Query, passages: Sequence[Passage], *, relevant: bool = False) -> Quotes:
        """Returns the one to four sentences that answer best, in reading order, each with its footnote.

        If the question names something by its identifier, only text about that thing is quoted.

        Args:
            question: the question, alone or with the earlier ones.
            passages: the passages to quote from, best first.
            relevant: True if the passages are known to answer the question.
        """
        query = as_query(question)
        asked = _Asked.of(query, passages)
        candidates = asked.candidates(passages)
        if not candidates:
            return NO_QUOTES
        vectors = self._embedder.encode_documents([candidate.read for candidate in candidates])
        known = self._embedder.knows(query.text)
        meaning = vectors @ query_vector(self._embedder.encode_query, asked.query) * known
        shared = asked.shared_terms(candidates)
        if not relevant and meaning.max() < LEAST_MEANING and shared.max() < LEAST_TERMS:
            return NO_QUOTES
        rank = np.array([1 / math.sqrt(candidate.passage.n) for candidate in candidates])
        figure = figure_bonus(query.alone, candidates)
        chosen = _choose(MEANING * meaning + TERMS * shared + RANK * rank + figure, vectors)
        return _quote(query.alone, asked.of_one_thing([candidates[i] for i in chosen]))


@dataclass(frozen=True, slots=True)
class _Asked:
    """A question, prepared for comparison with sentences.

    `query` is the question without the identifiers whose `entries` were found; `wanted` maps its terms, in its
    `language`, to their weights.
    """

    query: Query
    entries: Entries
    language: str
    wanted: dict[str, float]

    @classmethod
    def of(cls, query: Query, passages: Sequence[Passage]) -> Self:
        named = [one for one in find_identifiers(query.text) if not one.is_label]
        entries = Entries.of(passages, named)
        text = query.text
        for one in reversed(named if entries.spans else []):
            text = f"{text[: one.start]} {text[one.end :]}"
        if any(map(str.isalnum, text)):
            query = replace(query, text=text)
        language = shared_language(query.alone, *(passage.text for passage in passages))
        return cls(query, entries, language, query.weighted(lambda part: content_terms(part, language)))

    def terms(self, text: str) -> set[str]:
        """Returns the question's terms that a text contains."""
        return content_terms(text, self.language) & self.wanted.keys()

    def candidates(self, passages: Sequence[Passage]) -> list[_Candidate]:
        """Returns the sentences that may be quoted; if there are very many, those sharing most terms with the question.

        Within an entry, lines that only repeat the question are left out.
        """
        found: dict[tuple[str, str], _Candidate] = {}
        for passage in passages:
            above = " ".join(word for word in words_of(passage.above) if self.terms(word))
            for start, end in split_sentences(passage.text):
                candidate = _candidate(passage, start, end, above)
                if candidate and self._may_answer(candidate):
                    found.setdefault((candidate.text.casefold(), above.casefold()), candidate)
        order = sorted(found.values(), key=lambda one: (-len(self.terms(one.read)), one.passage.n, one.start))
        return order[:MOST_CANDIDATES]

    def _may_answer(self, candidate: _Candidate) -> bool:
        if not self.entries.spans:
            return True
        if not self.entries.hold(candidate.passage, candidate.start, candidate.end):
            return False
        return bool(content_terms(candidate.text, self.language) - self.wanted.keys())

    def shared_terms(self, candidates: Sequence[_Candidate]) -> NDArray[np.float32]:
        """Returns the share of the question's terms in each candidate, weighted by rarity: float32 [n], 0 to 1."""
        held = [self.terms(candidate.read) for candidate in candidates]
        frequency = Counter(term for one in held for term in one)
        weight = {term: share * math.log(1 + len(held) / (1 + frequency[term])) for term, share in self.wanted.items()}
        total = sum(weight.values()) or 1.0
        return np.array([sum(weight[term] for term in one) / total for one in held], dtype=np.float32)

    def of_one_thing(self, chosen: Sequence[_Candidate]) -> list[_Candidate]:
        """Leaves out sentences about a different subject than the best sentence.

        The subject is the question's words in title, headings and file name. A sentence is dropped if it and its
        headings lack some of those and have no other word of the question, or if it shares words only with earlier
        questions where the best one shares some with this question.
        """
        best, *others = chosen
        subject, here = self.terms(best.passage.above), self.terms(best.read)
        now = {term for term, weight in self.wanted.items() if weight == 1}
        follows_up = len(now) < len(self.wanted)

        def is_of_it(other: _Candidate) -> bool:
            held = self.terms(f"{other.passage.above} {other.read}")
            if follows_up and here & now and not held & now:
                return False
            return subject <= held or bool(held & now - here - subject)

        return [best, *filter(is_of_it, others)]


def _candidate(passage: Passage, start: int, end: int, above: str) -> _Candidate | None:
    """Builds a candidate without list mark or outer table rules, or from a code block; None for headings and scraps.

    Args:
        passage: the passage that contains it.
        start: its start in the passage's text.
        end: its end.
        above: words of the question that are in the title, headings or file name.
    """
    raw, begin = passage.text[start:end], start
    if NOT_QUOTED.match(raw) or end - start > LONGEST or raw.rstrip().endswith((":", "?")):
        return None
    if not CODE.match(raw) and (lead := LEAD.match(raw)):
        start += lead.end()
        end = start + len(passage.text[start:end].rstrip(" |" if "|" in lead.group() else None))
    words = passage.text[start:end]
    if len(content_terms(words)) < 2:  # noqa: PLR2004 - a single word is no answer
        return None
    header = without_rule(header_of(passage.text, begin, passage.header))
    topic = passage.heading[-1] if passage.heading else passage.title
    missing = " ".join(word for word in above.split() if word.casefold() not in topic.casefold())
    read = ": ".join(part for part in (missing, topic, header.partition("\n")[0].strip("| "), words) if part)
    return _Candidate(passage, start, end, read, header)


def _choose(scores: NDArray[np.floating], vectors: NDArray[np.float32]) -> list[int]:
    """Returns the best sentence and the nearly as good ones that do not repeat it."""
    chosen: list[int] = []
    order = [int(i) for i in np.argsort(-scores, kind="stable")]
    for i in order:
        if len(chosen) == MOST_SENTENCES or scores[i] < MARGIN * scores[order[0]]:
            break
        if not chosen or float((vectors[chosen] @ vectors[i]).max()) < SAME:
            chosen.append(i)
    return chosen


def _quote(question: str, chosen: Sequence[_Candidate]) -> Quotes:
    """Builds the answer's text: sentences of one passage share a paragraph, each new passage starts another.

    A table row is put below its header.
    """
    ordered = sorted(chosen, key=lambda c: (c.passage.n, c.start))
    text, found, footnotes = "", [], []
    for n, candidate in enumerate(ordered, start=1):
        if text:
            before = ordered[n - 2]
            runs_on = candidate.passage is before.passage and not candidate.stands_alone and not before.stands_alone
            text += " " if runs_on else "\n\n"
        start, words = len(text), candidate.text if candidate.is_code else _escaped(candidate.text)
        lead, tail = (f"{_escaped(candidate.header)}\n| ", " |") if candidate.header else ("", "")
        gap = "\n\n" if candidate.is_code else " "
        text += f"{lead}{words}{gap}[{n}]{tail}"
        note = candidate.passage.cite(n, candidate.start, candidate.end)
        quote = Quote(n, note.start, note.end, note.quote)
        at = start + len(lead)
        spans = tuple((at + first, at + last) for first, last in answer_spans(question, words))
        found.append(Sentence(candidate.text, (n,), True, start, len(text), quotes=(quote,), spans=spans))
        footnotes.append(note)
    return Quotes(text, tuple(found), tuple(footnotes))


def _escaped(quote: str) -> str:
    """Escapes brackets in a quote, so that they are not read as footnotes."""
    return MARKER.sub(lambda marker: "\\" + marker.group(), quote)
