"""Selects the sentences that may answer a question, and compares them with it."""

from __future__ import annotations

import math
import re
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from app.answering.identifier_lookup import Entries
from app.answering.quoting.figures import asks_figure
from app.answering.tables import Asked, Row, asks_causes
from app.models import Passage
from app.text import (
    content_terms,
    find_identifiers,
    header_of,
    is_data_row,
    shared_language,
    split_sentences,
    without_rule,
    words_of,
)
from ingest.models import Query

MOST_CANDIDATES = 64
LONGEST = 700
LEAD = re.compile(r"\s*(?:[-*+\u2022]\s+|\d{1,3}[.)]\s+|\|\s*|>\s*)")
NOT_QUOTED = re.compile(r"\s*+#{1,6}\s|[\s|:-]++$")
CODE = re.compile(r"\s*(?:```|~~~)")


@dataclass(frozen=True, slots=True)
class Candidate:
    """A sentence that could be quoted, at [start, end) of its passage's text.

    `read` is the text that is embedded if its tokens are not known; `header` is the header of its table as Markdown, ""
    outside tables.
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


@dataclass(frozen=True, slots=True)
class Question:
    """A question, prepared for comparison with sentences.

    `query` is the question without the identifiers whose `entries` were found; `wanted` maps its terms, in its
    `language`, to their weights. `labels` are the terms of words before numbers that name items, such as "clause".
    """

    query: Query
    entries: Entries
    language: str
    wanted: dict[str, float]
    labels: frozenset[str] = frozenset()

    @classmethod
    def of(cls, query: Query, passages: Sequence[Passage]) -> Self:
        named = find_identifiers(query.text)
        entries = Entries.of(passages, named)
        named = named if entries.spans else []
        text = query.text
        for one in reversed(named):
            text = f"{text[: one.start]} {text[one.end :]}"
        if any(map(str.isalnum, text)):
            query = replace(query, text=text)
        language = shared_language(query.alone, *(passage.text for passage in passages))
        labels = frozenset(content_terms(" ".join(one.label for one in named if one.is_label), language))
        return cls(query, entries, language, query.weighted(lambda part: content_terms(part, language)), labels)

    @property
    def for_rows(self) -> Asked:
        """The question as it is compared with rows."""
        return Asked(self.query.alone, self.wanted, self.language)

    def may_answer_row(self, row: Row) -> bool:
        """Returns True if a row is about the things that the question names by identifiers.

        A row of words with a figure among them answers only a question for a figure.
        """
        if not (row.row.is_mostly_figures or asks_figure(self.query.alone)):
            return False
        start, end = row.row.start, row.row.end
        return not self.entries.spans or self.entries.hold(row.passage, start, end)

    def unanswered(self, candidates: Sequence[Candidate], rows: Sequence[Sequence[Row]]) -> list[Candidate]:
        """Returns the sentences of prose with words of the question that the rows and their tables lack.

        If the question asks for causes, all sentences with words of the question: figures give no reason.
        """
        told = [text for some in rows for one in some for text in (one.passage.above, one.row.caption, one.name)]
        left = self.wanted.keys() - (set() if asks_causes(self.query.alone) else self.terms(" ".join(told)))
        documents = {one.passage.version_id for some in rows for one in some}
        return [
            one
            for one in candidates
            if not one.stands_alone
            and "|" not in one.text
            and one.passage.version_id in documents
            and self.terms(one.text) & left
        ]

    def terms(self, text: str) -> set[str]:
        """Returns the question's terms that a text contains."""
        return content_terms(text, self.language) & self.wanted.keys()

    def candidates(self, passages: Sequence[Passage]) -> list[Candidate]:
        """Returns the sentences that may be quoted; if there are very many, those sharing most terms with the question.

        Within an entry, lines that only repeat the question are left out.
        """
        found: dict[tuple[str, str], Candidate] = {}
        for passage in passages:
            above = " ".join(word for word in words_of(passage.above) if self.terms(word))
            for start, end in split_sentences(passage.text):
                candidate = _candidate(passage, start, end, above)
                if candidate and self._may_answer(candidate):
                    found.setdefault((candidate.text.casefold(), above.casefold()), candidate)
        order = sorted(found.values(), key=lambda one: (-len(self.terms(one.read)), one.passage.n, one.start))
        return order[:MOST_CANDIDATES]

    def _may_answer(self, candidate: Candidate) -> bool:
        if not self.entries.spans:
            return True
        if not self.entries.hold(candidate.passage, candidate.start, candidate.end):
            return False
        return bool(content_terms(candidate.text, self.language) - self.wanted.keys())

    def shared_terms(self, candidates: Sequence[Candidate]) -> NDArray[np.float32]:
        """Returns the share of the question's terms in each candidate, weighted by rarity: float32 [n], 0 to 1."""
        held = [self.terms(candidate.read) for candidate in candidates]
        frequency = Counter(term for one in held for term in one)
        weight = {term: share * math.log(1 + len(held) / (1 + frequency[term])) for term, share in self.wanted.items()}
        total = sum(weight.values()) or 1.0
        return np.array([sum(weight[term] for term in one) / total for one in held], dtype=np.float32)

    def whole_item(self, best: Candidate, candidates: Sequence[Candidate]) -> list[Candidate]:
        """Returns the sentences of the best one's item, in order, if the question asks for the item itself; else none.

        "What does clause 4.2 say?" does: it has no word of the clause.
        """
        item = self.entries.around(best.passage, best.start) if self.labels else None
        if not item:
            return []
        inside = [one for one in candidates if one.passage is best.passage and item[0] <= one.start < item[1]]
        asked = self.wanted.keys() - self.labels - self.terms(best.passage.above)
        if asked & self.terms(" ".join(one.text for one in inside)):
            return []
        return sorted(inside, key=lambda one: one.start)

    def of_one_thing(self, chosen: Sequence[Candidate]) -> list[Candidate]:
        """Leaves out sentences about a different subject than the best sentence.

        The subject is the question's words in title, headings and file name. A sentence is dropped if it and its
        headings lack some of those and have no other word of the question, or if it shares words only with earlier
        questions where the best one shares some with this question.
        """
        best, *others = chosen
        subject, here = self.terms(best.passage.above), self.terms(best.read)
        now = {term for term, weight in self.wanted.items() if weight == 1}
        follows_up = len(now) < len(self.wanted)

        def is_of_it(other: Candidate) -> bool:
            held = self.terms(f"{other.passage.above} {other.read}")
            if follows_up and here & now and not held & now:
                return False
            return subject <= held or bool(held & now - here - subject)

        return [best, *filter(is_of_it, others)]


def _candidate(passage: Passage, start: int, end: int, above: str) -> Candidate | None:
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
    if raw.startswith("|") and not is_data_row(passage.text, start):
        return None
    if not CODE.match(raw) and (lead := LEAD.match(raw)):
        start += lead.end()
        end = start + len(passage.text[start:end].rstrip(" |" if "|" in lead.group() else None))
    words = passage.text[start:end]
    if len(content_terms(words)) < 2:  # noqa: PLR2004 - a single word is no answer
        return None
    names = header_of(passage.text, begin, passage.header)
    header = without_rule(names)
    topic = passage.heading[-1] if passage.heading else passage.title
    missing = " ".join(word for word in above.split() if word.casefold() not in topic.casefold())
    names = passage.embedded_header if names == passage.header else names
    read = ": ".join(part for part in (missing, topic, names.strip("| "), words) if part)
    return Candidate(passage, start, end, read, header)
